"""The SQL of a selection for a server, and its rows as exact groups, whatever the server's own arithmetic does.

Averages are asked for as sums and counts. Whole numbers and amounts are summed by the server in a type that holds
every digit. A sum of doubles would depend on the order of the rows: each double is cut into windows of ten exponents,
where it is a whole number of 63 bits after a multiplication by a power of two, which is exact; and the sums of these
are whole numbers. The statement also tells the least and the greatest size of the doubles: where one is outside the
windows, it is asked again with all that are needed.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Context, Decimal
from typing import Any, TypeAlias

import msgspec

from core.database.partial import DOUBLE_BITS, Aggregate, Group, Partial
from core.database.port import Condition, Selection
from core.database.relation import Relation
from core.datasets.grammar import Type
from core.errors import DataError

COMPARISONS = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
# A double in [2**w, 2**(w + 10)) is a whole multiple of 2**(w - 52), and below 2**62 of them.
WINDOW = 10
MANTISSA = 52
COMMON = (-25, -15, -5, 5)
LOWEST = MANTISSA - DOUBLE_BITS  # the window of the smallest doubles, whose units are 2**-1074
BEYOND = 1024  # every double is below 2**1024
EXACT = Context(prec=100)

Row: TypeAlias = Sequence[Any]
Run: TypeAlias = Callable[[str, list[Any]], Iterable[Row]]


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """How a server writes what differs.

    Attributes:
        mark: Stands for a parameter.
        double: Template of a double's literal.
        whole: Template that makes a double without a fraction a whole number, of a type whose sums do not overflow.
        amount: Template that makes a column of whole numbers or amounts one of a type whose sums do not overflow.
        moment: Template of the parameter for a date or time, by its type's kind.
    """

    mark: str = "%s"
    double: str
    whole: str
    amount: str = "{}"
    moment: dict[str, str]


def groups(
    dialect: Dialect, run: Run, relation: Relation, selections: Sequence[Selection]
) -> Iterator[tuple[int, Group]]:
    """The groups of the selections, one statement each; see `Database.groups`.

    Args:
        dialect: The server's.
        run: Runs a statement with its parameters and gives the rows.
        relation: The table.
        selections: What to ask.

    Raises:
        DataError: A double is infinite or not a number.
    """
    for number, selection in enumerate(selections):
        asked = _Asked(dialect, relation, selection, COMMON)
        rows = list(run(*asked.statement()))
        if needed := asked.missing(rows):
            asked = _Asked(dialect, relation, selection, needed)
            rows = list(run(*asked.statement()))
        yield from ((number, asked.group(row)) for row in rows)


class _Asked:
    """One selection's statement, with the windows that doubles are cut into."""

    def __init__(self, dialect: Dialect, relation: Relation, selection: Selection, windows: Sequence[int]) -> None:
        self._dialect = dialect
        self._relation = relation
        self._selection = selection
        self._windows = windows

    def statement(self) -> tuple[str, list[Any]]:
        """The SQL and its parameters."""
        groups = [self._column(column) for column in self._selection.group_by]
        parts = [part for each in self._selection.aggregates for part in self._parts(each)]
        clauses = [f"SELECT {', '.join(groups + parts)} FROM {self._relation.source}"]
        operands: list[Any] = []
        if self._selection.conditions:
            clauses.append("WHERE " + " AND ".join(map(self._condition, self._selection.conditions)))
            operands = [operand for each in self._selection.conditions for operand in self._operands(each)]
        if groups:
            clauses.append(f"GROUP BY {', '.join(groups)}")
        return " ".join(clauses), operands

    def missing(self, rows: Iterable[Row]) -> list[int]:
        """The windows that the doubles in these rows need, where they need others than there are."""
        sizes = [size for row in rows for size in self._sizes(row) if size]
        if not sizes:
            return []
        if not all(map(math.isfinite, sizes)):
            raise DataError("the table holds a number that cannot be summed, such as infinity: correct it or filter it")
        lowest, highest = (math.frexp(size)[1] - 1 for size in (min(sizes), max(sizes)))
        if self._windows[0] <= lowest and highest < self._windows[-1] + WINDOW:
            return []
        return list(range(max(lowest, LOWEST), highest + 1, WINDOW)) or [LOWEST]

    def group(self, row: Row) -> Group:
        """A row of the statement as a group."""
        types = self._selection.types
        values = iter(row)
        key = tuple(value(next(values), types[column]) for column in self._selection.group_by)
        return Group(key, tuple(self._partial(each, values) for each in self._selection.aggregates))

    def _sizes(self, row: Row) -> Iterator[float]:
        """The least and the greatest size of each sum's doubles; 0 where there is none but zeros."""
        values = iter(row)
        for _ in self._selection.group_by:
            next(values)
        for each in self._selection.aggregates:
            parts = [next(values) for _ in self._parts(each)]
            if self._doubles(each):
                yield from (float(size or 0) for size in parts[1:3])

    def _column(self, name: str) -> str:
        return self._relation.columns[name].sql

    def _kind(self, aggregate: Aggregate) -> Type:
        return self._selection.types[aggregate.column] if aggregate.column is not None else Type("integer")

    def _doubles(self, aggregate: Aggregate) -> bool:
        return aggregate.function in ("sum", "avg") and self._kind(aggregate).kind == "double"

    def _parts(self, aggregate: Aggregate) -> list[str]:
        if aggregate.column is None:
            return ["count(*)"]
        column = self._column(aggregate.column)
        if aggregate.function not in ("sum", "avg"):
            return [f"{aggregate.function}({column})"]
        if not self._doubles(aggregate):
            return [f"count({column})", f"sum({self._dialect.amount.format(column)})"]
        size = f"abs({column})"
        sizes = [f"min(CASE WHEN {column} <> 0 THEN {size} END)", f"max({size})"]
        return [f"count({column})", *sizes, *(self._windowed(column, window) for window in self._windows)]

    def _windowed(self, column: str, window: int) -> str:
        """The sum of the doubles whose exponents are in a window, in its units."""
        half, rest = divmod(MANTISSA - window, 2)  # in two steps: 2**1024 is no double
        scaled = " * ".join([column, self._double(2.0 ** (half + rest)), self._double(2.0**half)])
        every, top = "1 = 1", window + WINDOW
        above = f"abs({column}) >= {self._double(2.0**window)}" if window > LOWEST else every
        below = f"abs({column}) < {self._double(2.0**top)}" if top < BEYOND else every
        return f"sum(CASE WHEN {above} AND {below} THEN {self._dialect.whole.format(scaled)} ELSE 0 END)"

    def _double(self, number: float) -> str:
        spelled = repr(number)
        return self._dialect.double.format(spelled if "e" in spelled else f"{spelled}e0")

    def _partial(self, aggregate: Aggregate, parts: Iterator[Any]) -> Partial:
        first = next(parts)
        if aggregate.column is None or aggregate.function == "count":
            return Partial(int(first))
        kind = self._kind(aggregate)
        if aggregate.function in ("min", "max"):
            return Partial(0, value(first, kind))
        sums = [next(parts) for _ in self._parts(aggregate)[1:]]
        return Partial(int(first), self._total(sums, kind) if first else None)

    def _total(self, sums: Sequence[Any], kind: Type) -> int:
        """A sum in units."""
        if kind.kind == "decimal":
            return int(EXACT.scaleb(Decimal(sums[0]), kind.scale))
        if kind.kind != "double":
            return int(sums[0])
        shifts = (window - MANTISSA + DOUBLE_BITS for window in self._windows)
        return sum(int(each) << shift for each, shift in zip(sums[2:], shifts, strict=True))

    def _condition(self, condition: Condition) -> str:
        column, kind = self._column(condition.column), self._selection.types[condition.column]
        mark = self._dialect.moment.get(kind.kind, "{}").format(self._dialect.mark)
        if condition.op == "is_null":
            return f"{column} IS NULL"
        if condition.op == "between":
            return f"{column} BETWEEN {mark} AND {mark}"
        if condition.op == "in":
            return f"{column} IN ({', '.join([mark] * len(condition.operands))})"
        return f"{column} {COMPARISONS[condition.op]} {mark}"

    def _operands(self, condition: Condition) -> Iterator[Any]:
        """The operands; an amount as the shortest decimal of its double, which is what was asked for."""
        amounts = self._selection.types[condition.column].kind == "decimal"
        for operand in condition.operands:
            yield Decimal(repr(operand)) if amounts else operand


def value(found: Any, kind: Type) -> Any:
    """A value of a server's as what all databases give."""
    if found is None or kind.kind == "text":
        return found
    if kind.kind == "integer":
        return int(found)
    if kind.kind == "decimal":
        return Decimal(found).quantize(Decimal(1).scaleb(-kind.scale), context=EXACT)
    if kind.kind == "double":
        return float(found) + 0.0  # a negative zero is a zero
    if isinstance(found, datetime):
        return found.isoformat(sep=" ", timespec="seconds")
    return found.isoformat() if isinstance(found, date) else str(found)
