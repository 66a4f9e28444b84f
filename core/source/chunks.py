"""A text in chunks of whole records, each with the line it starts on."""

import codecs
import os
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from core.source.stream import undecodable

if TYPE_CHECKING:
    from concurrent.futures import Future

# A record longer than this is taken for an unclosed quote.
LONGEST_RECORD_BYTES = 4_000_000
# A text that stays in the processor's cache is decoded in a tenth of the time.
CHECKED_BYTES = 1 << 17
LINE_END = re.compile(rb"\r\n|\r|\n")


class Chunk(msgspec.Struct, frozen=True):
    """A part of a text, cut between two records as far as its quotes tell.

    Attributes:
        data: UTF-8.
        line: Number of its first line in the text, from 1.
        last: Whether the text ends with it.
    """

    data: bytes
    line: int
    last: bool


class Chunks:
    """Cuts a text into chunks.

    A quote where no quote belongs can make a cut fall into a record. Whoever reads the records then finds the last
    one unfinished, and gives it back.

    Args:
        blocks: The text.
        size: About how many bytes a chunk has.
        url: Its name in messages.
    """

    def __init__(self, blocks: Iterator[bytes], size: int, url: str) -> None:
        self._blocks = blocks
        self._size = size
        self._url = url
        self._pending = b""
        self._offset = 0
        self._line = 1
        self._ended = False
        self._least = 0
        self._failed: Exception | None = None
        self._ahead: Future[Chunk | None] | None = None

    def __iter__(self) -> Iterator[Chunk]:
        """The chunks; where there are processors for it, the next is got ready while one is worked on."""
        chunk = self.next(self._size)
        if chunk and (chunk.last or len(os.sched_getaffinity(0)) == 1):
            while chunk:
                yield chunk
                chunk = self.next(self._size)
        elif chunk:
            yield from self._ahead_of(chunk)

    def _ahead_of(self, chunk: Chunk | None) -> Iterator[Chunk]:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1, "polyfaas-chunks") as pool:
            while chunk:
                self._ahead = pool.submit(self.next, self._size)
                yield chunk
                chunk = self._ahead.result() if self._ahead else self.next(self._size)

    def next(self, size: int) -> Chunk | None:
        """The next chunk of at most so many bytes, unless a record is longer; None at the end.

        Raises:
            DataError: A byte is not UTF-8.
        """
        size, self._least = max(size, self._least), 0
        self._fill(size)
        length = len(self._pending)
        if self._ended and length <= size:
            return self._take(length) if length else None
        return self._take(boundary(self._pending, min(size, length)) or self._long_record(size))

    def _long_record(self, size: int) -> int:
        """Where the first record ends, which is longer than `size`; too long for a record, it ends with some line."""
        while not (cut := _first_record(self._pending)):
            length = len(self._pending)
            if self._ended:
                return length
            if length > size + LONGEST_RECORD_BYTES:
                return last_line_end(self._pending, length) or length
            self._fill(length + size)
        return cut

    def header(self) -> bytes:
        """The first record, which is then no part of the chunks.

        Raises:
            DataError: A byte is not UTF-8.
        """
        self._fill(self._size)
        return self._take(self._long_record(0)).data if self._pending else b""

    def give_back(self, data: bytes, line: int) -> None:
        """Take the end of the last chunk back: it goes on beyond it."""
        if self._ahead and (chunk := self._settled(self._ahead)):
            self._pending = chunk.data + self._pending
            self._offset -= len(chunk.data)
        self._ahead = None
        self._pending = data + self._pending
        self._offset -= len(data)
        self._line = line
        self._least = 2 * len(data)

    def close(self) -> None:
        """Stop reading: what the text comes from may be closed."""
        if self._ahead:
            self._settled(self._ahead)

    def _settled(self, ahead: "Future[Chunk | None]") -> Chunk | None:
        """The chunk that was got ready; None when there was none or it is wrong: then it was not taken."""
        return None if ahead.exception() else ahead.result()

    def _fill(self, size: int) -> None:
        parts, length = [self._pending], len(self._pending)
        while length < size and not self._ended:
            block = self._block()
            self._ended = block is None
            if block is not None:
                parts.append(block)
                length += len(block)
        self._pending = b"".join(parts)

    def _block(self) -> bytes | None:
        """The next block; what went wrong goes wrong again: a text that failed has not ended."""
        if self._failed:
            raise self._failed
        try:
            return next(self._blocks, None)
        except Exception as error:
            self._failed = error
            raise

    def _take(self, cut: int) -> Chunk:
        data = self._pending[:cut]
        self._check(data)
        self._pending = self._pending[cut:]
        chunk = Chunk(data=data, line=self._line, last=self._ended and not self._pending)
        self._line += line_ends(data)
        self._offset += len(data)
        return chunk

    def _check(self, data: bytes) -> None:
        if data.isascii():
            return
        view, start = memoryview(data), 0
        while start < len(data):
            stop = start + CHECKED_BYTES
            try:
                start += codecs.utf_8_decode(view[start:stop], "strict", stop >= len(data))[1]
            except UnicodeDecodeError as error:
                raise undecodable(self._url, "utf-8", self._offset + start + error.start, block=error) from error


def line_ends(data: bytes) -> int:
    """How many lines end in a text: by CR LF, LF or CR."""
    alone = data.count(b"\r") - data.count(b"\r\n") if b"\r" in data else 0  # looking is quicker than counting
    return data.count(b"\n") + alone


def last_line_end(data: bytes, stop: int) -> int:
    """Where the line after the last line end before `stop` starts, 0 where there is none."""
    found = data.rfind(b"\n", 0, stop)
    if found < 0:
        found = data.rfind(b"\r", 0, max(0, stop - 1))  # the last byte may be the first half of a line end
    return found + 1


def _first_record(data: bytes) -> int:
    """Where the first record ends, 0 where it goes on beyond the data."""
    stop, odd = 0, 0
    while match := LINE_END.search(data, stop):
        odd ^= data.count(b'"', stop, match.end()) & 1
        stop = match.end()
        if not odd:
            return stop
    return 0


def boundary(data: bytes, stop: int) -> int:
    """Where the last whole record before `stop` ends: after a line end that an even number of quotes comes before."""
    cut = last_line_end(data, stop)
    odd = b'"' in data and data.count(b'"', 0, cut) & 1
    while odd:
        earlier = last_line_end(data, data.rfind(b'"', 0, cut))
        odd ^= data.count(b'"', earlier, cut) & 1
        cut = earlier
    return cut
