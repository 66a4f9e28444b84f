"""The bad rows of a file: each is kept with its place and the reason, or stops the work."""

from contextlib import ExitStack
from types import TracebackType
from typing import IO, Literal, Self, TypeAlias

import msgspec

from core import storage
from core.errors import DataError, Fault
from core.source.records import Record
from core.validation import Fit, bad_row, place

OnError: TypeAlias = Literal["reject", "fail"]
MOST_NAMED = 10


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with bad rows.

    Attributes:
        on_error: "reject" them to a file, or "fail" at the first.
        url: Where to write them; None takes the target's name with ".rejects.jsonl", if there are any.
        most: More than this stop the work; None for any number.
    """

    on_error: OnError = "reject"
    url: str | None = None
    most: int | None = None


class Reject(msgspec.Struct, frozen=True):
    """A line of the rejects file.

    Attributes:
        line: Number of the row's first line in the source, from 1.
        column: The column that is wrong; null where the row as such is.
        value: What stands there.
        reason: What is wrong, and what would be right.
        raw: The row as it stands in the source, without its line end.
    """

    line: int
    column: str | None
    value: str | None
    reason: str
    raw: str


class Rejects:
    """Takes the bad rows; their file appears whole when the context ends well, or not at all.

    Args:
        source: URL of the source, for messages.
        target: URL of what is written from the good rows.
        policy: What to do with bad rows.
    """

    def __init__(self, source: str, target: str, policy: Policy) -> None:
        self._source = source
        self._policy = policy
        self._url = policy.url or storage.beside(target, ".rejects.jsonl")
        self._stack = ExitStack()
        self._file: IO[bytes] | None = None
        self._named: list[Fault] = []
        self.count = 0

    def __enter__(self) -> Self:
        if self._policy.url is not None:
            self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)
        if kind is None and self._file is None:
            storage.remove(self._url)  # an earlier run's: its rows are not this one's

    @property
    def url(self) -> str | None:
        """Where the bad rows are; None when there is no such file."""
        return self._url if self._file else None

    def add(self, record: Record, found: Fit) -> None:
        """Take a bad row.

        Raises:
            DataError: It stops the work.
        """
        self.count += 1
        if len(self._named) < MOST_NAMED:
            self._named.append(found.fault(self._source, record.line))
        if self._policy.on_error == "fail":
            raise bad_row(self._named[0])
        if self._policy.most is not None and self.count > self._policy.most:
            most, first = self._policy.most, place(self._named[0])
            raise DataError(f"more than {most:,} bad rows (max_rejects), the first is {first}", self._named)
        raw = record.raw.decode().rstrip("\r\n")
        reject = Reject(record.line, found.column, found.value, found.reason, raw)
        self._open().write(msgspec.json.encode(reject) + b"\n")

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._file = self._stack.enter_context(self._stack.enter_context(storage.writing(self._url)).open("wb"))
        return self._file
