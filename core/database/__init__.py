"""Databases by URL: files that load fills (SQLite, DuckDB), files that are only read (CSV, Parquet), and servers.

A database loads a table in one visible step and answers aggregate queries over it. URLs follow SQLAlchemy:
`sqlite:///relative.db` counts from the working directory, `sqlite:////absolute.db` from the root; so do duckdb://,
parquet:// and csv://. A plain path is what its ending says (.duckdb, .parquet, .csv), else an SQLite file. Each can be
an object in a store: `sqlite+s3://bucket/sales.db`, or `s3://bucket/sales.parquet`, by its ending. Servers are named
by host: `postgresql://user@host/database`, `mysql://`, `mongodb://`, `derby://`; DynamoDB's tables by region:
`dynamodb://eu-central-1/table`. `parquet+s3://bucket/prefix/`, with a slash at its end, holds tables of Parquet files.
"""

from importlib import import_module
from pathlib import Path, PurePath
from urllib.parse import parse_qs

from core import access, storage
from core.database.port import Condition, Database, Rows, Selection, Table, TableColumn, check_table_name
from core.datasets.record import Dataset
from core.errors import Fault, RequestError

__all__ = ["Condition", "Database", "Rows", "Selection", "Table", "TableColumn", "check_table_name", "connect"]

KINDS = ("sqlite", "duckdb", "parquet", "csv")
# Where the class is, imported when it is asked for.
SERVERS = {
    "postgresql": "core.database.postgresql:PostgresqlDatabase",
    "mysql": "core.database.mysql:MysqlDatabase",
    "dynamodb": "core.database.dynamodb:DynamodbDatabase",
    "mongodb": "core.database.mongodb:MongodbDatabase",
    "mongodb+srv": "core.database.mongodb:MongodbDatabase",
    "derby": "core.database.derby:DerbyDatabase",
}


def connect(url: str, dataset: Dataset | None = None) -> Database:
    """The database behind a URL; nothing is opened or made yet.

    Args:
        url: URL or path.
        dataset: Tells the types of a CSV's columns; without it they are texts.

    Raises:
        AccessError: It lies outside what may be touched; see `core.access`.
        RequestError: The URL is of no known kind.
    """
    access.check_url(url)
    scheme = url.partition("://")[0]
    if scheme in SERVERS:
        access.check_server(url)
        module, _, name = SERVERS[scheme].partition(":")
        server: Database = getattr(import_module(module), name)(url)
        return server
    if scheme.partition("+")[0] == "parquet" and url.partition("?")[0].endswith("/"):
        return _parts(url)
    kind, store, name = _located(url)
    if store:
        from core.database.stored import StoredDatabase

        place = f"{store}://{name}"
        storage.check(place)
        return StoredDatabase(url, place, lambda path: _of_file(kind, path, url, dataset))
    try:
        path = storage.real_path(name)
    except ValueError as error:
        raise _bad_url(url, f"{url!r} names no database ({error})") from error
    access.check_path(str(path), url)
    return _of_file(kind, path, url, dataset)


def _parts(url: str) -> Database:
    """The tables of Parquet files under a prefix."""
    from core.database.parts import ParquetParts

    plain, asked, options = url.partition("?")
    named = parse_qs(options, keep_blank_values=True) if asked else {}
    if named.keys() - {"partition_by"}:
        raise _bad_url(url, "the only option of a Parquet prefix is partition_by=COLUMN, once for each column")
    columns = named.get("partition_by", [])
    _, store, name = _located(plain)
    if store:
        prefix = f"{store}://{name}"
        storage.check(prefix, prefix=True)
        return ParquetParts(url, prefix, columns)
    path = storage.real_path(name)
    access.check_path(str(path), url, prefix=True)
    return ParquetParts(url, f"{path}/", columns)


def _of_file(kind: str, path: Path, url: str, dataset: Dataset | None) -> Database:
    """The database that is a file here."""
    if kind == "duckdb":
        from core.database.duckdb import DuckdbDatabase

        return DuckdbDatabase(path, url)
    if kind in ("csv", "parquet"):
        from core.database.files import CsvFile, ParquetFile

        return CsvFile(path, url, dataset) if kind == "csv" else ParquetFile(path, url, dataset)
    from core.database.sqlite import SqliteDatabase

    return SqliteDatabase(path, url)


def _located(url: str) -> tuple[str, str, str]:
    """The kind of database, the scheme of its store (none for a file here), and its path or name there."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return _kind(url), "", url
    kind, plus, store = scheme.partition("+")
    if scheme in storage.REMOTE:
        return _kind(rest), scheme, rest
    if kind not in KINDS or (plus and store not in storage.REMOTE):
        raise _bad_url(url, f"there is no database for {scheme}://")
    if store:
        return kind, store, rest
    if not rest.startswith("/"):
        raise _bad_url(url, f"{url!r} names no database")
    return kind, "", rest.removeprefix("/")


def _kind(name: str) -> str:
    """What a file is by its ending."""
    plain = name.lower().removesuffix(".gz").removesuffix(".zst")
    ending = PurePath(plain).suffix.removeprefix(".")
    return ending if ending in KINDS else "sqlite"


def _bad_url(url: str, found: str) -> RequestError:
    servers = ", ".join(f"{each}://" for each in SERVERS)
    ways = (
        "write sqlite:///relative.db, sqlite:////absolute.db (or duckdb, parquet, csv in its place), a path, "
        f"sqlite+s3://bucket/name.db (or another store), parquet+s3://bucket/prefix/, or what begins with {servers}"
    )
    detail = f"{found}: {ways}"
    return RequestError(detail, [Fault(path="$.database", detail=detail, value=access.shown(url))])
