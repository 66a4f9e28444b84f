"""Service 3: aggregates over a table, grouped and filtered; also over a table that is spread over many databases."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, TypeAlias

import msgspec

from core import database
from core.database import Database
from core.database.answer import Question, answers
from core.datasets import dataset
from core.datasets.grammar import Type
from core.datasets.record import Dataset, Filter, NamedQuery, Order, Scalar
from core.errors import Fault, RequestError
from core.profiler import span
from core.service import Service
from core.services.selection import AggregateRequest, Asked, question, unknown

Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
MOST_QUERIES = 50


class QueryRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to ask.

    Attributes:
        database: URL of the database, or a list of URLs that each hold a part of the table's rows.
        table: Name of the table; the dataset's when left out. A CSV or Parquet file is one table of any name.
        dataset: Name of the dataset, whose metrics are the default aggregates.
        group_by: Columns to group by; none gives one row.
        filters: `{"Region": "Asia"}` for equality (null for "is null"), or a list of filters; all must hold.
        aggregates: What to compute for each group; the dataset's metrics when left out.
        order_by: Columns of group_by or names of aggregates; what is equal is ordered by group_by. No value comes
            last in both directions; texts are ordered by code point.
        limit: How many rows to give; all when left out.
        query: Name of a query of the dataset, instead of all the fields from group_by to limit.
        queries: Several queries at once, by name or in full, instead of one; a file is read once for all of them.
    """

    database: str | list[str]
    table: str | None = None
    dataset: str = "sales"
    group_by: list[str] = []
    filters: dict[str, Scalar] | list[Filter] = {}
    aggregates: list[AggregateRequest] | None = None
    order_by: list[str | Order] = []
    limit: Limit | None = None
    query: str | None = None
    queries: list[str | Asked] | None = None


class NamedRows(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one of several queries.

    Attributes:
        name: The query's name, or its place in the request, from "1", where it has none.
        rows: As in `QueryResult`.
        row_count: Number of rows.
    """

    name: str
    rows: list[dict[str, Any]]
    row_count: int


class QueryResult(msgspec.Struct, frozen=True, kw_only=True):
    """The answer: rows and row_count to one query, results to several.

    Attributes:
        rows: An object a group: the group's columns, then the aggregates, by name. Amounts are exact.
        row_count: Number of rows.
        results: An answer a query, in the order of the request.
    """

    rows: list[dict[str, Any]] | msgspec.UnsetType = msgspec.UNSET
    row_count: int | msgspec.UnsetType = msgspec.UNSET
    results: list[NamedRows] | msgspec.UnsetType = msgspec.UNSET


def run(request: QueryRequest) -> QueryResult:
    """Compute the aggregates.

    Raises:
        NotFoundError: There is no such database or table.
        RequestError: A column is unknown, or a value does not fit its column.
        DataError: A file holds what does not fit its dataset.
    """
    records = dataset(request.dataset)
    asked = _asked(request, records)
    databases = _databases(request.database, records)
    table = request.table or records.name
    with span("inspect"):
        types = _types(databases, table, request.database)
    questions = [question(each, types, records.metrics, table, path) for path, each in asked.items()]
    with span("select"):
        found = answers(databases, questions)
    results = [_named_rows(*each) for each in zip(_names(asked.values()), questions, found, strict=True)]
    if request.queries is not None:
        return QueryResult(results=results)
    return QueryResult(rows=results[0].rows, row_count=results[0].row_count)


def _named_rows(name: str, question: Question, rows: Sequence[tuple[Any, ...]]) -> NamedRows:
    named = [dict(zip(question.names, row, strict=True)) for row in rows]
    return NamedRows(name=name, rows=named, row_count=len(named))


def _asked(request: QueryRequest, records: Dataset) -> dict[str, Asked]:
    """The queries of a request in full, by their JSON paths."""
    one = Asked(
        group_by=request.group_by,
        filters=request.filters or {},
        aggregates=request.aggregates,
        order_by=request.order_by,
        limit=request.limit,
    )
    if request.query is None and request.queries is None:
        return {"$": one}
    if one != Asked() or None not in (request.query, request.queries):
        path = "$.query" if request.query is not None else "$.queries"
        raise _wrong(path, "it excludes group_by, filters, aggregates, order_by, limit and the other of its kind")
    if request.queries is None:
        return {"$.query": _by_name(str(request.query), records, "$.query")}
    return _several(request.queries, records)


def _several(queries: Sequence[str | Asked], records: Dataset) -> dict[str, Asked]:
    if not 0 < len(queries) <= MOST_QUERIES:
        raise _wrong("$.queries", f"there are {len(queries)} queries: give 1 to {MOST_QUERIES}")
    asked = {}
    for index, each in enumerate(queries):
        path = f"$.queries[{index}]"
        asked[path] = _by_name(each, records, path) if isinstance(each, str) else each
    names = _names(asked.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _wrong("$.queries", f'two of them would be called "{twice[0]}": give one another name')
    return asked


def _names(asked: Iterable[Asked]) -> list[str]:
    return [each.name or str(number) for number, each in enumerate(asked, 1)]


def _by_name(name: str, records: Dataset, path: str) -> Asked:
    queries = {query.name: query for query in records.queries}
    if name not in queries:
        raise _wrong(path, unknown("query", name, queries))
    return _in_full(queries[name])


def _in_full(query: NamedQuery) -> Asked:
    aggregates = [AggregateRequest(each.function, each.column, each.name) for each in query.aggregates]
    return Asked(
        name=query.name,
        group_by=list(query.group_by),
        filters=list(query.filters),
        aggregates=aggregates or None,
        order_by=list(query.order_by),
        limit=query.limit,
    )


def _databases(urls: str | list[str], records: Dataset) -> list[Database]:
    listed = [urls] if isinstance(urls, str) else urls
    if not listed:
        raise _wrong("$.database", "the list is empty: name a database")
    if len(set(listed)) < len(listed):
        raise _wrong("$.database", "a database stands there twice: its rows would count twice")
    return [database.connect(url, records) for url in listed]


def _types(databases: Sequence[Database], table: str, urls: str | list[str]) -> dict[str, Type]:
    """The columns of the table, which must be the same in all databases."""
    types = dict(databases[0].columns(table))
    for index, other in enumerate(databases[1:], 1):
        different = _kinds(other.columns(table)) ^ _kinds(types)
        if different:
            named = ", ".join(sorted({f'"{name}"' for name, *_ in different}))
            raise _wrong(f"$.database[{index}]", f"{urls[index]} has other columns than {urls[0]} ({named})")
    return types


def _kinds(types: Mapping[str, Type]) -> set[tuple[str, str, int]]:
    """The columns with what makes their partial aggregates merge."""
    return {(name, kind.kind, kind.scale if kind.kind == "decimal" else 0) for name, kind in types.items()}


def _wrong(path: str, detail: str) -> RequestError:
    return RequestError(f"the request to query is wrong at {path}: {detail}", [Fault(path=path, detail=detail)])


SERVICE = Service(name="query", request=QueryRequest, run=run)
