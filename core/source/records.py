"""The records of a chunk, read by the csv module: exact lines, and a word about each that is no record."""

import csv
import re
import sys
from collections.abc import Iterator
from functools import cache
from itertools import islice

import msgspec

from core.source.chunks import LONGEST_RECORD_BYTES, Chunk

UNFINISHED = "unexpected end of data"


class Record(msgspec.Struct, frozen=True):
    """A record, or what stands in the place of one.

    Attributes:
        line: Number of its first line in the source, from 1.
        raw: The line or lines as they stand in the source.
        fields: Its fields; none where it is none.
        fault: Why it is no record.
    """

    line: int
    raw: bytes
    fields: list[str]
    fault: str | None = None


class Records:
    """Reads a chunk record by record; blank lines are none.

    A quote that is never closed, or a record of several lines with a wrong number of fields, costs its first line only:
    reading goes on at the next.

    Args:
        chunk: What to read.
        delimiter: Between fields.
        width: How many fields a record has.
    """

    def __init__(self, chunk: Chunk, delimiter: str, width: int) -> None:
        self._chunk = chunk
        self._delimiter = delimiter
        self._width = width
        self._lines = chunk.data.splitlines(keepends=True)
        self._next = 0

    def __iter__(self) -> Iterator[Record]:
        csv.field_size_limit(sys.maxsize)  # Python's own 128 KiB a field: what is too long is said here
        while self._next < len(self._lines):
            try:
                yield from self._read()
            except csv.Error as error:
                if str(error) == UNFINISHED and self._goes_on():
                    return
                fault = (
                    f"the quotes of the row that starts here are wrong ({error}): close each, and double those inside"
                )
                yield self._line(fault)
                self._next += 1

    def rest(self) -> tuple[bytes, int]:
        """What was not read, since the last record goes on beyond the chunk, and its line."""
        return b"".join(self._lines[self._next :]), self._chunk.line + self._next

    def _read(self) -> Iterator[Record]:
        base = self._next
        reader = csv.reader(map(bytes.decode, islice(self._lines, base, None)), delimiter=self._delimiter, strict=True)
        for fields in reader:
            end = base + reader.line_num
            if not fields:
                self._next = end
                continue
            raw = self._lines[self._next] if end == self._next + 1 else b"".join(self._lines[self._next : end])
            fault = self._fault(fields, raw)
            if fault and end > self._next + 1:
                yield self._line(fault)
                self._next += 1
                return
            yield Record(self._chunk.line + self._next, raw, fields[: self._width], fault)
            self._next = end

    def _line(self, fault: str) -> Record:
        return Record(self._chunk.line + self._next, self._lines[self._next], [], fault)

    def _fault(self, fields: list[str], raw: bytes) -> str | None:
        found = len(fields)
        if found != self._width and (found < self._width or any(fields[self._width :])):
            return f"the row has {found} fields and the header {self._width}: quote a field that holds a delimiter"
        if b"\0" in raw:
            return "the row holds a NUL byte: remove it"
        if len(raw) > LONGEST_RECORD_BYTES:
            most = f"{LONGEST_RECORD_BYTES:,} bytes"
            return f"the row that starts here is longer than {most}: close its quotes or shorten it"
        if b' "' in raw and (blank := _blank_before_quote(fields, raw, self._delimiter)):
            return f"{blank!r} has blanks before its quote: remove them, or quote them too"
        return None

    def _goes_on(self) -> bool:
        return not self._chunk.last and sum(map(len, self._lines[self._next :])) <= LONGEST_RECORD_BYTES


def _blank_before_quote(fields: list[str], raw: bytes, delimiter: str) -> str | None:
    if not _blank_and_quote(delimiter).search(raw):
        return None
    return next((each for each in fields if each.startswith(" ") and each.lstrip(" ").startswith('"')), None)


@cache
def _blank_and_quote(delimiter: str) -> re.Pattern[bytes]:
    between = re.escape(delimiter.encode())
    return re.compile(rb"(?:\A|" + between + rb') +"')
