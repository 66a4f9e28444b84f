"""Service 1: a CSV becomes a cleaner CSV.

Values are mapped, columns derived, and of the records with one key only the first stays; the order of the rows
is kept and every other value is passed through letter for letter.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from core import diagnosis, engine, storage
from core.datasets import dataset
from core.datasets.record import Dataset
from core.errors import StorageError
from core.profiler import span
from core.service import Service

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


class TransformRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to transform.

    Attributes:
        source: URL or path of the CSV.
        target: URL or path of the CSV to write; it appears whole, or not at all.
        dataset: Name of the dataset.
    """

    source: str
    target: str
    dataset: str = "sales"


class TransformResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        rows_in: Records in the source, without its header.
        rows_out: Records in the target.
        duplicates: Records dropped because their key stood in an earlier one; rows_in - rows_out.
        bytes_in: Size of the source.
        bytes_out: Size of the target.
        target: As in the request.
    """

    rows_in: int
    rows_out: int
    duplicates: int
    bytes_in: int
    bytes_out: int
    target: str


def run(request: TransformRequest) -> TransformResult:
    """Write the transformed CSV.

    Raises:
        NotFoundError: There is no source, or no folder for the target.
        DataError: The source does not fit the dataset; line and column say where.
    """
    records = dataset(request.dataset)
    with storage.reading(request.source) as source, storage.writing(request.target) as part:
        header = _header(source, request.source, records)
        with diagnosis.explained(source, request.source, records):
            rows_in, rows_out = _transform(source, part, header, records)
        return TransformResult(
            rows_in=rows_in,
            rows_out=rows_out,
            duplicates=rows_in - rows_out,
            bytes_in=source.stat().st_size,
            bytes_out=part.stat().st_size,
            target=request.target,
        )


def _header(source: Path, url: str, records: Dataset) -> list[str]:
    header = diagnosis.header(source, url)
    needed = [column.name for column in records.columns]
    diagnosis.require(url, header, needed, f"the dataset {records.name} needs {len(needed)} columns by name")
    diagnosis.refuse(url, header, [column.name for column in records.derived], "transform adds them itself")
    return header


def _transform(source: Path, part: Path, header: list[str], records: Dataset) -> tuple[int, int]:
    """Rows read and rows written, in two passes: first the keys of rows that must all be good, then the rows."""
    rows = engine.scan(source, header)
    with engine.session() as db:
        with span("check"):
            valid = engine.valid(records, header)
            db.execute(f"CREATE TEMP TABLE keys AS SELECT {engine.key(records)} AS key FROM {rows} WHERE {valid}")
        with span("deduplicate"):
            total, repeats = _find_repeats(db)
            if repeats:
                rows = _without_repeats(rows)
        with span("write"):
            query = f"SELECT {engine.transformed(records, header)} FROM {rows}"
            copy = f"COPY ({query}) TO {engine.text(part)} (FORMAT csv, HEADER, USE_TMP_FILE false)"
            (written,) = engine.row(db, copy)
    if written != total - repeats:
        raise StorageError(f"the source changed while it was read: {total - repeats} records, then {written}")
    return total, written


def _find_repeats(db: "DuckDBPyConnection") -> tuple[int, int]:
    """The number of keys and of those that stood in an earlier row; the latter are marked, a bit a row."""
    (total,) = engine.row(db, "SELECT count(*) FROM keys")
    if not total:
        return 0, 0
    first = "SELECT key, min(rowid) AS first FROM keys GROUP BY key HAVING count(*) > 1"
    repeated = f"SELECT rowid::INTEGER AS number FROM keys JOIN ({first}) USING (key) WHERE rowid > first"
    db.execute(f"SET VARIABLE repeated = (SELECT bitstring_agg(number, 0, {total - 1}) FROM ({repeated}))")
    db.execute("DROP TABLE keys")
    (repeats,) = engine.row(db, "SELECT coalesce(bit_count(getvariable('repeated')), 0)")
    return total, repeats


def _without_repeats(rows: str) -> str:
    """The table expression `rows` without the marked ones.

    A filter by row number keeps the file's order, which a join would not promise.
    """
    number = "(row_number() OVER () - 1)::INTEGER"
    return f"(SELECT * FROM {rows} QUALIFY get_bit(getvariable('repeated'), {number}) = 0)"


SERVICE = Service(name="transform", request=TransformRequest, run=run)
