"""Service 2: a transformed CSV becomes one table, unique by its key."""

from pathlib import Path
from typing import Literal

import msgspec

from core import database, diagnosis, engine, storage
from core.database import Table, TableColumn
from core.datasets import dataset
from core.datasets.record import Dataset
from core.service import Service

UNTRANSFORMED = "run transform on the file first, and load what it wrote"


class LoadRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to load, and where to.

    Attributes:
        source: URL or path of a CSV that transform wrote.
        database: URL of the database: `sqlite:///relative.db`, `sqlite:////absolute.db`, or a path.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset.
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
    records = dataset(request.dataset).transformed()
    target = database.connect(request.database)
    with storage.reading(request.source) as source:
        header = diagnosis.header(source, request.source)
        diagnosis.require(request.source, header, [column.name for column in records.columns], UNTRANSFORMED)
        table = _table(request.table or records.name, header, records)
        with diagnosis.explained(source, request.source, records), engine.session() as db:
            rows = db.sql(_query(source, header, records))
            loaded, skipped = target.load(table, rows, append=request.mode == "append")
    return LoadResult(rows_loaded=loaded, rows_skipped=skipped, database=request.database, table=table.name)


def _table(name: str, header: list[str], records: Dataset) -> Table:
    types = records.types()
    columns = tuple(TableColumn(column, types.get(column, "text")) for column in header)
    return Table(name=name, columns=columns, key=records.key)


def _query(source: Path, header: list[str], records: Dataset) -> str:
    rows = engine.scan(source, header)
    return f"SELECT {engine.typed(records, header)} FROM {rows} WHERE {engine.valid(records, header)}"


SERVICE = Service(name="load", request=LoadRequest, run=run)
