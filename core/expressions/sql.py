"""What expressions mean, as SQL for the engine."""

from collections import abc
from typing import TypeAlias, assert_never

from core.datasets.grammar import ISO_DATE, ISO_TIMESTAMP, Type, engine_format
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
from core.engine import name, text

Types: TypeAlias = abc.Mapping[str, Type]


def sql(expression: Expression, types: Types) -> str:
    """An SQL expression over a relation whose columns are texts, null where a field is empty.

    Its value, written as CSV, is the text that `core.expressions.plain.function` gives; null stands for the empty text,
    so that no field is written as "".

    Args:
        expression: What to compute. Each value must fit its column's type, and be listed where a mapping refuses
            others.
        types: The types of the input's columns.
    """
    if isinstance(expression, DaysBetween):
        return f"({_day(expression.end, types)} - {_day(expression.start, types)})"
    if isinstance(expression, Ratio):
        return f"({name(expression.dividend)}::DOUBLE / nullif({name(expression.divisor)}::DOUBLE, 0))"
    if isinstance(expression, DatePart):
        return f"{expression.part}({_moment(expression.column, types)})"
    return _text(expression, types)


def _text(expression: Text, types: Types) -> str:
    match expression:
        case Field():
            found = name(expression.column)
        case Constant():
            found = _constant(expression.value)
        case Iso():
            found = _iso(expression.column, types)
        case Upper():
            found = f"upper({_text(expression.of, types)})"
        case Trim():
            found = _trim(expression.of, types)
        case Concat():
            parts = ", ".join(_text(part, types) for part in expression.parts)
            found = f"nullif(concat({parts}), '')"
        case Mapping():
            found = _mapping(expression, types)
        case Bucket():
            found = _bucket(expression, types)
        case _:
            assert_never(expression)
    return found


def _constant(value: str) -> str:
    return text(value) if value else "NULL::VARCHAR"


def _trim(of: Text, types: Types) -> str:
    """Trim without a list of characters takes other blanks too; with one it is slow, so only where there is a blank."""
    value = _text(of, types)
    trimmed = f"nullif(trim({value}, ' '), '')"
    if not isinstance(of, Field):
        return trimmed
    return f"CASE WHEN {value} LIKE ' %' OR {value} LIKE '% ' THEN {trimmed} ELSE {value} END"


def _mapping(expression: Mapping, types: Types) -> str:
    value = _text(expression.of, types)
    if "" in expression.values:
        value = f"coalesce({value}, '')"
    cases = " ".join(f"WHEN {text(old)} THEN {_constant(new)}" for old, new in expression.values.items())
    return f"CASE {value} {cases} ELSE {_constant(expression.otherwise or '')} END"


def _bucket(expression: Bucket, types: Types) -> str:
    kind = types[expression.column]
    sql_type = "BIGINT" if kind.kind == "integer" else f"DECIMAL({kind.precision}, {kind.scale})"
    value = f"{name(expression.column)}::{sql_type}"
    below = zip(expression.edges, expression.labels[:-1], strict=True)
    cases = " ".join(f"WHEN {value} < {text(edge)}::{sql_type} THEN {_constant(label)}" for edge, label in below)
    last = _constant(expression.labels[-1])
    return f"CASE {cases} WHEN {name(expression.column)} IS NOT NULL THEN {last} END"


def _iso(column: str, types: Types) -> str:
    moment = _day if types[column].kind == "date" else _moment
    return f"{moment(column, types)}::VARCHAR"


def _day(column: str, types: Types) -> str:
    return f"{_moment(column, types)}::DATE"


def _moment(column: str, types: Types) -> str:
    """The value as a date or timestamp; the engine's own form takes it half the time of any other."""
    kind = types[column]
    if kind.format == ISO_DATE:
        return f"{name(column)}::DATE"
    if kind.format == ISO_TIMESTAMP:
        return f"{name(column)}::TIMESTAMP"
    return f"strptime({name(column)}, {text(engine_format(kind))})"
