"""What a comparison of databases needs from outside."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import msgspec

from bench.progress import Move
from bench.source import Generate
from bench.tiers.client import Start
from bench.tiers.processors import busy_now
from core.database import Database

# Gives the database behind a URL.
Connect: TypeAlias = Callable[[str], Database]


class Progress(Protocol):
    """Hears how far a run has come."""

    def begin(self, total: int) -> None:
        """The run will make so many moves."""
        ...

    def step(self, planned: Move) -> None:
        """This move comes next; it is reported also when its database has stopped."""
        ...


def _never() -> None:
    """No signal comes."""


class Tools(msgspec.Struct, frozen=True):
    """What a run needs from outside.

    Attributes:
        start: Starts clients.
        connect: Gives a database, whose table is dropped and weighed.
        generate: Writes the sales rows to a path: target, number of rows, seed.
        progress: Is told before each move.
        busy: Tells which share of the processors other work uses, before the run begins.
        check_interrupt: Raises KeyboardInterrupt when the run was interrupted; asked before each move.
    """

    start: Start
    connect: Connect
    generate: Generate
    progress: Progress
    busy: Callable[[], float | None] = busy_now
    check_interrupt: Callable[[], None] = _never
