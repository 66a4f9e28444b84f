"""Service 3: aggregates over a loaded table, grouped and filtered."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal, TypeAlias

import msgspec

from core import database
from core.database import Aggregate, Condition, Selection
from core.datasets import dataset
from core.datasets.record import EXPECTED, GRAMMAR, ColumnType, Function, Metric
from core.errors import Fault, RequestError
from core.profiler import span
from core.service import Service

Scalar: TypeAlias = str | int | float | None
Op: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "between", "is_null"]
BETWEEN = 2
LARGEST_DOUBLE = sys.float_info.max
LARGEST_INTEGER = 10**18 - 1  # as many digits as a column of whole numbers may hold


class Filter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on one column.

    Attributes:
        column: The column's name.
        op: How to compare.
        value: What to compare with: a list for "in", two values for "between", nothing for "is_null".
    """

    column: str
    op: Op = "eq"
    value: Scalar | list[Scalar] = None


class AggregateRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One aggregate.

    Attributes:
        function: What to compute.
        column: Over which column; left out, "count" counts rows.
        name: Its name in the result rows, "as" in JSON; "sum(Units Sold)" and the like when left out.
    """

    function: Function
    column: str | None = None
    name: str | None = msgspec.field(default=None, name="as")


class QueryRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to ask.

    Attributes:
        database: URL of the database.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset, whose metrics are the default aggregates.
        group_by: Columns to group and order by; none gives one row.
        filters: `{"Region": "Asia"}` for equality (null for "is null"), or a list of filters; all must hold.
        aggregates: What to compute for each group; the dataset's metrics when left out.
    """

    database: str
    table: str | None = None
    dataset: str = "sales"
    group_by: list[str] = []
    filters: dict[str, Scalar] | list[Filter] = {}
    aggregates: list[AggregateRequest] | None = None


class QueryResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer.

    Attributes:
        rows: An object a group: the group's columns, then the aggregates, by name. Amounts are exact.
        row_count: Number of rows.
    """

    rows: list[dict[str, Any]]
    row_count: int


def run(request: QueryRequest) -> QueryResult:
    """Compute the aggregates.

    Raises:
        NotFoundError: There is no such database or table.
        RequestError: A column is unknown, or a value does not fit its column.
    """
    records = dataset(request.dataset)
    target = database.connect(request.database)
    table = request.table or records.name
    with span("inspect"):
        types = target.columns(table)
    named = _named_aggregates(request.aggregates, records.metrics, types)
    selection = Selection(
        table=table,
        group_by=tuple(_groups(request.group_by, types)),
        conditions=tuple(_conditions(request.filters, types)),
        aggregates=tuple(named.values()),
    )
    names = _distinct([*request.group_by, *named])
    with span("select"):
        rows = [dict(zip(names, row, strict=True)) for row in target.select(selection)]
    return QueryResult(rows=rows, row_count=len(rows))


def _groups(group_by: list[str], types: Mapping[str, ColumnType]) -> Iterable[str]:
    for index, column in enumerate(group_by):
        _known(column, types, f"$.group_by[{index}]")
        yield column


def _named_aggregates(
    asked: list[AggregateRequest] | None, metrics: Sequence[Metric], types: Mapping[str, ColumnType]
) -> dict[str, Aggregate]:
    if asked is None:
        return {metric.name: _metric(metric, types) for metric in metrics}
    if not asked:
        raise _wrong("$.aggregates", "the list is empty: leave it out for the dataset's own metrics")
    named = [_aggregate(request, types, f"$.aggregates[{index}]") for index, request in enumerate(asked)]
    _distinct([name for name, _ in named])
    return dict(named)


def _metric(metric: Metric, types: Mapping[str, ColumnType]) -> Aggregate:
    _known(metric.column, types, "$.table")
    return Aggregate(metric.function, metric.column)


def _aggregate(asked: AggregateRequest, types: Mapping[str, ColumnType], path: str) -> tuple[str, Aggregate]:
    if asked.column is None and asked.function != "count":
        raise _wrong(path, f"{asked.function} needs a column: only count does without")
    if asked.column is not None:
        kind = _known(asked.column, types, f"{path}.column")
        if asked.function in ("sum", "avg") and kind in ("text", "date"):
            detail = f'{asked.function} of "{asked.column}", a {kind}, has no meaning: use min, max or count'
            raise _wrong(path, detail)
    name = asked.name or f"{asked.function}({asked.column or '*'})"
    return name, Aggregate(asked.function, asked.column)


def _distinct(names: list[str]) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _wrong("$.aggregates", f'the result would have "{twice[0]}" twice: rename one with "as"')
    return names


def _conditions(filters: dict[str, Scalar] | list[Filter], types: Mapping[str, ColumnType]) -> Iterable[Condition]:
    if isinstance(filters, dict):
        for column, value in filters.items():
            op: Op = "is_null" if value is None else "eq"
            yield _condition(Filter(column=column, op=op, value=value), types, "$.filters", f"$.filters.{column}")
    else:
        for index, item in enumerate(filters):
            path = f"$.filters[{index}]"
            yield _condition(item, types, f"{path}.column", f"{path}.value")


def _condition(item: Filter, types: Mapping[str, ColumnType], column_path: str, path: str) -> Condition:
    kind = _known(item.column, types, column_path)
    operands = _operands(item, path)
    values = tuple(_operand(value, kind, item.column, path) for value in operands)
    return Condition(item.column, item.op, values)


def _operands(item: Filter, path: str) -> Sequence[Scalar]:
    listed = item.value if isinstance(item.value, list) else None
    if item.op == "is_null":
        if item.value is not None:
            raise _wrong(path, "is_null takes no value")
        return []
    if item.op == "in" and not listed:
        raise _wrong(path, "in takes a list of at least one value")
    if item.op == "between" and (listed is None or len(listed) != BETWEEN):
        raise _wrong(path, "between takes a list of two values")
    if item.op not in ("in", "between") and listed is not None:
        raise _wrong(path, f"{item.op} takes one value, not a list")
    return [item.value] if listed is None else listed  # type: ignore[list-item]  # a list is in `listed`


def _operand(value: Scalar, kind: ColumnType, column: str, path: str) -> str | int | float:
    """A value as its column holds it."""
    if kind == "text" and isinstance(value, str):
        return value
    if kind == "date" and isinstance(value, str) and (day := _day(value)):
        return day.isoformat()
    if kind in ("integer", "decimal", "double") and (number := _number(value, kind)) is not None:
        return number
    expected = EXPECTED.get(kind, "a text") if kind != "date" else f"{EXPECTED[kind]} or 2010-05-28"
    raise _wrong(path, f'{value!r} does not fit "{column}": it takes {expected}')


def _number(value: Scalar, kind: ColumnType) -> int | float | None:
    if isinstance(value, str):
        if not value or not re.fullmatch(GRAMMAR[kind], value):
            return None
        value = int(value) if kind == "integer" else float(value)
    if value is None or not -LARGEST_DOUBLE <= value <= LARGEST_DOUBLE:  # a NaN is neither
        return None
    if kind != "integer":
        return float(value)
    return int(value) if value == int(value) and abs(value) <= LARGEST_INTEGER else None


def _day(value: str) -> date | None:
    try:
        if re.fullmatch(GRAMMAR["date"], value):
            month, day, year = map(int, value.split("/"))
            return date(year, month, day)
        return date.fromisoformat(value)
    except ValueError:
        return None


def _known(column: str, types: Mapping[str, ColumnType], path: str) -> ColumnType:
    if column not in types:
        known = ", ".join(f'"{name}"' for name in types)
        raise _wrong(path, f'there is no column "{column}": use one of {known}')
    return types[column]


def _wrong(path: str, detail: str) -> RequestError:
    return RequestError(f"the request to query is wrong at {path}: {detail}", [Fault(path=path, detail=detail)])


SERVICE = Service(name="query", request=QueryRequest, run=run)
