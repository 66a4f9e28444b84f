"""Service 1: a CSV becomes a cleaner CSV.

Values are changed, columns derived, and of the records with one key only the first stays; the order of the rows
is kept and every other value is passed through letter for letter. Rows that do not fit go to a file of their own.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import msgspec

from core import memory, storage
from core.datasets import dataset
from core.datasets.record import Dataset
from core.errors import Fault, RequestError
from core.profiler import span
from core.service import Service
from core.source import file
from core.source.dialect import Dialect, Encoding
from core.transformation.counts import Counts
from core.transformation.rejects import OnError, Policy, Rejects

# Up to here plain Python is quicker than the engine: before the engine's import, and after it.
PLAIN_COLD_BYTES = 1_500_000
PLAIN_WARM_BYTES = 100_000


class TransformRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to transform.

    Attributes:
        source: URL or path of a CSV, as it is or compressed by gzip or zstd, or of a Parquet file.
        target: URL or path of the file to write: Parquet where it ends in .parquet, CSV compressed by gzip where
            it ends in .gz, else CSV. It appears whole, or not at all.
        dataset: Name of the dataset, or path of its TOML file.
        on_error: "reject" bad rows to a file, or "fail" at the first.
        rejects: URL or path of the file of bad rows, JSON lines; the target's with ".rejects.jsonl" when left out, and
            then only if there are any.
        max_rejects: Fail when there are more bad rows than this; any number when left out.
        delimiter: Between fields, one of , ; | or a tab; the one that the header fits when left out.
        encoding: Of the source; UTF-8 when left out, or UTF-16 where a byte order mark says so.
    """

    source: str
    target: str
    dataset: str = "sales"
    on_error: OnError = "reject"
    rejects: str | None = None
    max_rejects: Annotated[int, msgspec.Meta(ge=0)] | None = None
    delimiter: str | None = None
    encoding: Encoding | None = None


class TransformResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was written. Always, rows_in = rows_out + duplicates + rejected.

    Attributes:
        rows_in: Rows in the source, without its header.
        rows_out: Rows in the target.
        duplicates: Rows dropped because their key stood in an earlier one.
        rejected: Rows that do not fit the dataset.
        bytes_in: Size of the source.
        bytes_out: Size of the target.
        target: As in the request.
        rejects: Where the rejected rows are; null when there is no such file.
    """

    rows_in: int
    rows_out: int
    duplicates: int
    rejected: int
    bytes_in: int
    bytes_out: int
    target: str
    rejects: str | None


def run(request: TransformRequest) -> TransformResult:
    """Write the transformed file, and the bad rows beside it.

    Raises:
        NotFoundError: There is no source, or no folder for the target.
        DataError: The source's header does not fit the dataset, its bytes do not fit the encoding, or bad rows stop the
            work; line and column say where.
    """
    records = dataset(request.dataset)
    dialect = Dialect(delimiter=request.delimiter, encoding=request.encoding)
    policy = Policy(on_error=request.on_error, url=request.rejects, most=request.max_rejects)
    _check_names(request)
    with (
        file.opened(request.source, records, dialect, memory.chunk_bytes()) as rows,
        _writer(rows, request.target, records) as write,
        Rejects(request.source, request.target, policy) as rejects,
    ):
        counts = write(rejects)
    return TransformResult(
        rows_in=counts.good + rejects.count,
        rows_out=counts.good - counts.duplicates,
        duplicates=counts.duplicates,
        rejected=rejects.count,
        bytes_in=rows.bytes_in,
        bytes_out=storage.stat(request.target).size_bytes,
        target=request.target,
        rejects=rejects.url,
    )


def _check_names(request: TransformRequest) -> None:
    if request.rejects is None:
        return
    for other in ("source", "target"):
        if storage.same(request.rejects, getattr(request, other)):
            detail = f"rejects and {other} are one file: name another for the rejects"
            raise RequestError(detail, [Fault(path="$.rejects", detail=detail)])


@contextmanager
def _writer(rows: file.Source, url: str, records: Dataset) -> Iterator[Callable[[Rejects], Counts]]:
    """What transforms the rows, by what is quicker: the bytes are the same."""
    if small(rows.size, url):
        from core.transformation import plain

        with storage.sink(url) as target, span("plain"):
            yield lambda rejects: plain.transform(rows, target, records, rejects)
        return
    from core import engine
    from core.transformation.bulk import Transformation
    from core.transformation.output import output

    columns = [*rows.layout.kept, *(column.name for column in records.derived)]
    with engine.session() as db, output(db, url, records, columns) as out:
        yield Transformation(db, rows, out, records).run


def small(size: int | None, url: str) -> bool:
    """Whether plain Python is to transform a source of so many bytes of text (None: not known) into that target."""
    most = PLAIN_WARM_BYTES if "duckdb" in sys.modules else PLAIN_COLD_BYTES
    return size is not None and size <= most and not url.endswith((".gz", ".parquet"))


SERVICE = Service(name="transform", request=TransformRequest, run=run)
