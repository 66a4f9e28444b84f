"""Partial aggregates: what each part of a table tells, so that all parts together tell the exact whole.

A sum is a whole number of units (1 of an integer, a cent of an amount of two places, 2**-1074 of a double, of which
every double is a multiple), so adding is exact and its order does not matter. An average is a sum and a count until
the end, when the quotient of the two whole numbers is rounded once.
"""

from decimal import Decimal
from typing import Any

import msgspec

from core.datasets.grammar import Type
from core.datasets.record import Function
from core.errors import DataError

# The smallest double above zero is 2**-1074.
DOUBLE_BITS = 1074


class Aggregate(msgspec.Struct, frozen=True):
    """One aggregate over a column, or over whole rows where column is None (count)."""

    function: Function
    column: str | None


class Partial(msgspec.Struct, frozen=True):
    """An aggregate over some of the rows.

    Attributes:
        count: How many rows (count) or values (sum, avg) there are.
        value: The sum in units, or the least or greatest value; None where there is none.
    """

    count: int = 0
    value: Any = None


EMPTY = Partial()


class Group(msgspec.Struct, frozen=True):
    """A group of some of the rows: the values they share, and a partial aggregate for each that is asked for."""

    key: tuple[Any, ...]
    partials: tuple[Partial, ...]


def merged(function: Function, left: Partial, right: Partial) -> Partial:
    """The aggregate over the rows of both; associative, commutative, and `EMPTY` changes nothing."""
    if left.value is None or right.value is None:
        value = right.value if left.value is None else left.value
    elif function in ("min", "max"):
        value = (min if function == "min" else max)(left.value, right.value)
    else:
        value = left.value + right.value
    return Partial(left.count + right.count, value)


def finished(aggregate: Aggregate, partial: Partial, kind: Type) -> Any:
    """What the aggregate over all rows is: int, Decimal, float, text, or None where there is no value.

    Args:
        aggregate: What was asked.
        partial: Over all rows.
        kind: The column's type; of no account where it counts rows.

    Raises:
        DataError: A sum of doubles is beyond their range.
    """
    if aggregate.function == "count":
        return partial.count
    if aggregate.function in ("min", "max") or partial.value is None:
        return partial.value
    if aggregate.function == "avg":
        return partial.value / (partial.count * units(kind))
    return _sum(aggregate, partial.value, kind)


def _sum(aggregate: Aggregate, total: int, kind: Type) -> int | Decimal | float:
    if kind.kind == "integer":
        return total
    if kind.kind == "decimal":
        return Decimal(f"{total}e-{kind.scale}")  # exact, where scaleb() would round to the context's digits
    try:
        return total / units(kind)
    except OverflowError as error:
        raise DataError(f'the sum of "{aggregate.column}" is beyond 1.8e308, the largest double') from error


def units(kind: Type) -> int:
    """How many units of a sum make 1."""
    if kind.kind == "double":
        return 1 << DOUBLE_BITS
    return 10**kind.scale if kind.kind == "decimal" else 1
