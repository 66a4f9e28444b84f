"""Several selections over one collection, a pipeline each, with exact sums that MongoDB computes.

Its `$sum` of 64-bit integers and of doubles is a double where it has to be. So whole numbers are made Decimal128, whose
34 digits hold every sum of theirs. Doubles are cut into windows of exponents, as `core.database.statement` does it in
SQL: a double of a window is a whole number below 2**62 after a multiplication by a power of two, which is exact.
https://www.mongodb.com/docs/manual/reference/operator/aggregation/sum/
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from core.database.mongodb_table import ROWS, Described, plain
from core.database.partial import DOUBLE_BITS, Aggregate, Group, Partial
from core.database.port import Condition, Selection
from core.database.statement import BEYOND, COMMON, EXACT, LOWEST, MANTISSA, WINDOW, value
from core.datasets.grammar import Type
from core.errors import DataError

Document: TypeAlias = Mapping[str, Any]
Run: TypeAlias = Callable[[list[dict[str, Any]]], Iterable[Document]]

LARGEST_POWER = 1023  # 2**1024 is no double


def groups(run: Run, table: Described, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
    """The groups of the selections, one pipeline each; see `Database.groups`.

    Args:
        run: Runs a pipeline and gives its documents.
        table: What the collection says of its rows.
        selections: What to ask.

    Raises:
        DataError: A double is infinite or not a number.
    """
    for number, selection in enumerate(selections):
        asked = _Asked(table, selection, COMMON)
        found = list(run(asked.pipeline()))
        if needed := asked.missing(found):
            asked = _Asked(table, selection, needed)
            found = list(run(asked.pipeline()))
        yield from ((number, asked.group(each)) for each in found)


class _Asked:
    """One selection's pipeline, with the windows that doubles are cut into."""

    def __init__(self, table: Described, selection: Selection, windows: Sequence[int]) -> None:
        self._table = table
        self._selection = selection
        self._windows = windows

    def pipeline(self) -> list[dict[str, Any]]:
        """The stages."""
        keys = {f"k{number}": self._value(name) for number, name in enumerate(self._selection.group_by)}
        parts = {
            f"a{number}_{part}": expression
            for number, aggregate in enumerate(self._selection.aggregates)
            for part, expression in self._parts(aggregate).items()
        }
        kept = [ROWS, *map(self._condition, self._selection.conditions)]
        return [{"$match": {"$and": kept}}, {"$group": {"_id": keys or None, **parts}}]

    def missing(self, found: Iterable[Document]) -> list[int]:
        """The windows that the doubles of these groups need, where they need others than there are."""
        sizes = [size for each in found for size in self._sizes(each) if size]
        if not sizes:
            return []
        if not all(map(math.isfinite, sizes)):
            raise DataError("the table holds a number that cannot be summed, such as infinity: correct it or filter it")
        lowest, highest = (math.frexp(size)[1] - 1 for size in (min(sizes), max(sizes)))
        if self._windows[0] <= lowest and highest < self._windows[-1] + WINDOW:
            return []
        return list(range(max(lowest, LOWEST), highest + 1, WINDOW)) or [LOWEST]

    def group(self, found: Document) -> Group:
        """A document of the pipeline as a group."""
        keys, types = found["_id"] or {}, self._selection.types
        key = tuple(_value(keys.get(f"k{number}"), types[name]) for number, name in enumerate(self._selection.group_by))
        aggregates = enumerate(self._selection.aggregates)
        return Group(key, tuple(self._partial(each, found, f"a{number}") for number, each in aggregates))

    def _sizes(self, found: Document) -> Iterator[float]:
        """The least and the greatest size of each sum's doubles; 0 or none where there is none but zeros."""
        for number, each in enumerate(self._selection.aggregates):
            if self._doubles(each):
                yield from (found[f"a{number}_{part}"] or 0.0 for part in ("least", "most"))

    def _value(self, column: str) -> str:
        return f"${self._table.field(column)}"

    def _kind(self, aggregate: Aggregate) -> Type:
        return self._selection.types[aggregate.column] if aggregate.column is not None else Type("integer")

    def _doubles(self, aggregate: Aggregate) -> bool:
        return aggregate.function in ("sum", "avg") and self._kind(aggregate).kind == "double"

    def _parts(self, aggregate: Aggregate) -> dict[str, Any]:
        """What to accumulate, by a name for each."""
        if aggregate.column is None:
            return {"n": {"$sum": 1}}
        column = self._value(aggregate.column)
        if aggregate.function in ("min", "max"):
            return {"value": {f"${aggregate.function}": column}}
        counted = {"n": {"$sum": {"$cond": [{"$eq": [{"$ifNull": [column, None]}, None]}, 0, 1]}}}
        if aggregate.function == "count":
            return counted
        if not self._doubles(aggregate):
            return {**counted, "sum": {"$sum": {"$toDecimal": column}}}
        size = {"$abs": column}
        sizes = {"least": {"$min": {"$cond": [{"$eq": [column, 0]}, None, size]}}, "most": {"$max": size}}
        return {**counted, **sizes, **{f"w{each}": {"$sum": _windowed(column, each)} for each in self._windows}}

    def _partial(self, aggregate: Aggregate, found: Document, name: str) -> Partial:
        kind = self._kind(aggregate)
        if aggregate.function in ("min", "max"):
            return Partial(0, _value(found[f"{name}_value"], kind))
        count = int(found[f"{name}_n"])
        if aggregate.function == "count":
            return Partial(count)
        return Partial(count, self._total(found, name, kind) if count else None)

    def _total(self, found: Document, name: str, kind: Type) -> int:
        """A sum in units."""
        if kind.kind != "double":
            return int(EXACT.scaleb(_decimal(found[f"{name}_sum"]), kind.scale if kind.kind == "decimal" else 0))
        windows = ((_decimal(found[f"{name}_w{each}"]), each - MANTISSA + DOUBLE_BITS) for each in self._windows)
        return sum(int(whole) << shift for whole, shift in windows)

    def _condition(self, condition: Condition) -> dict[str, Any]:
        kind = self._selection.types[condition.column]
        operands = [_operand(each, kind) for each in condition.operands]
        return {self._table.field(condition.column): _comparison(condition.op, operands)}


def _comparison(op: str, operands: Sequence[Any]) -> Any:
    """What a field must be; only `is_null` holds of one that is not there."""
    if op == "is_null":
        return {"$eq": None}
    if op == "between":
        return {"$gte": operands[0], "$lte": operands[1]}
    if op == "in":
        return {"$in": list(operands)}
    if op == "ne":
        return {"$nin": [operands[0], None]}
    names = {"le": "$lte", "ge": "$gte"}
    return {names.get(op, f"${op}"): operands[0]}


def _windowed(column: str, window: int) -> dict[str, Any]:
    """A double whose exponent is in a window, in the window's units; 0 for the others."""
    power, top = MANTISSA - window, window + WINDOW
    scaled: dict[str, Any] = {"$multiply": [column, 2.0 ** min(power, LARGEST_POWER)]}
    if power > LARGEST_POWER:  # in two steps, of kinds that the server makes no one step of
        scaled = {"$divide": [scaled, 2.0 ** (LARGEST_POWER - power)]}
    size = {"$abs": column}
    bounds: list[dict[str, Any]] = [{"$gte": [size, 2.0**window if window > LOWEST else 0.0]}]
    if top < BEYOND:
        bounds.append({"$lt": [size, 2.0**top]})
    return {"$cond": [{"$and": bounds}, {"$toDecimal": {"$toLong": scaled}}, 0]}


def _operand(operand: Any, kind: Type) -> Any:
    """An operand as documents hold it; an amount as the shortest decimal of its double, which is what was asked for."""
    from bson import Decimal128

    if kind.kind == "decimal":
        return Decimal128(repr(operand))
    return datetime.fromisoformat(operand) if kind.kind in ("date", "timestamp") else operand


def _decimal(found: Any) -> Decimal:
    """A sum, which is a Decimal128, or a 0 of another type where nothing was summed."""
    return Decimal(plain(found, Type("decimal")))


def _value(found: Any, kind: Type) -> Any:
    return value(plain(found, kind), kind)
