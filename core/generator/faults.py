"""Bad and repeated records: which rows they are, and how a line is broken in exactly one way."""

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, get_args

import msgspec

from core.generator.draws import draw

Fault: TypeAlias = Literal[
    "too few fields",
    "too many fields",
    "text in a number",
    "impossible date",
    "unknown value",
    "unterminated quote",
    "NUL byte",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
SHARE_UNIT = 1_000_000_000
REPEATED_DRAW = 1


class Piece(msgspec.Struct, frozen=True):
    """A part of a record's line, as SQL.

    Attributes:
        good: The text of a good record.
        bad: The text of a record that has the fault, for each fault that shows in this piece.
    """

    good: str
    bad: Mapping[Fault, str] = {}


def possible(pieces: Sequence[Piece]) -> tuple[Fault, ...]:
    """The faults that these pieces can have."""
    return tuple(fault for fault in FAULTS if any(fault in piece.bad for piece in pieces))


def line(pieces: Sequence[Piece], *, faulty: bool) -> str:
    """SQL of a record's line; where rows can be faulty, it asks the column `fault`, a place among the possible ones."""
    faults = possible(pieces)
    return f"concat({', '.join(_faulty(piece, faults) if faulty else piece.good for piece in pieces)})"


def _faulty(piece: Piece, faults: tuple[Fault, ...]) -> str:
    if not piece.bad:
        return piece.good
    cases = " ".join(f"WHEN {faults.index(fault)} THEN {text}" for fault, text in piece.bad.items())
    return f"CASE fault {cases} ELSE ({piece.good})::VARCHAR END"


class Special(msgspec.Struct, frozen=True):
    """The records that repeat an earlier key and those that are bad, spread evenly over the rows.

    Attributes:
        rows: Number of records.
        duplicates: Those that repeat the key of an earlier good one, in billionths of the rows.
        rejects: Those that are bad, in billionths of the rows.
        faults: What a bad one may have; they take turns.
    """

    rows: int
    duplicates: int
    rejects: int
    faults: tuple[Fault, ...]

    def count(self) -> int:
        """How many rows are special."""
        return self.rows * (self.duplicates + self.rejects) // SHARE_UNIT

    def rejected(self) -> int:
        """How many rows are bad."""
        return self.count() * self.rejects // (self.duplicates + self.rejects) if self.count() else 0

    def by_fault(self) -> dict[Fault, int]:
        """How many rows have each fault."""
        turns, rest = divmod(self.rejected(), len(self.faults))
        return {fault: turns + (place < rest) for place, fault in enumerate(self.faults)}

    def columns(self, rows: str) -> str:
        """The rows with `original`, the number of the record whose key a row has, and `fault`, null in a good one.

        Bad records take their numbers from the end, so that no good one repeats the key of a bad one.
        """
        share = self.duplicates + self.rejects
        if not share:
            return f"(SELECT *, i AS original FROM {rows})"
        # Products stay below 2**63: both factors are at most 10**9.
        before = f"SELECT *, i * {share} // {SHARE_UNIT} AS specials FROM {rows}"
        special = f"SELECT *, (i + 1) * {share} // {SHARE_UNIT} > specials AS special FROM ({before})"
        bads = f"SELECT *, specials * {self.rejects} // {share} AS bads FROM ({special})"
        bad = f"special AND (specials + 1) * {self.rejects} // {share} > bads"
        faults = f"SELECT *, CASE WHEN {bad} THEN bads % {len(self.faults)} END AS fault FROM ({bads})"
        return f"(SELECT *, {self._original()} AS original FROM ({faults}))"

    def _original(self) -> str:
        own = "(i - specials)"
        repeated = draw(REPEATED_DRAW, own)
        return f"CASE WHEN NOT special THEN {own} WHEN fault IS NULL THEN {repeated} ELSE {self.rows - 1} - bads END"
