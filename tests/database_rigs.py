"""One table in every kind of database, and what a slow and obvious reader answers to a question about it."""

import csv
import operator
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from core import engine, storage
from core.database import Database, Table, TableColumn, connect
from core.database.answer import answers
from core.datasets.grammar import Type
from core.datasets.record import Column, Dataset
from core.services.selection import Asked, question
from tests import database_servers

TYPES = {
    "id": Type("integer"),
    "Text, of a kind": Type(),
    "whole": Type("integer", optional=True),
    "amount": Type("decimal", scale=2, optional=True),
    "fine": Type("decimal", scale=5, optional=True),
    "double": Type("double", optional=True),
    "day": Type("date", optional=True),
    "time": Type("timestamp", format="YYYY-MM-DD hh:mm:ss", optional=True),
}
DATASET = Dataset(name="kinds", columns=tuple(Column(name, kind) for name, kind in TYPES.items()), key="id")
TABLE = Table(name="kinds", columns=tuple(TableColumn(name, kind) for name, kind in TYPES.items()), key="id")
# As load gives them: an amount is the double nearest to it, a date is text.
SQL_TYPES = {"integer": "BIGINT", "decimal": "DOUBLE", "double": "DOUBLE"}
COLUMNS = [
    f"{engine.name(name)}::{SQL_TYPES.get(kind.kind, 'VARCHAR')} AS {engine.name(name)}" for name, kind in TYPES.items()
]
STORED = {"integer": "BIGINT", "double": "DOUBLE", "date": "DATE", "timestamp": "TIMESTAMP"}
COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "in": lambda value, listed: value in listed,
    "between": lambda value, ends: ends[0] <= value <= ends[1],
}

Record = Mapping[str, Any]


def written(records: Sequence[Record], folder: Path, name: str = "texts.csv") -> Path:
    """The records as CSV."""
    with (folder / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TYPES)
        writer.writerows([shown(record[column]) for column in TYPES] for record in records)
    return folder / name


def shown(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, float) else str(value)


def selected(source: Path) -> str:
    """A select from the CSV, typed as load types it."""
    declared = ", ".join(f"{engine.text(column)}: 'VARCHAR'" for column in TYPES)
    options = f"columns = {{{declared}}}, header = true, auto_detect = false, quote = '\"', escape = '\"'"
    texts = 'coalesce("Text, of a kind", \'\') AS "Text, of a kind"'
    columns = ", ".join([*COLUMNS[:1], texts, *COLUMNS[2:]])
    return f"SELECT {columns} FROM read_csv({engine.text(source)}, {options})"


def loaded(records: Sequence[Record], folder: Path, name: str) -> Database:
    database = connect(str(folder / name))
    with engine.session() as db:
        database.load(TABLE, [db.sql(selected(written(records, folder)))], append=False)
    return database


def in_csv(records: Sequence[Record], folder: Path) -> list[Database]:
    return [connect(str(written(records, folder, "kinds.csv")), DATASET)]


def in_parquet(records: Sequence[Record], folder: Path) -> list[Database]:
    def cast(column: str, kind: Type) -> str:
        sql = STORED.get(kind.kind, f"DECIMAL(15, {kind.scale})" if kind.kind == "decimal" else "VARCHAR")
        return f"{engine.name(column)}::{sql} AS {engine.name(column)}"

    columns = ", ".join(cast(column, kind) for column, kind in TYPES.items())
    return [_parquet(f"SELECT {columns} FROM ({selected(written(records, folder))})", folder / "kinds.parquet")]


def in_parquet_of_texts(records: Sequence[Record], folder: Path) -> list[Database]:
    columns = ", ".join(f"nullif({engine.name(column)}, '') AS {engine.name(column)}" for column in TYPES)
    source = engine.text(written(records, folder))
    query = f"SELECT {columns} FROM read_csv({source}, all_varchar = true, header = true, delim = ',', quote = '\"')"
    return [_parquet(query, folder / "texts.parquet")]


def _parquet(query: str, path: Path) -> Database:
    with engine.session() as db:
        db.execute(f"COPY ({query}) TO {engine.text(path)} (FORMAT parquet)")
    return connect(str(path), DATASET)


def in_sqlite(records: Sequence[Record], folder: Path) -> list[Database]:
    return [loaded(records, folder, "kinds.db")]


def in_duckdb(records: Sequence[Record], folder: Path) -> list[Database]:
    return [loaded(records, folder, "kinds.duckdb")]


def in_stored_sqlite(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_stored(records, folder, f"sqlite+memory://rigs/{folder.name}.db")]


def in_stored_duckdb(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_stored(records, folder, f"duckdb+memory://rigs/{folder.name}")]


def _stored(records: Sequence[Record], folder: Path, url: str) -> Database:
    with engine.session() as db:
        connect(url).load(TABLE, [db.sql(selected(written(records, folder)))], append=False)
    return connect(url)


def in_stored_parquet(records: Sequence[Record], folder: Path) -> list[Database]:
    in_parquet(records, folder)
    storage.copy(str(folder / "kinds.parquet"), f"memory://rigs/{folder.name}.parquet")
    return [connect(f"memory://rigs/{folder.name}.parquet", DATASET)]


def in_parts(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, f"parquet:///{folder}/parts/")]


def in_stored_parts(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, f"parquet+memory://rigs/{folder.name}/?partition_by=day&partition_by=whole")]


def in_postgresql(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, database_servers.postgresql_url())]


def in_mysql(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, database_servers.mysql_url())]


def in_derby(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, database_servers.derby_url())]


def in_dynamodb(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, database_servers.dynamodb_url())]


def in_mongodb(records: Sequence[Record], folder: Path) -> list[Database]:
    return [_served(records, folder, database_servers.mongodb_url())]


def _served(records: Sequence[Record], folder: Path, url: str) -> Database:
    database = connect(url)
    with engine.session() as db:
        database.load(TABLE, [db.sql(selected(written(records, folder)))], append=False)
    database.close()
    return database


def in_shards(records: Sequence[Record], folder: Path) -> list[Database]:
    """Three parts of different kinds, the last of which may be empty."""
    sqlite = loaded(records[::3], folder, "part.db")
    duckdb = loaded(records[1::3], folder, "part.duckdb")
    return [sqlite, duckdb, *in_csv(records[2::3], folder)]


RIGS = {
    "sqlite": in_sqlite,
    "duckdb": in_duckdb,
    "csv": in_csv,
    "parquet": in_parquet,
    "parquet of texts": in_parquet_of_texts,
    "sqlite in a store": in_stored_sqlite,
    "duckdb in a store": in_stored_duckdb,
    "parquet in a store": in_stored_parquet,
    "parquet parts": in_parts,
    "parquet parts in a store": in_stored_parts,
    "postgresql": in_postgresql,
    "mysql": in_mysql,
    "derby": in_derby,
    "dynamodb": in_dynamodb,
    "mongodb": in_mongodb,
    "shards": in_shards,
}


# The databases that load fills: gives the URL of a new one, or of an empty place in one.
FILLED: dict[str, Callable[[Path], str]] = {
    "sqlite": lambda folder: f"sqlite:///{folder}/filled.db",
    "duckdb": lambda folder: f"duckdb:///{folder}/filled.duckdb",
    "sqlite in a store": lambda folder: f"sqlite+memory://rigs/{folder.name}/filled.db",
    "duckdb in a store": lambda folder: f"duckdb+memory://rigs/{folder.name}/filled.duckdb",
    "parquet parts": lambda folder: f"parquet:///{folder}/parts/",
    "parquet parts in a store": lambda folder: f"parquet+memory://rigs/{folder.name}/parts/",
    "postgresql": lambda _: database_servers.postgresql_url(),
    "mysql": lambda _: database_servers.mysql_url(),
    "derby": lambda _: database_servers.derby_url(),
    "dynamodb": lambda _: database_servers.dynamodb_url(),
    "mongodb": lambda _: database_servers.mongodb_url(),
}


def asked(databases: Sequence[Database], *queries: Asked) -> list[list[tuple[Any, ...]]]:
    """The answers of databases to queries, through the checks of the service."""
    types = databases[0].columns("kinds")
    return answers(databases, [question(query, types, (), "kinds", "$") for query in queries])


def reference(records: Sequence[Record], query: Asked) -> list[tuple[Any, ...]]:
    """What the answer must be; `query` orders by nothing else than its groups."""
    assert isinstance(query.filters, list)
    kept = [each for each in records if all(_holds(each[item.column], item.op, item.value) for item in query.filters)]
    keys = {tuple(_plain(each[column]) for column in query.group_by) for each in kept} or (
        {()} if not query.group_by else set()
    )
    rows = []
    for key in sorted(keys, key=lambda values: [(value is None, value) for value in values]):
        own = [each for each in kept if tuple(_plain(each[column]) for column in query.group_by) == key]
        rows.append((*key, *(_aggregate(own, each.function, each.column) for each in query.aggregates or [])))
    return rows[: query.limit]


def _holds(value: Any, op: str, wanted: Any) -> bool:
    if op == "is_null":
        return value is None
    return value is not None and bool(COMPARE[op](_plain(value), wanted))


def _plain(value: Any) -> Any:
    return value + 0.0 if isinstance(value, float) else value


def _aggregate(records: Sequence[Record], function: str, column: str | None) -> Any:
    values: list[Any] = [_plain(each[column]) for each in records if each[column] is not None] if column else [*records]
    if function == "count":
        return len(values)
    if not values:
        return None
    if function in ("min", "max"):
        return (min if function == "min" else max)(values)
    total = sum(map(Fraction, values))
    if function == "avg":
        return float(total / len(values))
    if isinstance(values[0], float):
        return float(total)
    return sum(values, Decimal(0)) if isinstance(values[0], Decimal) else int(total)
