"""A file's rows dealt out to several files, letter for letter, each with the header."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING, Self

import msgspec

from core import engine, storage
from core.datasets.grammar import INTEGER, Type
from core.source.chunks import Chunk
from core.source.file import Source
from core.source.records import Records
from core.source.text import RefusedError, Text, straight
from core.transformation import sql

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class Shard(msgspec.Struct, frozen=True):
    """One of the files.

    Attributes:
        url: Where it is.
        rows: Its rows, without the header.
        bytes: Its size.
    """

    url: str
    rows: int
    bytes: int


class Shards:
    """The files that rows are dealt out to; all appear when the context ends well, none otherwise.

    Args:
        prefix: URL that their names start with; a number and .csv follow.
        header: The first line of each.
    """

    def __init__(self, prefix: str, header: str) -> None:
        self._prefix = prefix
        self._header = header.encode() + b"\n"
        self._stack = ExitStack()
        self._files: list[IO[bytes]] = []
        self._rows: list[int] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        for file in self._files:
            file.close()
        self._stack.__exit__(*raised)  # type: ignore[arg-type]  # what with gives
        if raised[0] is None:
            self._remove_older()

    def add(self, number: int, rows: bytes, count: int) -> None:
        """Write rows to the file of that number; it is made when it is the next."""
        while number >= len(self._files):
            self._open(len(self._files))
        self._files[number].write(rows)
        self._rows[number] += count

    def size(self, number: int) -> int:
        """How many bytes a file has, the header included, be it made or not."""
        return self._files[number].tell() if number < len(self._files) else len(self._header)

    def made(self) -> list[Shard]:
        """The files, as they are now."""
        return [
            Shard(url=self._url(number), rows=rows, bytes=self.size(number)) for number, rows in enumerate(self._rows)
        ]

    def _open(self, number: int) -> None:
        part = self._stack.enter_context(storage.writing(self._url(number)))
        self._files.append(part.open("wb"))
        self._files[-1].write(self._header)
        self._rows.append(0)

    def _url(self, number: int) -> str:
        return f"{self._prefix}-{number:05d}.csv"

    def _remove_older(self) -> None:
        """Remove what an earlier run with more shards has left: its rows stand in these now."""
        number = len(self._files)
        while storage.exists(self._url(number)):
            storage.remove(self._url(number))
            number += 1


def by_size(source: Source, shards: Shards, limit: int) -> None:
    """Deal out rows in their order, so many bytes to a file, more only where one row is longer."""
    number = 0
    with engine.session() as db:
        while chunk := source.next(max(1, limit - shards.size(number))):
            if shards.size(number) + len(chunk.data) > limit and shards.size(number) > shards.size(number + 1):
                number += 1
            shards.add(number, *_ended(*_rows(db, chunk, source)))


def by_key(source: Source, shards: Shards, column: str, kind: Type, count: int) -> None:
    """Deal out rows by the hash of a column, so that rows of one key come into one file, in their order."""
    for number in range(count):
        shards.add(number, b"", 0)
    plain = _plain_number(source, column, kind, count)
    with engine.session() as db:
        for chunk in source:
            dealt: list[list[bytes]] = [[] for _ in range(count)]
            for number, record in _numbered(db, chunk, source, _number(column, kind, count), plain):
                dealt[number].append(record)
            for number, records in enumerate(dealt):
                shards.add(number, *_ended(b"".join(records), len(records)))


def _number(column: str, kind: Type, count: int) -> str:
    """The number of a row's shard, in SQL: the lower half of the MD5 of its key's canonical text."""
    field = f"coalesce({engine.name(column)}, '')"
    if kind.kind == "integer":
        whole = f"regexp_full_match({field}, {engine.text(INTEGER)})"
        field = f"CASE WHEN {whole} THEN try_cast({field} AS BIGINT)::VARCHAR ELSE {field} END"
    return f"md5_number_lower({field}) % {count}"


def _plain_number(source: Source, column: str, kind: Type, count: int) -> Callable[[list[str]], int]:
    """The same for the fields of a row; the first shard takes what is no row."""
    at = source.layout.index()[column]

    def number(fields: list[str]) -> int:
        if len(fields) <= at:
            return 0
        key = fields[at]
        if kind.kind == "integer" and re.fullmatch(INTEGER, key):
            key = str(int(key))
        digest = hashlib.md5(key.encode(), usedforsecurity=False).digest()
        return int.from_bytes(digest[8:], "little") % count

    return number


def _numbered(
    db: "DuckDBPyConnection", chunk: Chunk, source: Source, number: str, plain: Callable[[list[str]], int]
) -> Iterator[tuple[int, bytes]]:
    """Each row of a chunk with the number of its shard."""
    import duckdb

    if text := _text(chunk, source):
        try:
            numbers = _asked(db, text, number)
            return zip(numbers, text.split(len(numbers)), strict=True)
        except (duckdb.InvalidInputException, RefusedError):
            pass
    return ((plain(fields), raw) for fields, raw in _read(chunk, source))


def _rows(db: "DuckDBPyConnection", chunk: Chunk, source: Source) -> tuple[bytes, int]:
    """The rows of a chunk that are whole, and their number."""
    import duckdb

    if text := _text(chunk, source):
        try:
            return chunk.data, _asked(db, text, "count(*)")[0]
        except duckdb.InvalidInputException:
            pass
    records = [raw for _, raw in _read(chunk, source)]
    return b"".join(records), len(records)


def _ended(rows: bytes, count: int) -> tuple[bytes, int]:
    """The rows with a line end after the last."""
    return (rows if rows.endswith((b"\n", b"\r")) or not rows else rows + b"\n"), count


def _text(chunk: Chunk, source: Source) -> Text | None:
    return straight(chunk, sql.scanned_columns(source.layout), source.delimiter)


def _asked(db: "DuckDBPyConnection", text: Text, value: str) -> list[int]:
    with engine.memory_file(text.data) as (_, path):
        return [number for (number,) in db.execute(f"SELECT {value} FROM {sql.scan(path, text)}").fetchall()]


def _read(chunk: Chunk, source: Source) -> Iterator[tuple[list[str], bytes]]:
    records = Records(chunk, source.delimiter, len(source.layout.names))
    for record in records:
        yield record.fields, record.raw
    rest, line = records.rest()
    if rest:
        source.give_back(rest, line)
