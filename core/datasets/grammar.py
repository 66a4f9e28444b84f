"""The types of columns: which texts each of them takes.

One regular expression a type, in the syntax that Python's re and the engine's RE2 share, so that both accept the
same text.
"""

import re
from functools import cache
from typing import Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal["text", "integer", "decimal", "date", "timestamp", "double"]

# An amount below 2**53 of its smallest units is told apart exactly by the double nearest to it.
MOST_DIGITS = 15
# The calendar has no year 0.
YEAR = "([1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])"
LEAP_YEAR = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)"
# The days that there are, as months (M), days (D) and years: 30 in all months but February, and so on.
DAYS = (
    ("0[13578]|1[02]", "0[1-9]|[12][0-9]|3[01]", YEAR),
    ("0[469]|11", "0[1-9]|[12][0-9]|30", YEAR),
    ("02", "0[1-9]|1[0-9]|2[0-8]", YEAR),
    ("02", "29", LEAP_YEAR),
)
TIMES = {"hh": "([01][0-9]|2[0-3])", "mm": "[0-5][0-9]", "ss": "[0-5][0-9]"}
LETTERS = {"YYYY": "%Y", "MM": "%m", "M": "%m", "DD": "%d", "D": "%d", "hh": "%H", "mm": "%M", "ss": "%S"}
PART = re.compile("YYYY|MM|M|DD|D|hh|mm|ss")
ISO_DATE = "YYYY-MM-DD"
ISO_TIMESTAMP = "YYYY-MM-DD hh:mm:ss"
INTEGER = "-?[0-9]{1,18}"
# A double of so few digits is finite.
DOUBLE = r"-?[0-9]{1,20}(\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?"


class Type(msgspec.Struct, frozen=True):
    """What the values of a column are.

    Attributes:
        kind: The kind of value.
        precision: Most digits of a decimal, at most 15, of which `scale` stand after the point.
        scale: Digits after the point of a decimal.
        format: How a date or timestamp is written, in YYYY, MM or M, DD or D, hh, mm, ss and what stands between.
        optional: Whether a field may be empty, which is null; a text always may, and is then an empty text.
    """

    kind: Kind = "text"
    precision: int = MOST_DIGITS
    scale: int = 2
    format: str = ISO_DATE
    optional: bool = False


def pattern(kind: Type) -> str:
    """The regular expression that a whole field of this type matches, without groups that capture by name."""
    found = {
        "text": "(?s:.*)",
        "integer": INTEGER,
        "decimal": _decimal(kind),
        "date": _format(kind.format),
        "timestamp": _format(kind.format),
        "double": DOUBLE,
    }[kind.kind]
    return f"({found})?" if kind.optional else found


def _decimal(kind: Type) -> str:
    whole = f"-?[0-9]{{1,{kind.precision - kind.scale}}}"
    return whole + (rf"(\.[0-9]{{1,{kind.scale}}})?" if kind.scale else "")


@cache
def _format(written: str) -> str:
    between = [re.escape(text) for text in PART.split(written)]
    ways = []
    for month, day, year in DAYS:
        takes = TIMES | {"YYYY": year, "MM": f"({month})", "M": _short(month), "DD": f"({day})", "D": _short(day)}
        parts = [takes[part] for part in PART.findall(written)]
        ways.append(between[0] + "".join(part + after for part, after in zip(parts, between[1:], strict=True)))
    return f"({'|'.join(ways)})"


def _short(numbers: str) -> str:
    """The same numbers, whose leading zero may be left out."""
    first_digits = re.sub(r"(?<!\[)0", "0?", numbers)  # not the zero of a set such as [02]
    return f"({first_digits})"


def engine_format(kind: Type, *, padded: bool = True) -> str:
    """The format of a date or timestamp in the letters of strptime; not padded, M and D have no leading zero."""
    letters = LETTERS if padded else LETTERS | {"M": "%-m", "D": "%-d"}
    return PART.sub(lambda part: letters[part[0]], kind.format)


def expected(kind: Type) -> str:
    """What a field of this type should be, for a message."""
    whole = kind.precision - kind.scale
    found = {
        "text": "a text",
        "integer": "a whole number of at most 18 digits",
        "decimal": f"a number of at most {whole} digits and {kind.scale} decimals, such as 1234.50",
        "date": f"a date as {kind.format}, such as {_example(kind.format)}",
        "timestamp": f"a time as {kind.format}, such as {_example(kind.format)}",
        "double": "a number below 1e99",
    }[kind.kind]
    return f"{found}, or nothing" if kind.optional and kind.kind != "text" else found


def _example(written: str) -> str:
    values = {"YYYY": "2010", "MM": "05", "M": "5", "DD": "28", "D": "28", "hh": "13", "mm": "45", "ss": "00"}
    return PART.sub(lambda part: values[part[0]], written)
