"""Whether every provider answered as the in-process call did, byte for byte, and where one first did not."""

import hashlib
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from itertools import zip_longest
from pathlib import Path
from typing import Any

import msgspec

from bench.experiment import LOCAL
from bench.results import CallRecord, Difference, FileRecord, Run
from core.runtime import encode

NOTHING = "nothing"
SHOWN = 120  # characters of a value in a message

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's first difference in one service's answers or files.

    Attributes:
        provider: Who disagrees.
        service: The service it disagrees about.
        where: Which call or file.
        difference: The first place that differs; absent when the call gave no result at all.
        error: Why there was no result.
    """

    provider: str
    service: str
    where: str
    difference: Difference | None = None
    error: str | None = None


def judge(run: Run) -> list[Disagreement]:
    """What keeps providers from agreeing, first of each provider and request or file; empty: all agree."""
    expected = _expected(run)
    found: dict[tuple[str, str], Disagreement] = {}
    for call in run.calls:
        if call.digest is None or call.digest != expected.get(call.request):
            found.setdefault((call.provider, call.request), _about_call(run, call, expected))
    for file in run.files:
        if file.digest is None or file.difference is not None:
            found.setdefault((file.provider, file.file), _about_file(file))
    return list(found.values())


def first_difference(expected: bytes, found: bytes) -> Difference | None:
    """The first place where two JSON texts differ, by value or else by spelling; None when they are equal."""
    if expected == found:
        return None
    for place, ours, theirs in _differences(_decode(expected), _decode(found), "$"):
        return Difference(place, ours, theirs)
    at = next(at for at, (ours, theirs) in enumerate(zip_longest(expected, found)) if ours != theirs)
    begin = max(0, at - 20)
    return Difference(f"byte {at}", _text(expected[begin : at + 40]), _text(found[begin : at + 40]))


def digest(path: Path) -> str:
    """SHA-256 of a file's content: a database's tables row by row, any other file's bytes.

    Raises:
        OSError: The file cannot be read.
        sqlite3.Error: The database cannot be read.
    """
    total = hashlib.sha256()
    for _, piece in _content(path):
        total.update(piece)
    return total.hexdigest()


def file_difference(expected: Path, found: Path) -> Difference | None:
    """The first line or row where two files differ; None when their contents are equal.

    Raises:
        OSError: A file cannot be read.
        sqlite3.Error: A database cannot be read.
    """
    for ours, theirs in zip_longest(_content(expected), _content(found)):
        if ours != theirs:
            place = (ours or theirs)[0]
            return Difference(place, _piece(ours), _piece(theirs))
    return None


def _expected(run: Run) -> dict[str, str]:
    expected: dict[str, str] = {}
    for call in run.calls:
        if call.provider == LOCAL and call.digest is not None:
            expected.setdefault(call.request, call.digest)
    return expected


def _about_call(run: Run, call: CallRecord, expected: dict[str, str]) -> Disagreement:
    difference = None
    error = call.error
    if call.digest is not None:
        kept = {record.digest: bytes(record.result) for record in run.calls if record.result}
        reference = expected.get(call.request)
        difference = first_difference(kept[reference], kept[call.digest]) if reference else None
        error = None if reference else "the in-process call gave no result: there is nothing to agree with"
    where = f"{call.phase} call {call.sequence}, {call.request}"
    return Disagreement(provider=call.provider, service=call.service, where=where, difference=difference, error=error)


def _about_file(file: FileRecord) -> Disagreement:
    return Disagreement(
        provider=file.provider,
        service=file.service,
        where=f"{file.file} after the {file.phase} calls",
        difference=file.difference,
        error=file.error,
    )


def _differences(ours: Any, theirs: Any, path: str) -> Iterator[tuple[str, str, str]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in ours | theirs:
            place = f"{path}.{key}" if key.isidentifier() else f'{path}["{key}"]'
            yield from _differences(ours.get(key, msgspec.UNSET), theirs.get(key, msgspec.UNSET), place)
    elif isinstance(ours, list) and isinstance(theirs, list):
        for at, (our, their) in enumerate(zip_longest(ours, theirs, fillvalue=msgspec.UNSET)):
            yield from _differences(our, their, f"{path}[{at}]")
    elif _spelt(ours) != _spelt(theirs):
        yield path, _spelt(ours), _spelt(theirs)


def _spelt(value: Any) -> str:
    return NOTHING if value is msgspec.UNSET else _text(encode(value))


def _text(value: bytes) -> str:
    text = value.decode(errors="backslashreplace").rstrip("\r\n")
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _piece(piece: tuple[str, bytes] | None) -> str:
    return NOTHING if piece is None else _text(piece[1])


def _content(path: Path) -> Iterator[tuple[str, bytes]]:
    return _tables(path) if path.suffix == ".db" else _lines(path)


def _lines(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            yield f"line {number}", line


def _tables(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for name, schema in tables.fetchall():
            yield f"schema of {name}", f"{schema}\n".encode()
            quoted = name.replace('"', '""')
            rows = connection.execute(f'SELECT * FROM "{quoted}"')
            for number, row in enumerate(rows, 1):
                yield f"{name}, row {number}", f"{row!r}\n".encode()
