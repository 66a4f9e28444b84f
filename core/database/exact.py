"""Aggregates that do not depend on the order of the rows, on threads or on the library's version.

SQL sums only integers here: amounts in cents, doubles in units of 2**-26 and what is left of them in units of
2**-52. The quotient of two integers is then the double nearest to the exact average.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.database import Aggregate, Condition, Selection
from core.datasets.record import ColumnType
from core.engine import name as quoted

UNIT = 1 << 26
CENTS = 100
COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}


def statement(selection: Selection, types: Mapping[str, ColumnType]) -> tuple[str, list[Any]]:
    """The SQL of a selection with its parameters; it gives what `finished` takes."""
    groups = [quoted(column) for column in selection.group_by]
    sums = [part for aggregate in selection.aggregates for part in _parts(aggregate, types)]
    clauses = [f"SELECT {', '.join(groups + sums)} FROM {quoted(selection.table)}"]
    if selection.conditions:
        clauses.append("WHERE " + " AND ".join(map(_condition, selection.conditions)))
    if groups:
        clauses.append(f"GROUP BY {', '.join(groups)} ORDER BY {', '.join(groups)}")
    operands = [operand for condition in selection.conditions for operand in condition.operands]
    return " ".join(clauses), operands


def finished(row: tuple[Any, ...], selection: Selection, types: Mapping[str, ColumnType]) -> tuple[Any, ...]:
    """A row of the statement as the values that were asked for."""
    split = len(selection.group_by)
    groups = [_value(value, types[name]) for name, value in zip(selection.group_by, row, strict=False)]
    parts = iter(row[split:])
    values = []
    for aggregate in selection.aggregates:
        own = [next(parts) for _ in _parts(aggregate, types)]
        values.append(_finish(aggregate, own, types))
    return (*groups, *values)


def _parts(aggregate: Aggregate, types: Mapping[str, ColumnType]) -> list[str]:
    if aggregate.column is None:
        return ["count(*)"]
    column = quoted(aggregate.column)
    if aggregate.function not in ("sum", "avg"):
        return [f"{aggregate.function}({column})"]
    return [*(f"sum({part})" for part in _integers(column, types[aggregate.column])), f"count({column})"]


def _integers(column: str, kind: ColumnType) -> list[str]:
    """Expressions that hold a column's value as whole numbers of falling units."""
    if kind == "decimal":
        return [f"CAST(round({column} * {CENTS}) AS INTEGER)"]
    if kind == "double":
        units = f"CAST({column} * {UNIT}.0 AS INTEGER)"
        return [units, f"CAST(round(({column} * {UNIT}.0 - {units}) * {UNIT}.0) AS INTEGER)"]
    return [column]


def _finish(aggregate: Aggregate, parts: list[Any], types: Mapping[str, ColumnType]) -> Any:
    if aggregate.column is None or aggregate.function == "count":
        return parts[0]
    kind = types[aggregate.column]
    if aggregate.function in ("min", "max"):
        return _value(parts[0], kind)
    *sums, count = parts
    if not count:
        return None
    total, unit = _total(sums, kind)
    if aggregate.function == "avg":
        return total / (unit * count)
    return Decimal(total).scaleb(-2) if kind == "decimal" else total if unit == 1 else total / unit


def _total(sums: list[int], kind: ColumnType) -> tuple[int, int]:
    """A sum as a whole number of 1/unit."""
    if kind == "double":
        return sums[0] * UNIT + sums[1], UNIT * UNIT
    return sums[0], CENTS if kind == "decimal" else 1


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
