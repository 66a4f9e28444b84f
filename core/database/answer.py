"""Questions to one database, or to many that hold a table's parts, and their exact answers."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from core.database.partial import EMPTY, Group, Partial, finished, merged
from core.database.port import Database, Selection
from core.datasets.grammar import Type

# A ranking is cut when it holds that many rows more than it may keep.
SLACK = 10_000


class Rank(msgspec.Struct, frozen=True):
    """One criterion of an order: a value of the row, and in which direction."""

    position: int
    descending: bool


class Question(msgspec.Struct, frozen=True):
    """What to ask, and which rows of the answer to keep.

    Attributes:
        selection: The groups and their aggregates.
        names: Of the values of a row: the group's columns, then the aggregates.
        order: The first criterion that tells two rows apart decides. No value comes after every value, in both
            directions; texts are ordered by code point.
        limit: How many rows to keep; None keeps all.
    """

    selection: Selection
    names: tuple[str, ...]
    order: tuple[Rank, ...]
    limit: int | None


def answers(databases: Sequence[Database], questions: Sequence[Question]) -> list[list[tuple[Any, ...]]]:
    """The rows of each question's answer over all the databases' rows together."""
    selections = [question.selection for question in questions]
    groups = databases[0].groups(selections) if len(databases) == 1 else _merged(databases, selections)
    rankings = [_Ranking(question) for question in questions]
    for number, group in groups:
        rankings[number].add(group)
    return [ranking.rows() for ranking in rankings]


def _merged(databases: Iterable[Database], selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
    found: dict[tuple[int, tuple[Any, ...]], tuple[Partial, ...]] = {}
    for database in databases:
        for number, group in database.groups(selections):
            place = number, group.key
            old = found.get(place)
            found[place] = group.partials if old is None else _together(selections[number], old, group.partials)
    return ((number, Group(key, partials)) for (number, key), partials in found.items())


def _together(selection: Selection, left: Sequence[Partial], right: Sequence[Partial]) -> tuple[Partial, ...]:
    parts = zip(selection.aggregates, left, right, strict=True)
    return tuple(merged(aggregate.function, one, other) for aggregate, one, other in parts)


class _Ranking:
    """The rows of an answer so far, not many more than it may keep."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._rows: list[tuple[Any, ...]] = []

    def add(self, group: Group) -> None:
        selection = self._question.selection
        parts = zip(selection.aggregates, group.partials, strict=True)
        values = [finished(each, partial, selection.types.get(each.column or "", Type())) for each, partial in parts]
        self._rows.append((*group.key, *values))
        if self._question.limit is not None and len(self._rows) >= self._question.limit + SLACK:
            self._rows = self.rows()

    def rows(self) -> list[tuple[Any, ...]]:
        selection = self._question.selection
        if not selection.group_by and not self._rows:
            self.add(Group((), (EMPTY,) * len(selection.aggregates)))
        return sorted(self._rows, key=self._key)[: self._question.limit]

    def _key(self, row: tuple[Any, ...]) -> list[tuple[bool, Any]]:
        ranked = [(row[rank.position], rank.descending) for rank in self._question.order]
        return [(value is None, _Descending(value) if descending else value) for value, descending in ranked]


class _Descending:
    """A value that is less than those that it is greater than."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.value < self.value)
