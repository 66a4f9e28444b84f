"""Whether a record fits its dataset, field by field, and what is wrong where it does not."""

import re
from collections.abc import Callable, Sequence

import msgspec

from core.datasets.grammar import Type, expected, pattern
from core.datasets.record import Dataset
from core.errors import DataError, Fault
from core.expressions import refuses
from core.source.header import Layout

LONGEST_SHOWN = 80


class Fit(msgspec.Struct, frozen=True):
    """What is wrong with a record.

    Attributes:
        reason: What is wrong, and what would be right.
        column: The column, where it is one.
        value: What stands there.
    """

    reason: str
    column: str | None = None
    value: str | None = None

    def fault(self, source: str, line: int) -> Fault:
        """The same, with its place."""
        value = self.value if self.value is None else self.value[:LONGEST_SHOWN]
        return Fault(source=source, line=line, column=self.column, value=value, detail=self.reason)


def bad_row(fault: Fault) -> DataError:
    """The error for one bad row."""
    return DataError(place(fault), [fault])


def place(fault: Fault) -> str:
    """Where a bad row is, and what is wrong with it, for a message."""
    column = f', column "{fault.column}"' if fault.column else ""
    return f"{fault.source}, line {fault.line}{column}: {fault.detail}"


def allowed(dataset: Dataset) -> dict[str, tuple[str, ...]]:
    """The only values of each column that a mapping without `otherwise` reads, wherever that stands."""
    return refuses(each.expression for each in (*dataset.changes, *dataset.derived))


def checker(dataset: Dataset, layout: Layout) -> Callable[[Sequence[str]], Fit | None]:
    """A function that tells what is wrong with a record's fields, or None."""
    listed = allowed(dataset)
    checks = [
        _Check(name, layout.index()[name], kind, listed.get(name))
        for name, kind in dataset.types().items()
        if kind.kind != "text" or name in listed
    ]

    def check(fields: Sequence[str]) -> Fit | None:
        for each in checks:
            if not each.fits(fields[each.position]):
                return each.fault(fields[each.position])
        return None

    return check


class _Check:
    """The check of one column."""

    def __init__(self, name: str, position: int, kind: Type, listed: tuple[str, ...] | None) -> None:
        self.position = position
        self._name = name
        self._kind = kind
        self._listed = listed
        self.fits: Callable[[str], object] = (
            re.compile(pattern(kind)).fullmatch if listed is None else frozenset(listed).__contains__
        )

    def fault(self, value: str) -> Fit:
        wanted = expected(self._kind) if self._listed is None else f"one of {', '.join(self._listed)}"
        return Fit(f"{shown(value)} is not {wanted}", self._name, value)


def shown(value: str) -> str:
    """A value for a message."""
    if not value:
        return "an empty field"
    return repr(value if len(value) <= LONGEST_SHOWN else value[:LONGEST_SHOWN] + "...")
