"""A Parquet file as the text of a CSV, row by row in its order."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from core import engine
from core.datasets.grammar import Type, engine_format
from core.datasets.record import Dataset
from core.errors import DataError, Fault, PolyfaasError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@contextmanager
def as_csv(path: Path, url: str, dataset: Dataset) -> Iterator[io.BufferedReader]:
    """The file as CSV with a header, written by the engine as it is read.

    A date or timestamp column is written in the dataset's format; line n + 1 of the text is row n of the file.

    Raises:
        DataError: It is no Parquet file, or a part of it is damaged.
    """
    reading, writing = os.pipe()
    with engine.session() as db, os.fdopen(reading, "rb") as file:
        writer = _Writer(db, _query(db, path, url, dataset), writing)
        writer.start()
        try:
            yield file
        finally:
            file.close()
            writer.join()
    if writer.failure:
        raise _unreadable(url, writer.failure)


class _Writer(threading.Thread):
    """Writes a query's rows to a pipe."""

    def __init__(self, db: "DuckDBPyConnection", query: str, pipe: int) -> None:
        super().__init__(name="polyfaas-parquet", daemon=True)
        self._db = db
        self._query = query
        self._pipe = pipe
        self.failure: Exception | None = None

    def run(self) -> None:
        import duckdb

        try:
            target = engine.text(f"/proc/self/fd/{self._pipe}")
            self._db.execute(f"COPY ({self._query}) TO {target} (FORMAT csv, HEADER, USE_TMP_FILE false)")
        except duckdb.Error as error:
            self.failure = error
        finally:
            os.close(self._pipe)


def _query(db: "DuckDBPyConnection", path: Path, url: str, dataset: Dataset) -> str:
    import glob

    import duckdb

    table = f"read_parquet({engine.text(glob.escape(str(path)))}, hive_partitioning = false)"
    try:
        found = db.execute(f"DESCRIBE SELECT * FROM {table}").fetchall()
    except duckdb.Error as error:
        raise _unreadable(url, error) from error
    types = {alias: column.type for column in dataset.columns for alias in (column.name, *column.aliases)}
    columns = ", ".join(_text(name, sql_type, types.get(name, Type())) for name, sql_type, *_ in found)
    return f"SELECT {columns} FROM {table}"


def _text(column: str, sql_type: str, kind: Type) -> str:
    """A column as the text that a CSV of the dataset would hold."""
    quoted = engine.name(column)
    if kind.kind in ("date", "timestamp") and (sql_type == "DATE" or sql_type.startswith("TIMESTAMP")):
        value = f"strftime({quoted}, {engine.text(engine_format(kind, padded=False))})"
    elif sql_type == "BLOB":
        value = f"decode({quoted})"
    else:
        value = f"{quoted}::VARCHAR"
    return f"nullif({value}, '') AS {quoted}"


def _unreadable(url: str, error: Exception) -> PolyfaasError:
    detail = f"the Parquet file cannot be read ({str(error).splitlines()[0]}): is it whole?"
    return DataError(f"{url}: {detail}", [Fault(source=url, detail=detail)])
