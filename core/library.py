"""The pipeline as functions, for those who import it."""

import os
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    from core.services.load import LoadResult
    from core.services.query import QueryResult
    from core.services.shard import ShardResult
    from core.services.transform import TransformResult
    from core.sharding import Shard

PathLike: TypeAlias = str | os.PathLike[str]


def transform(  # noqa: PLR0913  (the request's fields, as keywords)
    source: PathLike,
    target: PathLike,
    dataset: str = "sales",
    *,
    on_error: Literal["reject", "fail"] = "reject",
    rejects: PathLike | None = None,
    max_rejects: int | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
) -> "TransformResult":
    """Write the transformed file; it appears whole, or not at all.

    Args:
        source: Path or `file://` URL of a CSV, as it is or compressed by gzip or zstd, or of a Parquet file.
        target: Path or `file://` URL of the file to write: Parquet where it ends in .parquet, CSV compressed by gzip
            where it ends in .gz, else CSV.
        dataset: Name of the dataset, or path of its TOML file.
        on_error: "reject" bad rows to a file, or "fail" at the first.
        rejects: The file of bad rows, JSON lines; the target's with ".rejects.jsonl" when left out, and then only if
            there are any.
        max_rejects: Fail when there are more bad rows than this.
        delimiter: Between fields, one of , ; | or a tab; the one that the header fits when left out.
        encoding: utf-8, utf-16, latin-1 or cp1252; UTF-8 or what a byte order mark says when left out.

    Raises:
        NotFoundError: There is no source, or no folder for the target.
        DataError: The source's header does not fit the dataset, its bytes do not fit the encoding, or bad rows stop the
            work; `errors` says line and column.
    """
    request = {
        "source": os.fspath(source),
        "target": os.fspath(target),
        "dataset": dataset,
        "on_error": on_error,
        "rejects": None if rejects is None else os.fspath(rejects),
        "max_rejects": max_rejects,
        "delimiter": delimiter,
        "encoding": encoding,
    }
    result: TransformResult = _call("transform", request)
    return result


def shard(  # noqa: PLR0913  (the request's fields, as keywords)
    source: PathLike,
    prefix: PathLike,
    *,
    count: int | None = None,
    bytes: int | None = None,  # noqa: A002  (the request's field)
    key: str | None = None,
    dataset: str = "sales",
    delimiter: str | None = None,
    encoding: str | None = None,
) -> "list[Shard]":
    """Deal a file's rows out to several, letter for letter; all of them appear, or none.

    Args:
        source: As for `transform`.
        prefix: What the files' names start with; a number and .csv follow.
        count: How many files; a row's key decides which.
        bytes: Instead of count, the most that a file has; rows keep their order.
        key: Column that decides, with count; the dataset's key when left out.
        dataset: Name of the dataset, or path of its TOML file.
        delimiter: As for `transform`.
        encoding: As for `transform`.

    Raises:
        NotFoundError: There is no source, or no folder for the shards.
        DataError: The source's header does not fit the dataset.
    """
    request = {
        "source": os.fspath(source),
        "prefix": os.fspath(prefix),
        "dataset": dataset,
        "key": key,
        "count": count,
        "bytes": bytes,
        "delimiter": delimiter,
        "encoding": encoding,
    }
    result: ShardResult = _call("shard", request)
    return result.shards


def load(
    source: PathLike,
    database: PathLike,
    table: str | None = None,
    *,
    dataset: str = "sales",
    mode: Literal["replace", "append"] = "replace",
) -> "LoadResult":
    """Load a transformed CSV in one visible step.

    Args:
        source: Path or `file://` URL of what transform wrote: CSV, CSV compressed by gzip or zstd, or Parquet.
        database: `sqlite:///relative.db`, `duckdb:////absolute.duckdb` or a path.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset, or path of its TOML file.
        mode: "replace" the table, or "append" the records whose key is new to it.

    Raises:
        NotFoundError: There is no source, or no folder for the database.
        DataError: The source does not fit the dataset; the table is as it was.
        DatabaseError: The database failed; the table is as it was.
    """
    request = {
        "source": os.fspath(source),
        "database": os.fspath(database),
        "table": table,
        "dataset": dataset,
        "mode": mode,
    }
    result: LoadResult = _call("load", request)
    return result


def query(  # noqa: PLR0913  (the request's fields, as keywords)
    database: PathLike | Sequence[PathLike],
    group_by: Sequence[str] = (),
    filters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    aggregates: Sequence[Mapping[str, Any]] | None = None,
    *,
    order_by: Sequence[str | Mapping[str, Any]] = (),
    limit: int | None = None,
    query: str | None = None,
    table: str | None = None,
    dataset: str = "sales",
) -> list[dict[str, Any]]:
    """Aggregates over a table, a dict a group.

    Sums of amounts are Decimal and exact to the cent; averages are the double nearest to the exact quotient.

    Args:
        database: `sqlite:///relative.db`, `duckdb:////absolute.duckdb` or a path, also of a CSV or Parquet file; or a
            list of such, each with a part of the rows.
        group_by: Columns to group by.
        filters: `{"Region": "Asia"}` for equality, or a list of `{"column", "op", "value"}`; all must hold.
        aggregates: A list of `{"function", "column", "as"}`; the dataset's metrics when left out.
        order_by: Names of result columns, or `{"by", "descending"}`; by group_by when left out.
        limit: How many rows to give.
        query: Name of a query of the dataset, instead of all from group_by to limit.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset, or path of its TOML file.

    Raises:
        NotFoundError: There is no such database or table.
        RequestError: A column is unknown, or a value does not fit its column; `errors` says where.
        DataError: A file holds what does not fit its dataset.
    """
    request = {
        "database": _urls(database),
        "table": table,
        "dataset": dataset,
        "group_by": group_by if isinstance(group_by, str) else list(group_by),
        "filters": filters if isinstance(filters, Mapping) else list(filters),
        "aggregates": None if aggregates is None else list(aggregates),
        "order_by": order_by if isinstance(order_by, str) else list(order_by),
        "limit": limit,
        "query": query,
    }
    result: QueryResult = _call("query", request)
    return result.rows or []


def queries(
    database: PathLike | Sequence[PathLike],
    asked: Sequence[str | Mapping[str, Any]],
    *,
    table: str | None = None,
    dataset: str = "sales",
) -> dict[str, list[dict[str, Any]]]:
    """Several queries at once; a file is read once for all of them. Gives the rows of each by its name.

    Args:
        database: As for `query`.
        asked: Names of queries of the dataset, or what `query` takes from group_by to limit, with a "name".
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset, or path of its TOML file.

    Raises:
        NotFoundError: There is no such database or table.
        RequestError: A name is unknown, or a value does not fit its column; `errors` says where.
        DataError: A file holds what does not fit its dataset.
    """
    request = {"database": _urls(database), "table": table, "dataset": dataset, "queries": list(asked)}
    result: QueryResult = _call("query", request)
    return {each.name: each.rows for each in result.results or []}


def _urls(database: PathLike | Sequence[PathLike]) -> str | list[str]:
    if isinstance(database, str | os.PathLike):
        return os.fspath(database)
    return [os.fspath(each) for each in database]


def _call(name: str, request: Mapping[str, Any]) -> Any:
    """Run a service, whose module is imported now: who only transforms need not pay for the others."""
    service = import_module(f"core.services.{name}").SERVICE
    return service.run(service.parse(request))
