"""The pipeline as three functions, for those who import it."""

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

from core import services
from core.service import Service
from core.services.load import LoadResult
from core.services.query import QueryResult
from core.services.transform import TransformResult

PathLike: TypeAlias = str | os.PathLike[str]


def transform(source: PathLike, target: PathLike, dataset: str = "sales") -> TransformResult:
    """Write the transformed CSV; it appears whole, or not at all.

    Args:
        source: Path or `file://` URL of the CSV.
        target: Path or `file://` URL of the CSV to write.
        dataset: Name of the dataset.

    Raises:
        NotFoundError: There is no source, or no folder for the target.
        DataError: The source does not fit the dataset; `errors` says line and column.
    """
    request = {"source": os.fspath(source), "target": os.fspath(target), "dataset": dataset}
    result: TransformResult = _call(services.transform.SERVICE, request)
    return result


def load(
    source: PathLike,
    database: PathLike,
    table: str | None = None,
    *,
    dataset: str = "sales",
    mode: Literal["replace", "append"] = "replace",
) -> LoadResult:
    """Load a transformed CSV in one visible step.

    Args:
        source: Path or `file://` URL of what transform wrote.
        database: `sqlite:///relative.db`, `sqlite:////absolute.db` or a path.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset.
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
    result: LoadResult = _call(services.load.SERVICE, request)
    return result


def query(  # noqa: PLR0913  (the request's fields, as keywords)
    database: PathLike,
    group_by: Sequence[str] = (),
    filters: Mapping[str, Any] | Sequence[Mapping[str, Any]] = (),
    aggregates: Sequence[Mapping[str, Any]] | None = None,
    *,
    table: str | None = None,
    dataset: str = "sales",
) -> list[dict[str, Any]]:
    """Aggregates over a loaded table, a dict a group.

    Sums of amounts are Decimal and exact to the cent; averages are the double nearest to the exact quotient.

    Args:
        database: `sqlite:///relative.db`, `sqlite:////absolute.db` or a path.
        group_by: Columns to group and order by; none gives one row.
        filters: `{"Region": "Asia"}` for equality, or a list of `{"column", "op", "value"}`; all must hold.
        aggregates: A list of `{"function", "column", "as"}`; the dataset's metrics when left out.
        table: Name of the table; the dataset's when left out.
        dataset: Name of the dataset.

    Raises:
        NotFoundError: There is no such database or table.
        RequestError: A column is unknown, or a value does not fit its column; `errors` says where.
    """
    request = {
        "database": os.fspath(database),
        "table": table,
        "dataset": dataset,
        "group_by": group_by if isinstance(group_by, str) else list(group_by),
        "filters": filters if isinstance(filters, Mapping) else list(filters),
        "aggregates": None if aggregates is None else list(aggregates),
    }
    result: QueryResult = _call(services.query.SERVICE, request)
    return result.rows


def _call(service: Service, request: Mapping[str, Any]) -> Any:
    return service.run(service.parse(request))
