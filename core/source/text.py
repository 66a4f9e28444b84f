"""Rows as text that the engine reads, and what stands in the way of that."""

import re
from functools import cache

import msgspec

from core.source.chunks import LINE_END, Chunk
from core.source.records import Records

BLANK = (b"\n", b"\r\n", b"\r")


class Text(msgspec.Struct, frozen=True):
    """Rows as text that the engine reads.

    Attributes:
        data: The rows.
        columns: Names of their fields.
        delimiter: Between fields.
        quotes: Whether a field may hold what needs quotes in CSV: a comma, a quote, a line end.
        line_feeds: Whether rows end in a line feed alone; else in carriage return and line feed.
        records: The rows one by one, where they are known already.
    """

    data: bytes
    columns: list[str]
    delimiter: str
    quotes: bool
    line_feeds: bool = True
    records: list[bytes] | None = None

    def split(self, total: int) -> list[bytes]:
        """Its rows, one by one, blank lines left out.

        Raises:
            RefusedError: There are not as many rows as the engine has read.
        """
        if self.records is not None:
            return list(self.records)
        records = self.data.splitlines(keepends=True)
        if b'"' in self.data and len(records) != total:
            chunk = Chunk(self.data, 1, last=True)
            records = [record.raw for record in Records(chunk, self.delimiter, len(self.columns))]
        elif len(records) != total:
            records = [each for each in records if each not in BLANK]
        if len(records) != total:
            raise RefusedError
        return records


class RefusedError(Exception):
    """The engine does not read a text as the plain reader does."""


def straight(chunk: Chunk, columns: list[str], delimiter: str) -> Text | None:
    """A chunk as the engine can read it; None where the engine might read something else than what is written.

    It drops blanks between a field's quotes and the delimiters, takes a NUL, and knows one kind of line end: the first
    that it sees, be it in a field.
    """
    data = chunk.data
    if b"\0" in data:
        return None
    if b'"' not in data:
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return Text(data, columns, delimiter, quotes=delimiter != ",")
    before, after = _patterns(delimiter)
    if before.search(data) or after.search(data):
        return None
    if b"\r" not in data:
        return Text(data, columns, delimiter, quotes=True)
    first = LINE_END.search(data)
    if first is None or first[0] != b"\r\n" or data.count(b'"', 0, first.start()) % 2:
        return None
    return Text(data, columns, delimiter, quotes=True, line_feeds=False)


@cache
def _patterns(delimiter: str) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Blanks before a quote, and after one; both start with a literal, which is what makes the search quick."""
    between = re.escape(delimiter.encode())
    before = re.compile(rb' "(?:(?<=[\r\n ] ")|(?<=' + between + rb' ")|(?<=\A "))')
    after = re.compile(rb'" (?: *)(?:["\r\n]|' + between + rb"|\Z)")
    return before, after
