"""What transform writes to: CSV, CSV compressed by gzip, or Parquet, by the target's name."""

import glob
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from core import engine, storage
from core.datasets.record import Dataset
from core.storage import Sink
from core.transformation import sql
from core.transformation.sql import GOOD, KEY
from core.transformation.text import line

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Level 6 takes three times as long for 18 % less.
GZIP_LEVEL = 1
COPIED_BYTES = 1 << 20


class Output(Protocol):
    """Takes the rows of a target, chunk by chunk."""

    def columns(self, *, quotes: bool) -> str:
        """What it needs of each row of `sql.values`, as a select list.

        Args:
            quotes: Whether a value of the input may need quotes.
        """
        ...

    def add(self) -> None:
        """Write what is in the table `rows`: the key, whether the row fits, and these columns."""
        ...

    def check_room(self, done: float) -> None:
        """Check that there is room on the disk for what is still to come.

        Args:
            done: Which part of the source has been read, above 0 and up to 1.

        Raises:
            StorageError: There is not; the message says how much is needed.
        """
        ...

    def finish(self) -> None:
        """Write what is still to be written."""
        ...


class CsvOutput:
    """Rows as CSV.

    Args:
        db: The session that selects.
        file: What to write to.
        check_room: Checks that what it becomes can grow to its end; see `Output.check_room`.
        dataset: What is transformed.
        columns: Names for the header.
    """

    def __init__(
        self,
        db: "DuckDBPyConnection",
        file: Sink,
        check_room: Callable[[float], None],
        dataset: Dataset,
        columns: Sequence[str],
    ) -> None:
        self._db = db
        self._file = file
        self._check_room = check_room
        self._dataset = dataset
        self._columns = columns
        self._file.write(line(columns).encode())

    def columns(self, *, quotes: bool) -> str:
        """The line to write: the engine's own writer takes longer to make it."""
        return f"{sql.line(self._dataset, self._columns, quotes=quotes)} AS line"

    def add(self) -> None:
        """Write what is in the table `rows`."""
        options = "FORMAT csv, HEADER false, QUOTE '', ESCAPE '', USE_TMP_FILE false"
        with engine.memory_file() as (file, path):
            self._db.execute(f"COPY (SELECT line FROM rows) TO {engine.text(path)} ({options})")
            file.seek(0)
            while block := file.read(COPIED_BYTES):
                self._file.write(block)

    def check_room(self, done: float) -> None:
        """Check that the file can grow to its end."""
        self._check_room(done)

    def finish(self) -> None:
        """Nothing is left to do."""


class ParquetOutput:
    """Rows as Parquet, each column as its type. Each chunk becomes a file, and all of them one at the end.

    Args:
        db: The session that selects.
        path: What to write to.
        folder: For the chunks' files.
        dataset: What is transformed.
        columns: Names, in order.
    """

    def __init__(
        self, db: "DuckDBPyConnection", path: Path, folder: Path, dataset: Dataset, columns: Sequence[str]
    ) -> None:
        self._db = db
        self._path = path
        self._folder = folder
        self._typed = sql.stored(dataset, columns)
        self._parts: list[Path] = []
        self._bytes = 0
        texts = ", ".join(f"NULL::VARCHAR AS {engine.name(column)}" for column in columns)
        self._keep(f"SELECT {self._typed} FROM (SELECT NULL AS {GOOD}, {texts} LIMIT 0)")

    def columns(self, *, quotes: bool) -> str:  # noqa: ARG002  (the protocol's)
        """The columns as their types."""
        return self._typed

    def add(self) -> None:
        """Write what is in the table `rows` to a file of its own."""
        self._keep(f"SELECT * EXCLUDE ({KEY}, {GOOD}) FROM rows")

    def _keep(self, query: str) -> None:
        part = self._folder / f"{len(self._parts)}.parquet"
        self._write(query, part)
        self._parts.append(part)
        self._bytes += part.stat().st_size

    def check_room(self, done: float) -> None:
        """Check that the chunks' files can grow to their end; the whole file is about as large."""
        storage.check_room(str(self._folder / "parts"), self._bytes, done)

    def finish(self) -> None:
        """Write the file, on one thread: two would cut it into other groups of rows."""
        parts = ", ".join(engine.text(glob.escape(str(part))) for part in self._parts)
        with engine.one_thread(self._db):
            self._write(f"SELECT * FROM read_parquet([{parts}], hive_partitioning = false)", self._path)

    def _write(self, query: str, path: Path) -> None:
        self._db.execute(f"COPY ({query}) TO {engine.text(path)} (FORMAT parquet, USE_TMP_FILE false)")


@contextmanager
def output(db: "DuckDBPyConnection", url: str, dataset: Dataset, columns: Sequence[str]) -> Iterator[Output]:
    """The output for a target; it appears whole when the context ends well.

    Args:
        db: The session that selects.
        url: The target: .parquet is Parquet, .gz is compressed CSV, all else is CSV.
        dataset: What is transformed.
        columns: Names, in order.
    """
    if url.endswith(".parquet"):
        import tempfile

        with storage.writing(url) as part, tempfile.TemporaryDirectory(prefix="polyfaas-parquet-") as folder:
            yield ParquetOutput(db, part, Path(folder), dataset, columns)
    elif url.endswith(".gz"):
        import gzip

        with (
            storage.sink(url) as target,
            gzip.GzipFile("", "wb", GZIP_LEVEL, target, mtime=0) as file,
        ):
            yield CsvOutput(db, file, lambda done: storage.check_room(url, target.tell(), done), dataset, columns)
    else:
        with storage.sink(url) as target:
            yield CsvOutput(db, target, lambda done: storage.check_room(url, target.tell(), done), dataset, columns)
