"""What a generated dataset is: its header, the columns that its draws make, and the pieces of a line."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from core.generator.draws import Lists
from core.generator.faults import Piece

FIRST_ID = 100_000_000
IDS = 900_000_000
# A step that shares no factor with the number of ids visits each of them once: unique, in no visible order.
ID_STEP = 334_214_459
SEED_STEP = 7919


class Recipe(msgspec.Struct, frozen=True):
    """How the records of a dataset are made.

    Attributes:
        header: The first line, without its end.
        lists: The texts that columns and pieces pick from.
        columns: From a table expression with `i`, `h`, `original` and `fault` to one that has what the pieces use.
        pieces: The parts of a line, in order.
    """

    header: str
    lists: Lists
    columns: Callable[[str], str]
    pieces: tuple[Piece, ...]


def key(seed: int) -> str:
    """SQL of a record's key: nine digits, one for each `original`."""
    return f"{FIRST_ID} + (original * {ID_STEP} + {seed * SEED_STEP}) % {IDS}"


def fields(*values: str) -> str:
    """The values as fields in quotes; an empty one is nothing at all."""
    return ",".join('"' + value.replace('"', '""') + '"' if value else "" for value in values)


def weighted(entries: Sequence[Sequence[Any]]) -> list[Sequence[Any]]:
    """The entries, each as often as its first member says."""
    return [entry for entry in entries for _ in range(entry[0])]
