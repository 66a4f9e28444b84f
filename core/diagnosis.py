"""Says where a CSV is wrong: the exact line, column and value, and what would be right.

The engine is quick and says little; when it refuses a file, this plain reader finds the first bad place.
"""

import csv
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from core.datasets.record import EXPECTED, GRAMMAR, ColumnType, Dataset
from core.engine import LONGEST_ROW_BYTES
from core.errors import DatabaseError, DataError, Fault, PolyfaasError

if TYPE_CHECKING:
    from _csv import Reader

LONGEST_VALUE = 80
CHUNK_BYTES = 1 << 20
LINE_END = re.compile(rb"\r\n|\r|\n")
# What the engine reads in silence, without the blanks: they stand outside the quotes of a field. Both start with a
# literal, which is what makes the search quick.
BLANK_AND_QUOTE = re.compile(rb' "(?<=[,\r\n ] ")')
QUOTE_AND_BLANK = re.compile(rb'" (?: *)(?:["\r\n,]|\Z)')
BLANK_BEFORE_QUOTE = re.compile(r'(?:\A|,) +"')


def header(path: Path, url: str) -> list[str]:
    """The column names in a CSV's first line.

    Raises:
        DataError: The file is empty, its header is no UTF-8 or no CSV, or a name stands there twice or is empty.
    """
    try:
        with _opened(path) as file:
            names = next(csv.reader(_Lines(file), strict=True), [])
    except _TooLongError as error:
        raise _wrong(url, 1, f"the first line is longer than {LONGEST_ROW_BYTES:,} bytes: is it CSV?") from error
    except csv.Error as error:
        raise _wrong(url, 1, f"the header cannot be read ({error}): save the file as CSV") from error
    except UnicodeDecodeError as error:
        raise _undecodable(path, url, error) from error
    if not names:
        found = "first line is blank" if path.stat().st_size else "file is empty"
        raise _wrong(url, 1, f"the {found}: a CSV starts with a line of column names")
    _check_names(url, names)
    return names


def _check_names(url: str, names: list[str]) -> None:
    for number, name in enumerate(names, 1):
        if not name or "\0" in name:
            raise _wrong(url, 1, f"column {number} of the header has no name, or a NUL in it: name it or drop it")
    lowered = [name.lower() for name in names]
    twice = sorted({name for name in names if lowered.count(name.lower()) > 1})
    if twice:
        raise _wrong(url, 1, f"the header names {_quoted(twice)} twice (case does not count): rename one")


def require(url: str, found: list[str], needed: list[str], cure: str) -> None:
    """Check that a header has the needed columns.

    Raises:
        DataError: Some are missing; the message names them and the cure.
    """
    missing = [name for name in needed if name not in found]
    if missing:
        raise _wrong(url, 1, f"the header lacks {_quoted(missing)}: {cure}")


def refuse(url: str, found: list[str], unwanted: list[str], reason: str) -> None:
    """Check that a header has none of the unwanted columns.

    Raises:
        DataError: Some are there; the message names them and the reason.
    """
    lowered = {name.lower() for name in found}
    present = [name for name in unwanted if name.lower() in lowered]
    if present:
        raise _wrong(url, 1, f"the header already has {_quoted(present)}: {reason}")


@contextmanager
def explained(path: Path, url: str, dataset: Dataset) -> Iterator[None]:
    """Turn a failure of the engine or a database over this file into the error that names the bad place.

    Raises:
        DataError: The file is wrong.
        DatabaseError: The database failed, and the file is good.
        PolyfaasError: The engine failed, and the file is good.
    """
    import duckdb

    if _blank_beside_quote(path) and (fault := first_fault(path, url, dataset)):
        raise fault
    try:
        yield
    except (DatabaseError, duckdb.Error) as error:
        fault = first_fault(path, url, dataset)
        if fault is None and "CSV" in str(error):
            fault = _mixed_line_ends(path, url)
        if fault is None and isinstance(error, DatabaseError):
            raise
        failure = PolyfaasError(f"the engine could not read {url}: {str(error).splitlines()[0]}")
        raise fault or failure from error


def first_fault(path: Path, url: str, dataset: Dataset) -> DataError | None:
    """The first row that does not fit its dataset, or None when this reader finds nothing wrong."""
    try:
        with _opened(path) as file:
            lines = _Lines(file)
            rows = csv.reader(lines, strict=True)
            names = next(rows, [])
            lines.taken()
            for line, row in _numbered(rows, url):
                raw = lines.taken()
                if row and (fault := _fault(row, names, dataset) or _blank_before_quote(raw, row, names)):
                    return _wrong(url, line, *fault)
    except UnicodeDecodeError as error:
        return _undecodable(path, url, error)
    except DataError as error:
        return error
    return None


def _opened(path: Path) -> TextIO:
    csv.field_size_limit(sys.maxsize)  # Python's own 128 KiB a field; `_Lines` sets the limit here
    return path.open(encoding="utf-8-sig", newline="")


class _TooLongError(Exception):
    """A row is longer than the engine reads."""


class _Lines:
    """The lines of a file for the CSV reader; keeps those of the row that is being read.

    Args:
        file: Opened without translation of line ends.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._row: list[str] = []
        self._bytes = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW_BYTES + 1)
        self._bytes += len(line.encode())
        if self._bytes > LONGEST_ROW_BYTES:
            raise _TooLongError
        if not line:
            raise StopIteration
        self._row.append(line)
        return line

    def taken(self) -> str:
        """The row as it stands in the file, since the last call."""
        row = "".join(self._row)
        self._row.clear()
        self._bytes = 0
        return row


def _blank_beside_quote(path: Path) -> bool:
    """Whether a blank may stand between a field's quotes and the commas; `first_fault` tells for sure."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            lines = b"\n" + chunk + file.readline(CHUNK_BYTES)
            if b'"' in lines and (BLANK_AND_QUOTE.search(lines) or QUOTE_AND_BLANK.search(lines)):
                return True
    return False


def _blank_before_quote(raw: str, row: list[str], names: list[str]) -> tuple[str, str | None, str | None] | None:
    for name, value in zip(names, row, strict=False):
        if value.startswith(" ") and value.lstrip(" ").startswith('"') and BLANK_BEFORE_QUOTE.search(raw):
            return f"{_shown(value)} has blanks before its quote: remove them, or quote them too", name, value
    return None


def _numbered(rows: "Reader", url: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it starts on; a quoted field may hold line breaks, a blank line is a row of none."""
    line = rows.line_num + 1
    try:
        for row in rows:
            yield line, row
            line = rows.line_num + 1
    except _TooLongError as error:
        detail = f"the row that starts here is longer than {LONGEST_ROW_BYTES:,} bytes: close its quotes or shorten it"
        raise _wrong(url, line, detail) from error
    except csv.Error as error:
        detail = f"the quotes of the row that starts here are wrong ({error}): close each, double those inside"
        raise _wrong(url, line, detail) from error


def _fault(row: list[str], names: list[str], dataset: Dataset) -> tuple[str, str | None, str | None] | None:
    """What is wrong with a row: detail, column, value."""
    if len(row) < len(names) or any(row[len(names) :]):
        detail = f"the row has {len(row)} fields and the header {len(names)}: quote a field that holds a comma"
        return detail, None, None
    types = dataset.types()
    for name, value in zip(names, row, strict=False):
        if expected := _expected(value, types.get(name, "text"), dataset.mappings.get(name)):
            return f"{_shown(value)} is not {expected}", name, value
    return None


def _expected(value: str, kind: ColumnType, mapping: dict[str, str] | None) -> str | None:
    """What should stand there instead, or None when the value is good."""
    if mapping is not None:
        return None if value in mapping else f"one of {', '.join(mapping)}"
    if kind == "text" or (re.fullmatch(GRAMMAR[kind], value) and (kind != "date" or _in_calendar(value))):
        return None
    return EXPECTED[kind]


def _in_calendar(value: str) -> bool:
    month, day, year = map(int, value.split("/"))
    try:
        date(year, month, day)
    except ValueError:
        return False
    return True


def _undecodable(path: Path, url: str, found: UnicodeDecodeError) -> DataError:
    """The error for the first byte that is not UTF-8; the decoder saw it, but counts from its own block."""
    position = 0
    with path.open("rb") as file:
        for line, raw in enumerate(file, 1):
            try:
                raw.decode()
            except UnicodeDecodeError as error:
                byte = f"byte {position + error.start} (0x{raw[error.start]:02x}) is not UTF-8"
                return _wrong(url, line, f"{byte}: save the file as UTF-8")
            position += len(raw)
    return _wrong(url, 1, f"the file is not UTF-8 ({found.reason}): save it as UTF-8")


def _mixed_line_ends(path: Path, url: str) -> DataError | None:
    with path.open("rb") as file:
        ends = (end for raw in file for end in LINE_END.findall(raw))
        first = next(ends, b"")
        for line, end in enumerate(ends, 2):
            if end != first:
                return _wrong(url, line, "the line ends differently from line 1: make all CRLF or all LF")
    return None


def _wrong(url: str, line: int, detail: str, column: str | None = None, value: str | None = None) -> DataError:
    place = f"{url}, line {line}" + (f', column "{column}"' if column else "")
    shown = value if value is None else value[:LONGEST_VALUE]
    fault = Fault(source=url, line=line, column=column, value=shown, detail=detail)
    return DataError(f"{place}: {detail}", [fault])


def _shown(value: str) -> str:
    if not value:
        return "an empty field"
    return repr(value if len(value) <= LONGEST_VALUE else value[:LONGEST_VALUE] + "...")


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
