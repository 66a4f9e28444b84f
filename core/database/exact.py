"""Aggregates that do not depend on the order of the rows, on threads or on the library's version.

SQL sums whole numbers only: amounts as cents, doubles as three numbers of 26 bits and more that together hold all
of their bits. Where that leaves 64 bits SQLite says "integer overflow", and slower aggregates of our own take over.
The quotient of two exact numbers is then the double nearest to the exact average.
"""

import math
import sqlite3
from array import array
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from core.database import Aggregate, Condition, Selection
from core.datasets.record import ColumnType
from core.engine import name as quoted

CENTS = 100
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
    """The sum of doubles as an exact fraction, in text: its nearest double and, with all its own bits, the rest."""

    def __init__(self) -> None:
        self._values = array("d")

    def step(self, value: float | None) -> None:
        if value is not None:
            self._values.append(value)

    def finalize(self) -> Any:
        total = math.fsum(self._values)
        self._values.append(-total)
        return str(Fraction(total) + Fraction(math.fsum(self._values)))


def register(db: sqlite3.Connection) -> None:
    """Give a connection the aggregates that the statements use."""
    db.create_aggregate("sum_integers", 1, _IntegerSum)
    db.create_aggregate("sum_doubles", 1, _DoubleSum)


def statement(selection: Selection, types: Mapping[str, ColumnType], *, wide: bool = False) -> tuple[str, list[Any]]:
    """The SQL of a selection with its parameters; it gives what `finished` takes.

    Args:
        selection: What to ask.
        types: The table's columns.
        wide: Let sums of whole numbers leave 64 bits, which is slower; SQLite raises an overflow otherwise.
    """
    groups = [quoted(column) for column in selection.group_by]
    sums = [part for aggregate in selection.aggregates for part in _parts(aggregate, types, wide=wide)]
    clauses = [f"SELECT {', '.join(groups + sums)} FROM {quoted(selection.table)}"]
    if selection.conditions:
        clauses.append("WHERE " + " AND ".join(map(_condition, selection.conditions)))
    if groups:
        clauses.append(f"GROUP BY {', '.join(groups)} ORDER BY {', '.join(groups)}")
    operands = [operand for condition in selection.conditions for operand in condition.operands]
    return " ".join(clauses), operands


def finished(row: tuple[Any, ...], selection: Selection, types: Mapping[str, ColumnType]) -> tuple[Any, ...]:
    """A row of the statement as the values that were asked for."""
    groups = [_value(value, types[name]) for name, value in zip(selection.group_by, row, strict=False)]
    parts = iter(row[len(groups) :])
    values = []
    for aggregate in selection.aggregates:
        own = [next(parts) for _ in _parts(aggregate, types)]
        values.append(_finish(aggregate, own, types))
    return (*groups, *values)


def _parts(aggregate: Aggregate, types: Mapping[str, ColumnType], *, wide: bool = False) -> list[str]:
    if aggregate.column is None:
        return ["count(*)"]
    column = quoted(aggregate.column)
    if aggregate.function not in ("sum", "avg"):
        return [f"{aggregate.function}({column})"]
    return [_sum(column, types[aggregate.column], wide=wide), f"count({column})"]


def _sum(column: str, kind: ColumnType, *, wide: bool) -> str:
    if kind == "double":
        return f"sum_doubles({column})" if wide else _sums_of_words(column)
    whole = f"CAST(round({column} * {CENTS}) AS INTEGER)" if kind == "decimal" else column
    return f"sum_integers({whole})" if wide else f"sum({whole})"


def _sums_of_words(column: str) -> str:
    """The sums of the doubles' high, middle and low words, apart by blanks; null without a value."""
    upper, mask = f"CAST({column} * {float(1 << 2 * WORD)} AS INTEGER)", (1 << WORD) - 1
    rest = f"({column} * {float(1 << 2 * WORD)} - {upper}) * {float(1 << WORD)}"
    odd = f"abs({column}) >= {LARGEST} OR ({column} <> 0 AND abs({column}) < {SMALLEST})"
    high = f"CASE WHEN {odd} THEN {OVERFLOWS.format(column)} ELSE {upper} >> {WORD} END"
    return f"sum({high}) || ' ' || sum({upper} & {mask}) || ' ' || sum(CAST({rest} AS INTEGER))"


def _fraction(total: int | str, kind: ColumnType) -> Fraction:
    """An exact sum from what the statement gave for it."""
    if kind == "decimal":
        return Fraction(total) / CENTS
    if kind == "double" and " " in str(total):
        high, middle, low = map(int, str(total).split(" "))
        return Fraction((((high << WORD) + middle) << WORD) + low, 1 << 3 * WORD)
    return Fraction(total)


def _finish(aggregate: Aggregate, parts: list[Any], types: Mapping[str, ColumnType]) -> Any:
    if aggregate.column is None or aggregate.function == "count":
        return parts[0]
    kind = types[aggregate.column]
    if aggregate.function in ("min", "max"):
        return _value(parts[0], kind)
    total, count = parts
    if not count:
        return None
    if aggregate.function == "avg":
        return float(_fraction(total, kind) / count)
    if kind == "double":
        return float(_fraction(total, kind))
    return Decimal(total).scaleb(-2) if kind == "decimal" else int(total)


def _value(value: Any, kind: ColumnType) -> Any:
    """A stored value as what it stands for."""
    if value is None or kind != "decimal":
        return value
    return Decimal(round(value * CENTS)).scaleb(-2)


def _condition(condition: Condition) -> str:
    column = quoted(condition.column)
    if condition.op == "is_null":
        return f"{column} IS NULL"
    if condition.op == "between":
        return f"{column} BETWEEN ? AND ?"
    if condition.op == "in":
        return f"{column} IN ({', '.join('?' * len(condition.operands))})"
    return f"{column} {COMPARISONS[condition.op]} ?"
