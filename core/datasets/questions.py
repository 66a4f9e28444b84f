"""Metrics and named queries, as a dataset's document writes them."""

from typing import cast, get_args

from core.datasets.formulas import NUMBERS, Types, column
from core.datasets.node import Node, cure
from core.datasets.record import Filter, Function, Metric, NamedQuery, Op, Order, Scalar

QUERY = ("group_by", "filters", "aggregates", "order_by", "limit")
BOUNDS = 2


def metrics(node: Node, types: Types) -> tuple[Metric, ...]:
    """The aggregates of a table: "count", or { function = "Column" }, by their names.

    Args:
        node: The table.
        types: The types of the output's columns.

    Raises:
        MistakeError: One of them is wrong.
    """
    return tuple(_metric(name, each, types) for name, each in node.table().items())


def _metric(name: str, node: Node, types: Types) -> Metric:
    if not name or "\0" in name:
        raise node.wrong("an aggregate needs a name of letters that can be seen")
    if node.is_text():
        if node.text() != "count":
            raise node.wrong(f'{node.text()!r} is no aggregate: write "count", or {{ sum = "Column" }}')
        return Metric(name, "count")
    fields = node.fields(get_args(Function))
    if len(fields) != 1:
        raise node.wrong('an aggregate is one function of one column: write { sum = "Column" }')
    function, of = next(iter(fields.items()))
    kinds = NUMBERS if function in ("sum", "avg") else ()
    return Metric(name, cast("Function", function), column(of, types, kinds))


def queries(node: Node, types: Types, default: tuple[Metric, ...]) -> tuple[NamedQuery, ...]:
    """The named queries of a table.

    Args:
        node: The table.
        types: The types of the output's columns.
        default: The aggregates of a query that names none.

    Raises:
        MistakeError: One of them is wrong.
    """
    return tuple(_query(name, each, types, default) for name, each in node.table().items())


def _query(name: str, node: Node, types: Types, default: tuple[Metric, ...]) -> NamedQuery:
    if not name:
        raise node.wrong("a query needs a name")
    fields = node.fields(QUERY)
    grouped = tuple(column(each, types) for each in fields["group_by"].items()) if "group_by" in fields else ()
    aggregates = metrics(fields["aggregates"], types) if "aggregates" in fields else ()
    results = [*grouped, *(each.name for each in aggregates or default)]
    if not results:
        raise node.wrong("a query needs an aggregate, since the dataset has no metrics: add aggregates")
    if len(set(results)) < len(results):
        raise node.wrong("two columns of the result have one name: rename an aggregate, or group by a column once")
    return NamedQuery(
        name=name,
        group_by=grouped,
        filters=tuple(_filter(each, types) for each in fields["filters"].items()) if "filters" in fields else (),
        aggregates=aggregates,
        order_by=tuple(_order(each, results) for each in fields["order_by"].items()) if "order_by" in fields else (),
        limit=_limit(fields["limit"]) if "limit" in fields else None,
    )


def _order(node: Node, results: list[str]) -> Order:
    fields = {"by": node} if node.is_text() else node.fields(("by", "descending"), ("by",))
    by = fields["by"].text()
    if by not in results:
        raise fields["by"].wrong(f"the result has no column {by!r}{cure(by, results)}")
    return Order(by=by, descending=fields["descending"].flag() if "descending" in fields else False)


def _limit(node: Node) -> int:
    if node.whole() < 1:
        raise node.wrong(f"a limit of {node.whole()} leaves no row: write 1 or more, or leave it out")
    return node.whole()


def _filter(node: Node, types: Types) -> Filter:
    fields = node.fields(("column", "op", "value"), ("column",))
    op = fields["op"].text() if "op" in fields else "eq"
    if op not in get_args(Op):
        raise fields["op"].wrong(f"there is no op {op!r}{cure(op, get_args(Op))}")
    name = column(fields["column"], types)
    value = _value(cast("Op", op), fields.get("value"), node, types[name].kind)
    return Filter(column=name, op=cast("Op", op), value=value)


def _value(op: Op, value: Node | None, node: Node, kind: str) -> Scalar | list[Scalar]:
    if op == "is_null":
        if value is not None:
            raise value.wrong("is_null compares with nothing: take the value away")
        return None
    if value is None:
        raise node.wrong(f"{op} needs a value to compare with: add value = ..., or use is_null")
    if op not in ("in", "between"):
        return _scalar(value, kind)
    values = [_scalar(each, kind) for each in value.items()]
    if not values or (op == "between" and len(values) != BOUNDS):
        raise value.wrong(f"{op} takes {'two values' if op == 'between' else 'one or more values'}: write [ ..., ... ]")
    return list(values)


def _scalar(node: Node, kind: str) -> str | int | float:
    """A value that the column's can be compared with: a number with a number, all else with a text."""
    if kind not in NUMBERS:
        return node.text()
    number = node.number()
    return int(number) if number.removeprefix("-").isdigit() else float(number)
