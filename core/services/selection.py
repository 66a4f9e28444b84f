"""From what a request asks to what a database is asked: every name is known, every value is of its column's type."""

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, TypeAlias, get_args

import msgspec

from core.database import Condition, Selection
from core.database.answer import Question, Rank
from core.database.partial import Aggregate
from core.datasets.grammar import ISO_DATE, ISO_TIMESTAMP, Type, expected, pattern
from core.datasets.record import Filter, Function, Metric, Op, Order, Scalar
from core.errors import Fault, RequestError

BETWEEN = 2
LARGEST_DOUBLE = sys.float_info.max
LARGEST_INTEGER = 10**18 - 1  # as many digits as a column of whole numbers may hold
MONTH_FIRST = Type("date", format="M/D/YYYY")
FUNCTIONS = get_args(Function)
# What every database takes with ease: the engine joins each long list and knows up to 64 columns by their sets.
MOST_GROUPS = 60
MOST_FILTERS = 100
MOST_VALUES = 10_000
MOST_AGGREGATES = 500

# A text, so that the message to one that is unknown can say why it is.
FunctionName: TypeAlias = Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(FUNCTIONS)})]
Types: TypeAlias = Mapping[str, Type]


class AggregateRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One aggregate.

    Attributes:
        function: What to compute: sum, avg, min, max or count.
        column: Over which column; left out, "count" counts rows.
        name: Its name in the result rows, "as" in JSON; "sum(Units Sold)" and the like when left out.
    """

    function: FunctionName
    column: str | None = None
    name: str | None = msgspec.field(default=None, name="as")


class Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One query in full; see `core.services.query.QueryRequest` for the fields.

    Attributes:
        name: Its name in the answer; its place in the request when left out.
    """

    name: str | None = None
    group_by: list[str] = []
    filters: dict[str, Scalar] | list[Filter] = {}
    aggregates: list[AggregateRequest] | None = None
    order_by: list[str | Order] = []
    limit: Annotated[int, msgspec.Meta(ge=1)] | None = None


def question(asked: Asked, types: Types, metrics: Sequence[Metric], table: str, path: str) -> Question:
    """What to ask the databases.

    Args:
        asked: What the request asks.
        types: The table's columns.
        metrics: The aggregates of a request that names none.
        table: The table's name.
        path: JSON path of what is asked, for messages.

    Raises:
        RequestError: A name is unknown, or a value does not fit its column.
    """
    _check_sizes(asked, path)
    named = _named_aggregates(asked.aggregates, metrics, types, path)
    selection = Selection(
        table=table,
        types=types,
        group_by=tuple(_groups(asked.group_by, types, path)),
        conditions=tuple(_conditions(asked.filters, types, path)),
        aggregates=tuple(named.values()),
    )
    names = _distinct([*asked.group_by, *named], f"{path}.aggregates")
    return Question(selection, tuple(names), _order(asked, names, path), asked.limit)


def _check_sizes(asked: Asked, path: str) -> None:
    listed = asked.filters if isinstance(asked.filters, list) else []
    values = sum(len(each.value) for each in listed if isinstance(each.value, list))
    sizes = (
        ("group_by", "columns to group by", len(asked.group_by), MOST_GROUPS),
        ("filters", "filters", len(asked.filters), MOST_FILTERS),
        ("filters", "values in filters", values, MOST_VALUES),
        ("aggregates", "aggregates", len(asked.aggregates or []), MOST_AGGREGATES),
    )
    for field, what, size, most in sizes:
        if size > most:
            raise _wrong(f"{path}.{field}", f"there are {size:,} {what}: give at most {most:,}")


def _groups(group_by: list[str], types: Types, path: str) -> Iterable[str]:
    for index, column in enumerate(group_by):
        _known(column, types, f"{path}.group_by[{index}]")
        yield column


def _named_aggregates(
    asked: list[AggregateRequest] | None, metrics: Sequence[Metric], types: Types, path: str
) -> dict[str, Aggregate]:
    if asked is None:
        return _metrics(metrics, types, path)
    if not asked:
        raise _wrong(f"{path}.aggregates", "the list is empty: leave it out for the dataset's own metrics")
    named = [_aggregate(each, types, f"{path}.aggregates[{index}]") for index, each in enumerate(asked)]
    _distinct([name for name, _ in named], f"{path}.aggregates")
    return dict(named)


def _metrics(metrics: Sequence[Metric], types: Types, path: str) -> dict[str, Aggregate]:
    if not metrics:
        raise _wrong(f"{path}.aggregates", "the dataset has no metrics: say what to compute")
    for metric in metrics:
        if metric.column is not None:
            _known(metric.column, types, f"{path}.table")
    return {metric.name: Aggregate(metric.function, metric.column) for metric in metrics}


def _aggregate(asked: AggregateRequest, types: Types, path: str) -> tuple[str, Aggregate]:
    function = _function(asked.function, f"{path}.function")
    if asked.column is None and function != "count":
        raise _wrong(path, f"{function} needs a column: only count does without")
    if asked.column is not None:
        kind = _known(asked.column, types, f"{path}.column").kind
        if function in ("sum", "avg") and kind in ("text", "date", "timestamp"):
            detail = f'{function} of "{asked.column}", a {kind}, has no meaning: use min, max or count'
            raise _wrong(path, detail)
    return asked.name or f"{function}({asked.column or '*'})", Aggregate(function, asked.column)


def _function(asked: str, path: str) -> Function:
    for function in FUNCTIONS:
        if function == asked:
            return function  # type: ignore[no-any-return]  # get_args forgets that they are its own
    why = "answers must merge from parts of a table, and such a one does not"
    raise _wrong(path, f'there is no function "{asked}" ({why}): use one of {", ".join(FUNCTIONS)}')


def _distinct(names: list[str], path: str) -> list[str]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _wrong(path, f'the result would have "{twice[0]}" twice: rename one with "as"')
    return names


def _order(asked: Asked, names: list[str], path: str) -> tuple[Rank, ...]:
    """The criteria that were asked for, then the group's columns in their order: no two rows are equal by these."""
    ranks = []
    for index, item in enumerate(asked.order_by):
        order = Order(by=item) if isinstance(item, str) else item
        if order.by not in names:
            raise _wrong(f"{path}.order_by[{index}]", unknown("column or aggregate of the result", order.by, names))
        ranks.append(Rank(names.index(order.by), order.descending))
    return (*ranks, *(Rank(position, False) for position in range(len(asked.group_by))))


def _conditions(filters: dict[str, Scalar] | list[Filter], types: Types, path: str) -> Iterable[Condition]:
    if isinstance(filters, dict):
        for column, value in filters.items():
            op: Op = "is_null" if value is None else "eq"
            item = Filter(column=column, op=op, value=value)
            yield _condition(item, types, f"{path}.filters", f"{path}.filters.{column}")
    else:
        for index, item in enumerate(filters):
            place = f"{path}.filters[{index}]"
            yield _condition(item, types, f"{place}.column", f"{place}.value")


def _condition(item: Filter, types: Types, column_path: str, path: str) -> Condition:
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


def _operand(value: Scalar, kind: Type, column: str, path: str) -> str | int | float:
    """A value as its column holds it."""
    found: str | int | float | None = None
    if kind.kind in ("integer", "decimal", "double"):
        found = _number(value, kind)
    elif isinstance(value, str):
        found = value if kind.kind == "text" else _moment(value, kind)
    if found is None:
        raise _wrong(path, f'{value!r} does not fit "{column}": it takes {_wanted(kind)}')
    return found


def _wanted(kind: Type) -> str:
    if kind.kind == "date":
        return f"{expected(MONTH_FIRST)} or 2010-05-28"
    iso = ISO_TIMESTAMP if kind.kind == "timestamp" else ISO_DATE
    return expected(Type(kind.kind, precision=kind.precision, scale=kind.scale, format=iso))


def _number(value: Scalar, kind: Type) -> int | float | None:
    if isinstance(value, str):
        if not value or not re.fullmatch(pattern(kind), value):
            return None
        value = int(value) if kind.kind == "integer" else float(value)
    if value is None or not -LARGEST_DOUBLE <= value <= LARGEST_DOUBLE:  # a NaN is neither
        return None
    if kind.kind != "integer":
        return float(value)
    return int(value) if value == int(value) and abs(value) <= LARGEST_INTEGER else None


def _moment(value: str, kind: Type) -> str | None:
    """A date or a time in ISO form; a date may be written month first as well."""
    try:
        if kind.kind == "timestamp":
            found = datetime.fromisoformat(value)
            return None if found.tzinfo else found.isoformat(sep=" ", timespec="seconds")
        if not re.fullmatch(pattern(MONTH_FIRST), value):
            return date.fromisoformat(value).isoformat()
        month, day, year = map(int, value.split("/"))
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _known(column: str, types: Types, path: str) -> Type:
    if column not in types:
        raise _wrong(path, unknown("column", column, types))
    return types[column]


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """Says that a name is unknown: the nearest known one, and all of them."""
    import difflib

    names = list(known)
    if not names:
        return f'there is no {what} "{name}"'
    near = difflib.get_close_matches(name, names, n=1)
    listed = ", ".join(f'"{each}"' for each in names)
    return (
        f'there is no {what} "{name}": ' + (f'did you mean "{near[0]}"? Else ' if near else "") + f"use one of {listed}"
    )


def _wrong(path: str, detail: str) -> RequestError:
    return RequestError(f"the request to query is wrong at {path}: {detail}", [Fault(path=path, detail=detail)])
