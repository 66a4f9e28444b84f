"""Says where a CSV is wrong: the exact line, column and value, and what would be right.

The engine is quick and says little; when it refuses a file, this plain reader finds the first bad place.
"""

import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from core.datasets.record import EXPECTED, GRAMMAR, ColumnType, Dataset
from core.errors import DatabaseError, DataError, Fault, PolyfaasError

if TYPE_CHECKING:
    from _csv import Reader

LONGEST_VALUE = 80


def header(path: Path, url: str) -> list[str]:
    """The column names in a CSV's first line.

    Raises:
        DataError: The file is empty, its header is no UTF-8 or no CSV, or a name stands there twice.
    """
    try:
        with _opened(path) as file:
            names = next(csv.reader(file, strict=True), [])
    except csv.Error as error:
        raise _wrong(url, 1, f"the header cannot be read ({error}): save the file as CSV") from error
    except UnicodeDecodeError as error:
        raise _undecodable(path, url, error) from error
    if not names:
        raise _wrong(url, 1, "the file is empty: a CSV starts with a line of column names")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _wrong(url, 1, f"the header names {_quoted(twice)} twice: rename one")
    return names


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
    present = [name for name in unwanted if name in found]
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

    try:
        yield
    except DatabaseError as error:
        if fault := first_fault(path, url, dataset):
            raise fault from error
        raise
    except duckdb.Error as error:
        cause = str(error).splitlines()[0]
        failure = PolyfaasError(f"the engine could not read {url}: {cause}")
        raise first_fault(path, url, dataset) or failure from error


def first_fault(path: Path, url: str, dataset: Dataset) -> DataError | None:
    """The first row that does not fit its dataset, or None when this reader finds nothing wrong."""
    try:
        with _opened(path) as file:
            rows = csv.reader(file, strict=True)
            names = next(rows, [])
            for line, row in _numbered(rows, url):
                if fault := _fault(row, names, dataset):
                    return _wrong(url, line, *fault)
    except UnicodeDecodeError as error:
        return _undecodable(path, url, error)
    except DataError as error:
        return error
    return _mixed_line_ends(path, url)


def _opened(path: Path) -> TextIO:
    return path.open(encoding="utf-8-sig", newline="")


def _numbered(rows: "Reader", url: str) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with the line it starts on; a quoted field may hold line breaks."""
    line = rows.line_num + 1
    try:
        for row in rows:
            if row:
                yield line, row
            line = rows.line_num + 1
    except csv.Error as error:
        detail = f"the quotes of the row that starts here are wrong ({error}): close each, double those inside"
        raise _wrong(url, line, detail) from error


def _fault(row: list[str], names: list[str], dataset: Dataset) -> tuple[str, str | None, str | None] | None:
    """What is wrong with a row: detail, column, value."""
    if len(row) != len(names) and not (len(row) == len(names) + 1 and row[-1] == ""):
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
        first = file.readline().endswith(b"\r\n")
        for line, raw in enumerate(file, 2):
            if raw.endswith(b"\r\n") != first and raw.endswith(b"\n"):
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
