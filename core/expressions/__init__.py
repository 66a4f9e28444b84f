"""What the expressions of a dataset read, which values they refuse, which texts they bring in.

What they mean stands in `core.expressions.sql` for the engine and in `core.expressions.plain` for plain Python; both
give the same text.
"""

from collections.abc import Iterable, Iterator

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
    Trim,
    Upper,
)


def columns_of(expression: Expression) -> tuple[str, ...]:
    """The input columns that an expression reads, each once, in the order in which it names them."""
    return tuple(dict.fromkeys(column for part in _parts(expression) for column in _own_columns(part)))


def texts_of(expression: Expression) -> tuple[str, ...]:
    """The texts of its own that an expression may give, whole or as part of another."""
    return tuple(text for part in _parts(expression) for text in _own_texts(part))


def refuses(expressions: Iterable[Expression]) -> dict[str, tuple[str, ...]]:
    """The only values that an input column may have, for each column that a mapping without `otherwise` reads.

    Where several such mappings read one column, what all of them list.
    """
    listed: dict[str, tuple[str, ...]] = {}
    for part in (part for expression in expressions for part in _parts(expression)):
        if isinstance(part, Mapping) and part.otherwise is None and isinstance(part.of, Field):
            before = listed.get(part.of.column, tuple(part.values))
            listed[part.of.column] = tuple(value for value in before if value in part.values)
    return listed


def _parts(expression: Expression) -> Iterator[Expression]:
    """An expression and all that stand inside it."""
    yield expression
    if isinstance(expression, Upper | Trim | Mapping):
        yield from _parts(expression.of)
    elif isinstance(expression, Concat):
        for part in expression.parts:
            yield from _parts(part)


def _own_columns(expression: Expression) -> tuple[str, ...]:
    if isinstance(expression, Field | Iso | DatePart | Bucket):
        return (expression.column,)
    if isinstance(expression, DaysBetween):
        return (expression.start, expression.end)
    if isinstance(expression, Ratio):
        return (expression.dividend, expression.divisor)
    return ()


def _own_texts(expression: Expression) -> tuple[str, ...]:
    if isinstance(expression, Constant):
        return (expression.value,)
    if isinstance(expression, Mapping):
        return (*expression.values.values(), expression.otherwise or "")
    return expression.labels if isinstance(expression, Bucket) else ()
