"""Service 2: a transformed file becomes one table, unique by its key."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from core import database, engine, memory
from core.database import Rows, Table, TableColumn
from core.datasets import dataset
from core.datasets.grammar import Type
from core.datasets.record import Dataset
from core.errors import DatabaseError
from core.service import Service
from core.source import file
from core.source.dialect import CANONICAL
from core.source.text import Text, straight
from core.transformation import sql
from core.transformation.sorting import sorted_out
from core.validation import bad_row, checker

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class LoadRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to load, and where to.

    Attributes:
        source: URL or path of a file that transform wrote: CSV, CSV compressed by gzip or zstd, or Parquet.
        database: URL of the database: `sqlite:///relative.db`, `sqlite:////absolute.db`, `duckdb:///file.duckdb`, or
            a path.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset, or path of its TOML file.
        mode: "replace" the table, or "append" the records whose key is new to it.
    """

    source: str
    database: str
    table: str | None = None
    dataset: str = "sales"
    mode: Literal["replace", "append"] = "replace"


class LoadResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was loaded.

    Attributes:
        rows_loaded: Records that came into the table.
        rows_skipped: Records whose key was there already, in the table or earlier in the source.
        database: As in the request.
        table: The table's name.
    """

    rows_loaded: int
    rows_skipped: int
    database: str
    table: str


def run(request: LoadRequest) -> LoadResult:
    """Load the records in one visible step: readers see the old table or the new one.

    Raises:
        NotFoundError: There is no source, or no folder for the database.
        DataError: The source does not fit the dataset; the table is as it was.
        DatabaseError: The database failed; the table is as it was.
    """
    import duckdb

    records = dataset(request.dataset).transformed()
    try:
        return _load(request, records, careful=False)
    except (DatabaseError, duckdb.Error):
        # The engine says little about a bad row: the plain reader names the place, or writes what the engine reads.
        return _load(request, records, careful=True)


def _load(request: LoadRequest, records: Dataset, *, careful: bool) -> LoadResult:
    target = database.connect(request.database)
    with file.opened(request.source, records, CANONICAL, memory.chunk_bytes()) as rows, engine.session() as db:
        table = _table(request.table or records.name, rows.layout.kept, records)
        batches = _batches(db, rows, records, careful=careful)
        loaded, skipped = target.load(table, batches, append=request.mode == "append")
    return LoadResult(rows_loaded=loaded, rows_skipped=skipped, database=request.database, table=table.name)


def _table(name: str, columns: tuple[str, ...], records: Dataset) -> Table:
    types = records.types()
    return Table(
        name=name, columns=tuple(TableColumn(column, types.get(column, Type())) for column in columns), key=records.key
    )


def _batches(db: "DuckDBPyConnection", source: file.Source, records: Dataset, *, careful: bool) -> Iterator[Rows]:
    """The rows of a file, typed, a chunk at a time; each is to be read before the next is asked for."""
    check = checker(records, source.layout)
    for chunk in source:
        text = None if careful else straight(chunk, sql.scanned_columns(source.layout), source.delimiter)
        if text is None:
            text, bad = sorted_out(chunk, source, check)
            for record, fit in bad:
                raise bad_row(fit.fault(source.url, record.line))
        with engine.memory_file(text.data) as (_, path):
            yield db.sql(_query(path, text, source, records))


def _query(path: Path, text: Text, source: file.Source, records: Dataset) -> str:
    rows = sql.scan(path, text)
    good = f"CASE WHEN {sql.good(records, text.columns)} THEN true ELSE error('bad row') END"
    return f"SELECT {sql.typed(records, source.layout.kept)} FROM {rows} WHERE {good}"


SERVICE = Service(name="load", request=LoadRequest, run=run)
