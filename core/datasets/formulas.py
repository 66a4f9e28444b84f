"""Expressions, as a dataset's document writes them: the name of a column, or a table such as { upper = "Name" }."""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Literal, TypeAlias

from core.datasets import record
from core.datasets.grammar import ISO_DATE, ISO_TIMESTAMP, Type, expected, pattern
from core.datasets.node import Node, cure
from core.datasets.record import Expression, Text

Types: TypeAlias = Mapping[str, Type]

DATES = ("date", "timestamp")
NUMBERS = ("integer", "decimal", "double")
EXACT_NUMBERS = ("integer", "decimal")
# What stands beside an operator's own key.
OPTIONS = {"map": ("values", "otherwise"), "bucket": ("edges", "labels")}
PAIR = 2


def expression(node: Node, types: Types) -> Expression:
    """The expression that a node writes.

    Args:
        node: The name of a column, or a table with one operator.
        types: The types of the input's columns.

    Raises:
        MistakeError: It is none.
    """
    if node.is_text():
        return record.Field(column(node, types))
    operator, fields = _operator(node)
    return OPERATORS[operator](fields[operator], fields, types)


def column(node: Node, types: Types, kinds: tuple[str, ...] = ()) -> str:
    """The name of a column of the input, of one of those kinds if there are any.

    Raises:
        MistakeError: There is none of that name, or it is of another kind.
    """
    name = node.text()
    if name not in types:
        raise node.wrong(f"there is no column {name!r}{cure(name, types)}")
    if kinds and types[name].kind not in kinds:
        raise node.wrong(f"{name!r} is {_a(types[name].kind)}: this takes {' or '.join(map(_a, kinds))}")
    return name


def type_of(found: Expression, types: Types) -> Type:
    """The type of an expression's values."""
    if isinstance(found, record.Field):
        return types[found.column]
    if isinstance(found, record.DaysBetween):
        return Type("integer", optional=types[found.start].optional or types[found.end].optional)
    if isinstance(found, record.Ratio):
        return Type("double", optional=True)
    if isinstance(found, record.DatePart):
        return Type("integer", optional=types[found.column].optional)
    if isinstance(found, record.Iso):
        kind = types[found.column]
        return Type(kind.kind, format=ISO_DATE if kind.kind == "date" else ISO_TIMESTAMP, optional=kind.optional)
    return Type()


def _operator(node: Node) -> tuple[str, dict[str, Node]]:
    """The operator of a table, and its values."""
    fields = node.table()
    known = [key for key in fields if key in OPERATORS]
    if len(known) != 1:
        wrong = next((key for key in fields if key not in OPERATORS), "")
        hint = cure(wrong, OPERATORS) if not known else f": {' and '.join(known)} cannot stand in one table"
        raise node.wrong(f"an expression is the name of a column or one operator{hint}")
    return known[0], node.fields((known[0], *OPTIONS.get(known[0], ())))


def _text(node: Node, types: Types) -> Text:
    found = expression(node, types)
    if isinstance(found, record.DaysBetween | record.Ratio | record.DatePart):
        raise node.wrong("a number cannot stand inside another expression: make it a derived column of its own")
    return found


def _days_between(node: Node, _: dict[str, Node], types: Types) -> Expression:
    start, end = _pair(node, types, DATES)
    return record.DaysBetween(start, end)


def _ratio(node: Node, _: dict[str, Node], types: Types) -> Expression:
    dividend, divisor = _pair(node, types, NUMBERS)
    return record.Ratio(dividend, divisor)


def _pair(node: Node, types: Types, kinds: tuple[str, ...]) -> tuple[str, str]:
    items = node.items()
    if len(items) != PAIR:
        raise node.wrong(f"this takes two columns, and there are {len(items)}: write [first, second]")
    return column(items[0], types, kinds), column(items[1], types, kinds)


def _date_part(part: Literal["year", "month"]) -> "Reader":
    return lambda node, _, types: record.DatePart(part, column(node, types, DATES))


def _iso(node: Node, _: dict[str, Node], types: Types) -> Expression:
    return record.Iso(column(node, types, DATES))


def _upper(node: Node, _: dict[str, Node], types: Types) -> Expression:
    return record.Upper(_text(node, types))


def _trim(node: Node, _: dict[str, Node], types: Types) -> Expression:
    return record.Trim(_text(node, types))


def _constant(node: Node, _: dict[str, Node], __: Types) -> Expression:
    return record.Constant(node.text())


def _concat(node: Node, _: dict[str, Node], types: Types) -> Expression:
    parts = tuple(_text(part, types) for part in node.items())
    if not parts:
        raise node.wrong("there is nothing to put together: name at least one column")
    return record.Concat(parts)


def _map(node: Node, fields: dict[str, Node], types: Types) -> Expression:
    of = _text(node, types)
    if "values" not in fields:
        raise node.wrong('a map needs its values: add values = { old = "new" }')
    values = {old: new.text() for old, new in fields["values"].table().items()}
    if not values or any("\0" in old for old in values):
        raise fields["values"].wrong('there are no values, or a NUL in one: write old = "new" for each')
    if "otherwise" in fields:
        return record.Mapping(of, values, fields["otherwise"].text())
    if not isinstance(of, record.Field):
        raise node.wrong("values that are not listed can be refused for a plain column only: add otherwise")
    return record.Mapping(of, values)


def _bucket(node: Node, fields: dict[str, Node], types: Types) -> Expression:
    name = column(node, types, EXACT_NUMBERS)
    if "edges" not in fields:
        raise node.wrong("a bucket needs its edges: add edges = [10, 100]")
    edges = _edges(fields["edges"], types[name])
    labels = tuple(label.text() for label in fields["labels"].items()) if "labels" in fields else _ranges(edges)
    if len(labels) != len(edges) + 1:
        raise fields["labels"].wrong(
            f"{len(edges)} edges make {len(edges) + 1} ranges, and there are {len(labels)} labels"
        )
    return record.Bucket(name, edges, labels)


def _edges(node: Node, kind: Type) -> tuple[str, ...]:
    edges = tuple(edge.number() for edge in node.items())
    if not edges:
        raise node.wrong("a bucket needs at least one edge: write edges = [10, 100]")
    value = Type(kind.kind, kind.precision, kind.scale)
    before = None
    for edge, item in zip(edges, node.items(), strict=True):
        if not re.fullmatch(pattern(value), edge):
            raise item.wrong(f"{edge} is not {expected(value)}, as the column's values are: round it")
        number = int(edge) if kind.kind == "integer" else float(edge)
        if before is not None and number <= before:
            raise item.wrong(f"the edges do not rise, and {edge} is not above the one before: sort them")
        before = number
    return edges


def _ranges(edges: tuple[str, ...]) -> tuple[str, ...]:
    between = [f"{low} to below {high}" for low, high in pairwise(edges)]
    return (f"below {edges[0]}", *between, f"{edges[-1]} and more")


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


Reader: TypeAlias = Callable[[Node, dict[str, Node], Types], Expression]
OPERATORS: dict[str, Reader] = {
    "days_between": _days_between,
    "ratio": _ratio,
    "year": _date_part("year"),
    "month": _date_part("month"),
    "iso": _iso,
    "upper": _upper,
    "trim": _trim,
    "constant": _constant,
    "concat": _concat,
    "map": _map,
    "bucket": _bucket,
}
