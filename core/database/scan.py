"""Several selections over one relation in one pass of the engine, with exact sums.

Whole numbers and amounts are summed as the engine does it, in 128 bits. Doubles are cut into windows of exponents and
made whole numbers there: one window serves what is neither tiny nor huge, and where a value is outside it the
statement stops and is run again with windows for every double that there is.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Context
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.database.partial import DOUBLE_BITS, Aggregate, Group, Partial
from core.database.port import Condition, Selection
from core.database.relation import MARK, Relation, raised
from core.datasets.grammar import Type
from core.engine import name as quoted
from core.engine import text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
OPERANDS = {"integer": "BIGINT", "date": "DATE", "timestamp": "TIMESTAMP", "text": "VARCHAR"}
# A longer list is joined: the engine would hold a block of rows for each of its values, or try them one by one.
LONGEST_LIST = 32
ODD = "double"
# A double in [2**w, 2**(w + 42)) is a whole multiple of 2**(w - 52) below 2**94 of them: 2**32 rows fit 127 bits.
WINDOW = 42
MANTISSA = 52
QUICK = -26
BEYOND = 1024  # every double is below 2**1024
EVERY = tuple(range(MANTISSA - DOUBLE_BITS, BEYOND, WINDOW))
EXACT = Context(prec=100)
FETCHED_ROWS = 2_000


def groups(
    db: "DuckDBPyConnection", relation: Relation, selections: Sequence[Selection]
) -> Iterator[tuple[int, Group]]:
    """The groups of the selections, each with its selection's number; see `core.database.Database.groups`.

    Raises:
        duckdb.Error: The relation cannot be read, or a value in it does not fit.
    """
    import duckdb

    pass_ = _Pass(selections, (QUICK,))
    try:
        db.execute(*pass_.statement(relation))
    except duckdb.InvalidInputException as error:
        if raised(error) != [ODD]:
            raise
        pass_ = _Pass(selections, EVERY)
        db.execute(*pass_.statement(relation))
    while rows := db.fetchmany(FETCHED_ROWS):
        for row in rows:
            yield from pass_.groups(row)


class _Pass:
    """One statement for all selections: a grouping set for each, a filter on each one's aggregates."""

    def __init__(self, selections: Sequence[Selection], windows: tuple[int, ...]) -> None:
        self._selections = selections
        self._windows = windows
        self._keys = list(dict.fromkeys(column for each in selections for column in each.group_by))

    def statement(self, relation: Relation) -> tuple[str, list[Any]]:
        """The SQL and its parameters."""
        found = ["grouping(" + ", ".join(map(quoted, self._keys)) + ")" if self._keys else "0"]
        found += map(quoted, self._keys)
        for number, selection in enumerate(self._selections):
            where = f" FILTER (WHERE {_flag(number)})" if selection.conditions and len(self._selections) > 1 else ""
            parts = [part for each in selection.aggregates for part in self._parts(each, selection.types)]
            found += [f"{part}{where}" for part in ("count(*)", *parts)]
        rows, operands = self._rows(relation)
        sets = {f"({', '.join(map(quoted, sorted(each.group_by)))})" for each in self._selections}
        return f"SELECT {', '.join(found)} FROM {rows} GROUP BY GROUPING SETS ({', '.join(sorted(sets))})", operands

    def _rows(self, relation: Relation) -> tuple[str, list[Any]]:
        """The columns that are needed, and a flag for each selection with conditions."""
        needed = dict.fromkeys(column for each in self._selections for column in each.columns())
        columns = [f"{relation.columns[column].sql} AS {quoted(column)}" for column in needed] or ["1"]
        values = f"(SELECT {', '.join(columns)} FROM {relation.source})"
        limited = {number: each for number, each in enumerate(self._selections) if each.conditions}
        if not limited:
            return values, []
        if len(self._selections) == 1:
            return f"(SELECT * FROM {values} WHERE {_conditions(self._selections[0])})", _operands(self._selections[0])
        flags = [f"({_conditions(each)}) AS {_flag(number)}" for number, each in limited.items()]
        operands = [operand for each in limited.values() for operand in _operands(each)]
        every = len(limited) == len(self._selections)
        where = " WHERE " + " OR ".join(map(_flag, limited)) if every else ""
        return f"(SELECT * FROM (SELECT *, {', '.join(flags)} FROM {values}){where})", operands

    def groups(self, row: tuple[Any, ...]) -> Iterator[tuple[int, Group]]:
        """The groups that a row of the statement stands for: one for each selection that groups by its columns."""
        grouping, values = row[0], iter(row[1:])
        keys = dict(zip(self._keys, values, strict=False))
        for number, selection in enumerate(self._selections):
            rows = next(values)
            partials = tuple(self._partial(each, values, selection.types) for each in selection.aggregates)
            if rows and grouping == self._grouping(selection):
                key = tuple(_value(keys[column], selection.types[column]) for column in selection.group_by)
                yield number, Group(key, partials)

    def _grouping(self, selection: Selection) -> int:
        """What grouping() says of a selection's set: a bit for each column that is not in it, the last the lowest."""
        bits = ("0" if column in selection.group_by else "1" for column in self._keys)
        return int("".join(bits) or "0", 2)

    def _parts(self, aggregate: Aggregate, types: Mapping[str, Type]) -> list[str]:
        if aggregate.column is None:
            return ["count(*)"]
        column, kind = quoted(aggregate.column), types[aggregate.column]
        if aggregate.function not in ("sum", "avg"):
            return [f"{aggregate.function}({column})"]
        if kind.kind != "double":
            return [f"count({column})", f"sum({column})"]
        return [f"count({column})", *(_windowed_sum(column, window, self._windows) for window in self._windows)]

    def _partial(self, aggregate: Aggregate, parts: Iterator[Any], types: Mapping[str, Type]) -> Partial:
        first = next(parts)
        if aggregate.column is None or aggregate.function == "count":
            return Partial(first)
        kind = types[aggregate.column]
        if aggregate.function in ("min", "max"):
            return Partial(0, _value(first, kind))
        sums = list(islice(parts, len(self._windows) if kind.kind == "double" else 1))
        return Partial(first, self._total(sums, kind) if first else None)

    def _total(self, sums: list[Any], kind: Type) -> int:
        """A sum in units."""
        if kind.kind == "decimal":
            return int(EXACT.scaleb(sums[0], kind.scale))
        if kind.kind != "double":
            return int(sums[0])
        shifts = [window - MANTISSA + DOUBLE_BITS for window in self._windows]
        return sum(int(each) << shift for each, shift in zip(sums, shifts, strict=True))


def _windowed_sum(column: str, window: int, windows: tuple[int, ...]) -> str:
    """The sum of the doubles whose exponents are in a window, as a whole number of its units."""
    half, rest = divmod(MANTISSA - window, 2)
    whole = f"({column} * {_double(2.0 ** (half + rest))} * {_double(2.0**half)})::HUGEINT"
    size, top = f"abs({column})", window + WINDOW
    fits = f"{size} < {_double(2.0**top)}" if top < BEYOND else f"isfinite({column})"
    above = f"{size} >= {_double(2.0**window)}"
    if len(windows) == 1:
        odd = f"WHEN {column} IS NOT NULL THEN error({text(MARK + ODD)})"
        return f"sum(CASE WHEN {fits} AND ({above} OR {column} = 0) THEN {whole} {odd} END)"
    if window > windows[0]:
        fits += f" AND {above}"
    odd = f"WHEN NOT isfinite({column}) THEN error({text(MARK)})" if window == windows[-1] else ""
    return f"sum(CASE WHEN {fits} THEN {whole} {odd} ELSE 0 END)"


def _double(value: float) -> str:
    return f"'{value!r}'::DOUBLE"


def _value(value: Any, kind: Type) -> Any:
    """A value of the engine's as what all databases give."""
    if value is None or kind.kind in ("text", "integer", "decimal"):
        return value
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    return value.isoformat() if isinstance(value, date) else value + 0.0  # a negative zero is a zero


def _flag(number: int) -> str:
    return quoted(f"\n{number}")  # a line break: no header's first line has it in a name


def _conditions(selection: Selection) -> str:
    return " AND ".join(_condition(each, selection.types[each.column]) for each in selection.conditions)


def _condition(condition: Condition, kind: Type) -> str:
    column, sql_type = quoted(condition.column), OPERANDS.get(kind.kind, "DOUBLE")
    if kind.kind == "decimal":
        column += "::DOUBLE"  # the nearest one, as the operand is
    if condition.op == "is_null":
        return f"{column} IS NULL"
    if condition.op == "between":
        return f"{column} BETWEEN ?::{sql_type} AND ?::{sql_type}"
    if condition.op == "in" and len(condition.operands) <= LONGEST_LIST:
        return f"list_contains(?::{sql_type}[], {column})"
    if condition.op == "in":
        return f"{column} IN (SELECT unnest(?::{sql_type}[]))"
    return f"{column} {COMPARISONS[condition.op]} ?::{sql_type}"


def _operands(selection: Selection) -> list[Any]:
    """The parameters of a selection's conditions; a list is one."""
    found: list[Any] = []
    for each in selection.conditions:
        found += [list(each.operands)] if each.op == "in" else each.operands
    return found
