"""Service 4: a large file becomes several, for as many functions to work on at once."""

from typing import Annotated

import msgspec

from core import memory, sharding
from core.datasets import dataset
from core.datasets.grammar import Type
from core.errors import Fault, RequestError
from core.service import Service
from core.sharding import Shard, Shards
from core.source import file
from core.source.dialect import Dialect, Encoding
from core.source.header import quoted

# Each is an open file.
MOST_SHARDS = 500


class ShardRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to deal out, and how: by the hash of a key into `count` files, or in order into files of `bytes`.

    Attributes:
        source: URL or path of a CSV, as it is or compressed by gzip or zstd, or of a Parquet file.
        prefix: What the files' URLs start with; a number and .csv follow.
        dataset: Name of the dataset, or path of its TOML file.
        key: Column whose equal values come into one file; the dataset's key when left out.
        count: How many files, 1 to 500.
        bytes: The most that a file has, its header included; more only where one row is longer.
        delimiter: Between fields, one of , ; | or a tab; the one that the header fits when left out.
        encoding: Of the source; UTF-8 when left out, or UTF-16 where a byte order mark says so.
    """

    source: str
    prefix: str
    dataset: str = "sales"
    key: str | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_SHARDS)] | None = None
    bytes: Annotated[int, msgspec.Meta(ge=1)] | None = None
    delimiter: str | None = None
    encoding: Encoding | None = None


class ShardResult(msgspec.Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        shards: The files, in their order. Rows that fit no dataset are among them: transform sorts them out.
    """

    shards: list[Shard]


def run(request: ShardRequest) -> ShardResult:
    """Write the shards; all of them appear, or none.

    Raises:
        NotFoundError: There is no source, or no folder for the shards.
        DataError: The source's header does not fit the dataset.
        RequestError: Neither count nor bytes is given, or both; there is no such column.
    """
    records = dataset(request.dataset)
    dialect = Dialect(delimiter=request.delimiter, encoding=request.encoding)
    if (request.count is None) == (request.bytes is None):
        raise _wrong("$.count", 'say either "count", to deal out by key, or "bytes", to cut by size')
    if request.bytes is not None and request.key is not None:
        raise _wrong("$.key", '"key" goes with "count": leave it out, or say "count" instead of "bytes"')
    with (
        file.opened(request.source, records, dialect, memory.chunk_bytes()) as rows,
        Shards(request.prefix, rows.header) as shards,
    ):
        if request.count is not None:
            key = _key(request.key or records.key, rows)
            sharding.by_key(rows, shards, key, records.types().get(key, Type()), request.count)
        else:
            sharding.by_size(rows, shards, request.bytes or 0)
        return ShardResult(shards=shards.made())


def _key(column: str, source: file.Source) -> str:
    if column not in source.layout.names:
        raise _wrong("$.key", f'there is no column "{column}": use one of {quoted(source.layout.names)}')
    return column


def _wrong(path: str, detail: str) -> RequestError:
    return RequestError(f"the request to shard is wrong at {path}: {detail}", [Fault(path=path, detail=detail)])


SERVICE = Service(name="shard", request=ShardRequest, run=run)
