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
    """Rows read and rows written, in two passes: first the keys, then the rows."""
    with engine.session() as db:
        rows, keep = engine.scan(source, header), "true"
        with span("deduplicate"):
            total, distinct = _count_keys(db, rows, records)
            if distinct < total:
                rows = f"(SELECT *, (row_number() OVER ())::INTEGER AS number FROM {rows})"
                keep = _first_of_each_key(db, rows, records, total)
        with span("write"):
            columns, valid = engine.transformed(records, header), engine.valid(records, header, keep)
            return total, _write(db, f"SELECT {columns} FROM {rows} WHERE {valid}", part)


def _count_keys(db: "DuckDBPyConnection", rows: str, records: Dataset) -> tuple[int, int]:
    return engine.row(db, f"SELECT count(*), count(DISTINCT {engine.key(records)}) FROM {rows}")


def _first_of_each_key(db: "DuckDBPyConnection", numbered: str, records: Dataset, total: int) -> str:
    """A condition on a row's number that does not hold for repeated records.

    The repeated rows are a set of bits, one a row: a filter by number keeps the file's order, which a join
    would not promise.
    """
    db.execute(f"CREATE TEMP TABLE keys AS SELECT {engine.key(records)} AS key, number FROM {numbered}")
    first = "SELECT key, min(number) AS first FROM keys GROUP BY key HAVING count(*) > 1"
    repeated = f"SELECT bitstring_agg(number, 1, {total}) FROM keys JOIN ({first}) USING (key) WHERE number > first"
    db.execute(f"SET VARIABLE repeated = ({repeated})")
    db.execute("DROP TABLE keys")
    return "get_bit(getvariable('repeated'), number - 1) = 0"


def _write(db: "DuckDBPyConnection", query: str, part: Path) -> int:
    (written,) = engine.row(db, f"COPY ({query}) TO {engine.text(part)} (FORMAT csv, HEADER, USE_TMP_FILE false)")
    return int(written)


SERVICE = Service(name="transform", request=TransformRequest, run=run)
