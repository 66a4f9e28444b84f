"""SQLite's aggregates, made independent of the order of the rows and of the library's version.

SQL sums whole numbers only: amounts as cents (or what their scale is), doubles as three numbers of 26 bits and more
that together hold all of their bits. Where that leaves 64 bits SQLite says "integer overflow", and slower aggregates
of our own take over.
"""

import math
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.database.partial import DOUBLE_BITS, Aggregate, Group, Partial
from core.database.port import Condition, Selection
from core.datasets.grammar import Type
from core.engine import name as quoted

# Doubles from 2**-25 up to 2048, and zero, are whole multiples of 2**-78: 52 bits after the point fill an integer of
# SQLite's with the 11 before it, the last 26 a second one.
WORD = 26
LARGEST, SMALLEST = 2048.0, 2.0**-25
OVERFLOWS = "abs(CAST(-1e19 - abs({0}) AS INTEGER))"  # the cast gives -2**63, whose abs() is no 64-bit integer
COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


class _IntegerSum:
    """The sum of whole numbers, as text: it may leave SQLite's 64 bits."""

    def __init__(self) -> None:
        self._total: int | None = None

    def step(self, value: int | None) -> None:
        if value is not None:
            self._total = (self._total or 0) + value

    def finalize(self) -> Any:
        return None if self._total is None else str(self._total)


class _DoubleSum:
    """The sum of doubles in units of 2**-1074, as hexadecimal text: it may have thousands of bits."""

    def __init__(self) -> None:
        self._total: int | None = None

    def step(self, value: float | None) -> None:
        if value is not None:
            if math.isinf(value):
                raise ValueError("infinity")  # an OverflowError would come out as another error of SQLite's
            numerator, denominator = value.as_integer_ratio()  # the denominator is a power of two
            self._total = (self._total or 0) + (numerator << DOUBLE_BITS + 1 - denominator.bit_length())

    def finalize(self) -> Any:
        return None if self._total is None else hex(self._total)


def register(db: sqlite3.Connection) -> None:
    """Give a connection the aggregates that the statements use."""
    db.create_aggregate("sum_integers", 1, _IntegerSum)
    db.create_aggregate("sum_doubles", 1, _DoubleSum)


def statement(selection: Selection, *, wide: bool = False) -> tuple[str, list[Any]]:
    """The SQL of a selection with its parameters; it gives what `group` takes.

    Args:
        selection: What to ask.
        wide: Let sums of whole numbers leave 64 bits, which is slower; SQLite raises an overflow otherwise.
    """
    groups = [quoted(column) for column in selection.group_by]
    sums = [part for aggregate in selection.aggregates for part in _parts(aggregate, selection.types, wide=wide)]
    clauses = [f"SELECT {', '.join(groups + sums)} FROM {quoted(selection.table)}"]
    if selection.conditions:
        clauses.append("WHERE " + " AND ".join(map(_condition, selection.conditions)))
    if groups:
        clauses.append(f"GROUP BY {', '.join(groups)}")
    operands = [operand for condition in selection.conditions for operand in condition.operands]
    return " ".join(clauses), operands


def group(row: tuple[Any, ...], selection: Selection) -> Group:
    """A row of the statement as a group."""
    types = selection.types
    key = tuple(_value(value, types[name]) for name, value in zip(selection.group_by, row, strict=False))
    parts = iter(row[len(key) :])
    return Group(key, tuple(_partial(aggregate, parts, types) for aggregate in selection.aggregates))


def _parts(aggregate: Aggregate, types: Mapping[str, Type], *, wide: bool = False) -> list[str]:
    if aggregate.column is None:
        return ["count(*)"]
    column = quoted(aggregate.column)
    if aggregate.function not in ("sum", "avg"):
        return [f"{aggregate.function}({column})"]
    return [_sum(column, types[aggregate.column], wide=wide), f"count({column})"]


def _sum(column: str, kind: Type, *, wide: bool) -> str:
    if kind.kind == "double":
        return f"sum_doubles({column})" if wide else _sums_of_words(column)
    whole = f"CAST(round({column} * 1e{kind.scale}) AS INTEGER)" if kind.kind == "decimal" else column
    return f"sum_integers({whole})" if wide else f"sum({whole})"


def _sums_of_words(column: str) -> str:
    """The sums of the doubles' high, middle and low words, apart by blanks; null without a value."""
    upper, mask = f"CAST({column} * {float(1 << 2 * WORD)} AS INTEGER)", (1 << WORD) - 1
    rest = f"({column} * {float(1 << 2 * WORD)} - {upper}) * {float(1 << WORD)}"
    odd = f"abs({column}) >= {LARGEST} OR ({column} <> 0 AND abs({column}) < {SMALLEST})"
    high = f"CASE WHEN {odd} THEN {OVERFLOWS.format(column)} ELSE {upper} >> {WORD} END"
    return f"sum({high}) || ' ' || sum({upper} & {mask}) || ' ' || sum(CAST({rest} AS INTEGER))"


def _partial(aggregate: Aggregate, parts: Any, types: Mapping[str, Type]) -> Partial:
    """A partial aggregate from the values that the statement gave for it."""
    if aggregate.function == "count" or aggregate.column is None:
        return Partial(next(parts))
    kind = types[aggregate.column]
    if aggregate.function in ("min", "max"):
        return Partial(0, _value(next(parts), kind))
    total, count = next(parts), next(parts)
    return Partial(count, None if total is None else _total(total, kind))


def _total(total: int | str, kind: Type) -> int:
    """A sum in units."""
    if kind.kind != "double":
        return int(total)
    if " " not in str(total):
        return int(str(total), 16)
    high, middle, low = map(int, str(total).split(" "))
    return ((((high << WORD) + middle) << WORD) + low) << DOUBLE_BITS - 3 * WORD


def _value(value: Any, kind: Type) -> Any:
    """A stored value as what it stands for."""
    if value is None or kind.kind != "decimal":
        return value
    return Decimal(f"{round(value * 10**kind.scale)}e-{kind.scale}")


def _condition(condition: Condition) -> str:
    column = quoted(condition.column)
    if condition.op == "is_null":
        return f"{column} IS NULL"
    if condition.op == "between":
        return f"{column} BETWEEN ? AND ?"
    if condition.op == "in":
        return f"{column} IN ({', '.join('?' * len(condition.operands))})"
    return f"{column} {COMPARISONS[condition.op]} ?"
