"""What expressions mean, in plain Python: for inputs so small that the engine's start would cost more than the work."""

import re
from bisect import bisect_right
from collections import abc
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from operator import itemgetter
from typing import TypeAlias, assert_never

from core.datasets.grammar import PART, Type
from core.datasets.record import (
    Bucket,
    Concat,
    Constant,
    DatePart,
    DaysBetween,
    Expression,
    Field,
    Iso,
    Mapping,
    Ratio,
    Text,
    Trim,
    Upper,
)

Value: TypeAlias = Callable[[Sequence[str]], str]
Types: TypeAlias = abc.Mapping[str, Type]
Index: TypeAlias = abc.Mapping[str, int]

# Dates of 22 years: a file's dates repeat, and one that was seen costs a tenth.
DATES_REMEMBERED = 8192
DIGITS = {"YYYY": "([0-9]{4})", "M": "([0-9]{1,2})", "D": "([0-9]{1,2})"}
TWO_DIGITS = "([0-9]{2})"
# Where each part of a format stands in a moment.
PLACES = {"YYYY": 0, "MM": 1, "M": 1, "DD": 2, "D": 2, "hh": 3, "mm": 4, "ss": 5}
MIDNIGHT = ("00", "00", "00")


def function(expression: Expression, types: Types, index: Index) -> Value:
    """A function from the fields of a record to an expression's value as text, which is empty for null.

    Args:
        expression: What to compute. Each value must fit its column's type, and be listed where a mapping refuses
            others.
        types: The types of the input's columns.
        index: The position of each column among the fields.
    """
    if isinstance(expression, DaysBetween):
        return _days_between(expression, types, index)
    if isinstance(expression, Ratio):
        return _ratio(index[expression.dividend], index[expression.divisor])
    if isinstance(expression, DatePart):
        return _of(index[expression.column], _date_part(expression, types[expression.column]))
    return _text(expression, types, index)


def _text(expression: Text, types: Types, index: Index) -> Value:
    found: Value
    match expression:
        case Field():
            found = itemgetter(index[expression.column])
        case Constant():
            found = _constant(expression.value)
        case Iso():
            found = _of(index[expression.column], _iso(types[expression.column]))
        case Upper():
            found = _upper(_text(expression.of, types, index))
        case Trim():
            found = _trim(_text(expression.of, types, index))
        case Concat():
            found = _concat([_text(part, types, index) for part in expression.parts])
        case Mapping():
            found = _mapping(expression, _text(expression.of, types, index))
        case Bucket():
            found = _of(index[expression.column], _bucket(expression, types[expression.column]))
        case _:
            assert_never(expression)
    return found


def _of(position: int, found: Callable[[str], str]) -> Value:
    """The value of one field, where it is not empty."""

    def value(fields: Sequence[str]) -> str:
        field = fields[position]
        return found(field) if field else ""

    return value


def _constant(text: str) -> Value:
    return lambda _: text


def _ratio(dividend: int, divisor: int) -> Value:
    def value(fields: Sequence[str]) -> str:
        above, below = fields[dividend], fields[divisor]
        if not above or not below:
            return ""
        number = float(below)
        return repr(float(above) / number) if number else ""

    return value


def _days_between(expression: DaysBetween, types: Types, index: Index) -> Value:
    start, end = index[expression.start], index[expression.end]
    start_day, end_day = _day(types[expression.start]), _day(types[expression.end])

    def value(fields: Sequence[str]) -> str:
        first, last = fields[start], fields[end]
        return str(end_day(last) - start_day(first)) if first and last else ""

    return value


def _day(kind: Type) -> Callable[[str], int]:
    """The number of a date's day, counted from the year 1."""
    moment = _moment(kind)

    @lru_cache(DATES_REMEMBERED)
    def day(text: str) -> int:
        year, month, day_of_month, *_ = moment(text)
        return date(int(year), int(month), int(day_of_month)).toordinal()

    return day


def _date_part(expression: DatePart, kind: Type) -> Callable[[str], str]:
    moment = _moment(kind)
    place = 0 if expression.part == "year" else 1
    return lru_cache(DATES_REMEMBERED)(lambda text: str(int(moment(text)[place])))


def _iso(kind: Type) -> Callable[[str], str]:
    moment = _moment(kind)

    @lru_cache(DATES_REMEMBERED)
    def iso(text: str) -> str:
        year, month, day, hour, minute, second = moment(text)
        written = f"{year}-{month:0>2}-{day:0>2}"
        return written if kind.kind == "date" else f"{written} {hour}:{minute}:{second}"

    return iso


def _moment(kind: Type) -> Callable[[str], tuple[str, ...]]:
    """The digits of year, month, day, hour, minute and second of a text."""
    parts = PART.findall(kind.format)
    order = sorted(range(len(parts)), key=lambda number: PLACES[parts[number]])
    written = PART.sub(lambda part: DIGITS.get(part[0], TWO_DIGITS), re.escape(kind.format))
    match = re.compile(written).fullmatch

    def moment(text: str) -> tuple[str, ...]:
        found = match(text)
        if found is None:
            raise ValueError(f"{text!r} is not a {kind.kind} as {kind.format}: check the record before")
        digits = found.groups()
        return (*(digits[number] for number in order), *MIDNIGHT[max(0, len(order) - 3) :])

    return moment


def _upper(of: Value) -> Value:
    def value(fields: Sequence[str]) -> str:
        text = of(fields)
        return text.upper() if text.isascii() else "".join(map(_capital, text))

    return value


@lru_cache(DATES_REMEMBERED)
def _capital(letter: str) -> str:
    """One letter for one: where several letters write the capital, the title form if that is one, else the letter."""
    if letter == "ß":
        return "ẞ"
    return next((found for found in (letter.upper(), letter.title()) if len(found) == 1), letter)


def _trim(of: Value) -> Value:
    return lambda fields: of(fields).strip(" ")


def _concat(parts: Sequence[Value]) -> Value:
    return lambda fields: "".join([part(fields) for part in parts])


def _mapping(expression: Mapping, of: Value) -> Value:
    new, otherwise = expression.values, expression.otherwise
    if otherwise is None:
        return lambda fields: new[of(fields)]
    return lambda fields: new.get(of(fields), otherwise)


def _bucket(expression: Bucket, kind: Type) -> Callable[[str], str]:
    """Up to 15 digits, doubles are apart and in order where decimals are, so that none falls on the wrong side."""
    number: Callable[[str], float] = int if kind.kind == "integer" else float
    edges = [number(edge) for edge in expression.edges]
    labels = expression.labels
    return lambda text: labels[bisect_right(edges, number(text))]
