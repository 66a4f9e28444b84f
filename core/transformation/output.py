"""What transform writes to: CSV, CSV compressed by gzip, or Parquet, by the target's name."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Protocol

from core import engine
from core.datasets.record import Dataset
from core.transformation import sql
from core.transformation.text import line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Level 6 takes three times as long for 18 % less.
GZIP_LEVEL = 1


class Output(Protocol):
    """Takes the rows of a target, select by select."""

    def add(self, select: str) -> int:
        """Write the rows of a select, all or none; gives their number."""
        ...

    def finish(self) -> None:
        """Write what is still to be written."""
        ...


class CsvOutput:
    """Rows as CSV.

    Args:
        db: The session that selects.
        file: What to write to.
        columns: Names for the header.
    """

    def __init__(self, db: "DuckDBPyConnection", file: IO[bytes], columns: Sequence[str]) -> None:
        self._db = db
        self._file = file
        self._file.write(line(columns).encode())

    def add(self, select: str) -> int:
        """Write the rows of a select, all or none; gives their number."""
        with memory_file() as (file, path):
            copy = f"COPY ({select}) TO {engine.text(path)} (FORMAT csv, HEADER false, USE_TMP_FILE false)"
            (written,) = engine.row(self._db, copy)
            file.seek(0)
            while block := file.read(1 << 20):
                self._file.write(block)
        return int(written)

    def finish(self) -> None:
        """Nothing is left to do."""


class ParquetOutput:
    """Rows as Parquet, each column as its type; they are gathered by the engine, which spills to disk what is too much.

    Args:
        db: The session that selects.
        path: What to write to.
        dataset: What transform writes.
        columns: Names, in order.
    """

    def __init__(self, db: "DuckDBPyConnection", path: Path, dataset: Dataset, columns: Sequence[str]) -> None:
        self._db = db
        self._path = path
        self._select = sql.stored(dataset, columns)
        texts = ", ".join(f"NULL::VARCHAR AS {engine.name(column)}" for column in columns)
        db.execute(f"CREATE OR REPLACE TEMP TABLE output AS SELECT {self._select} FROM (SELECT {texts}) LIMIT 0")

    def add(self, select: str) -> int:
        """Write the rows of a select, all or none; gives their number."""
        (written,) = engine.row(self._db, f"INSERT INTO output SELECT {self._select} FROM ({select})")
        return int(written)

    def finish(self) -> None:
        """Write the file."""
        self._db.execute(f"COPY output TO {engine.text(self._path)} (FORMAT parquet, USE_TMP_FILE false)")


@contextmanager
def output(
    db: "DuckDBPyConnection", part: Path, url: str, dataset: Dataset, columns: Sequence[str]
) -> Iterator[Output]:
    """The output for a target's name.

    Args:
        db: The session that selects.
        part: What to write to.
        url: The target's name: .parquet is Parquet, .gz is compressed CSV, all else is CSV.
        dataset: What transform writes.
        columns: Names, in order.
    """
    if url.endswith(".parquet"):
        yield ParquetOutput(db, part, dataset, columns)
        return
    with part.open("wb") as file:
        if url.endswith(".gz"):
            import gzip

            with gzip.GzipFile("", "wb", GZIP_LEVEL, file, mtime=0) as compressed:
                yield CsvOutput(db, compressed, columns)  # type: ignore[arg-type]  # it writes bytes, as IO does
        else:
            yield CsvOutput(db, file, columns)


@contextmanager
def memory_file(data: bytes = b"") -> Iterator[tuple[IO[bytes], Path]]:
    """A file in memory that the engine can open by its path."""
    with os.fdopen(os.memfd_create("polyfaas"), "w+b", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        yield file, Path(f"/proc/self/fd/{file.fileno()}")
