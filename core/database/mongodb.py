"""MongoDB: a table is a collection, loaded under a name of its own and renamed into the old one's place.

The rename is the one step that readers see. A collection that was published is never changed: what appends rows makes
another one, of the old rows and the new ones. So a reader who finds the same version after its questions as before has
seen one table.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from core.database import mongodb_pipeline, server
from core.database.mongodb_lease import Lease, leased
from core.database.mongodb_table import Described, add, described, differing, fill
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.datasets.grammar import Type
from core.errors import AccessError, DatabaseError, NotFoundError, PolyfaasError, RequestError
from core.profiler import span

if TYPE_CHECKING:
    from pymongo import MongoClient
    from pymongo.command_cursor import CommandCursor
    from pymongo.database import Database
    from pymongo.errors import PyMongoError

    Client: TypeAlias = MongoClient[dict[str, Any]]
    Mongo: TypeAlias = Database[dict[str, Any]]

OPTIONS = ("authMechanism", "authSource", "directConnection", "replicaSet", "retryWrites", "tls")
FILES = ("tlsCAFile", "tlsCertificateKeyFile")
CONNECTIONS = 2  # a load's own, and the one that tells that it lives
# MongoDB's error codes: https://www.mongodb.com/docs/manual/reference/error-codes/
REFUSED = (11, 13, 18, 8000)
# A collection that is read was dropped: no such namespace, no such cursor, the plan or the cursor was killed.
GONE = (26, 43, 175, 237)
READINGS = 5
FETCHED_ROWS = 2000


class MongodbDatabase:
    """A database of a MongoDB server, replica set or Atlas cluster.

    Args:
        url: `mongodb://user@host:27017/name` or `mongodb+srv://user@host/name`, with `?password=env:NAME`,
            `authSource`, `authMechanism`, `replicaSet`, `directConnection`, `retryWrites`, `tls` (on unless the host is
            this machine), `tlsCAFile` and `tlsCertificateKeyFile` where they are needed.

    Raises:
        RequestError: The URL is wrong, or holds a password.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._server = server.server(url, (*OPTIONS, *FILES))

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        with self._connected() as db, leased(db) as lease:
            with span("ingest"):
                rows, unique = fill(db[lease.name], table, batches)
            with span("publish"), lease.publishing(table.name):
                loaded = self._publish(db, lease, table, unique, append=append)
        return loaded, rows - loaded

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        with self._connected() as db:
            return self._described(db, table).types

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, as the table was at one moment; see `Database.groups`."""
        for _ in range(READINGS):
            with self._connected() as db:
                found = self._read(db, selections)
            if found is not None:
                yield from found
                return
        detail = f"{selections[0].table} in {self._url} was replaced {READINGS} times while it was read"
        raise DatabaseError(f"{detail}: repeat the query")

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        with self._connected() as db, leased(db) as lease, lease.publishing(table):
            there = _exists(db, table)
            db.drop_collection(table)
        return there

    def stored_bytes(self, table: str) -> int:
        """How much room the table takes, as the server told at its last checkpoint; see `Database.stored_bytes`."""
        with self._connected() as db:
            self._described(db, table)
            told = db.command("collStats", table)
        return int(told["storageSize"]) + int(told["totalIndexSize"])

    def close(self) -> None:
        """End the connections that this instance keeps; see `Database.close`."""
        server.close(self._url)

    def _publish(self, db: "Mongo", lease: Lease, table: Table, rows: int, *, append: bool) -> int:
        """Rename what was loaded into the table's place; gives how many rows came in."""
        new, added = db[lease.name], append and _exists(db, table.name)
        if added:
            self._check_same(db, table)
            new = db[lease.whole]
            rows = add(db[lease.name], db[table.name], new)
        lease.check()  # of a load that was given up, rows are gone
        if rows or not added:
            new.rename(table.name, dropTarget=True)
        return rows

    def _check_same(self, db: "Mongo", table: Table) -> None:
        old = described(db[table.name])
        different = differing(table, old) if old else [column.name for column in table.columns]
        if different:
            detail = f"table {table.name} in {self._url} has other columns ({', '.join(different)})"
            raise RequestError(f'{detail}: use "mode": "replace"')

    def _described(self, db: "Mongo", table: str) -> Described:
        check_table_name(table)
        found = described(db[table])
        if found is None:
            known = ", only a collection that another program made" if _exists(db, table) else ""
            raise NotFoundError(f"{self._url} has no table {table!r}{known}: load it first")
        return found

    def _read(self, db: "Mongo", selections: Sequence[Selection]) -> list[tuple[int, Group]] | None:
        """The groups of selections; None where the table was replaced meanwhile."""
        from pymongo.errors import OperationFailure

        table = db[selections[0].table]
        before = self._described(db, table.name)

        def run(pipeline: list[dict[str, Any]]) -> "CommandCursor[dict[str, Any]]":
            return table.aggregate(pipeline, allowDiskUse=True, batchSize=FETCHED_ROWS)

        try:
            found = list(mongodb_pipeline.groups(run, before, selections))
        except OperationFailure as error:
            if error.code in GONE:
                return None
            raise
        after = described(table)
        return found if after and after.version == before.version else None

    @contextmanager
    def _connected(self) -> Iterator["Mongo"]:
        """The database by the client of this instance; what PyMongo raises becomes our errors here."""
        try:
            from pymongo.errors import PyMongoError
        except ImportError as error:
            raise DatabaseError("mongodb:// needs PyMongo: install polyfaas[mongodb]") from error
        try:
            with server.connection(self._url, self._open, _alive) as client:
                yield client[self._server.name]
        except PyMongoError as error:
            raise _meant(self._url, error) from error

    def _open(self) -> "Client":
        from pymongo import MongoClient

        at = self._server
        given: dict[str, Any] = {name: value for name, value in at.options.items() if name != "password"}
        try:
            return MongoClient(
                _seed(at),
                username=at.user,
                password=at.password(),
                serverSelectionTimeoutMS=server.CONNECT_TIMEOUT_S * 1000,
                connectTimeoutMS=server.CONNECT_TIMEOUT_S * 1000,
                w="majority",  # what a new primary does not have, or a restarted one, was not loaded
                journal=True,
                maxPoolSize=CONNECTIONS,
                appname="polyfaas",
                **{"tls": not at.local, **given},
            )
        except (ValueError, TypeError, OSError) as error:
            raise server.wrong(self._url, f"an option cannot be used ({error}): correct it") from error


def _seed(at: server.Server) -> str:
    """The URL by which PyMongo finds the servers, without what is secret."""
    scheme = server.parts_of(at.url)
    if scheme == "mongodb+srv" and at.port is not None:
        raise server.wrong(at.url, "mongodb+srv:// takes no port, which the name's records tell: leave it out")
    host = f"[{at.host}]" if ":" in at.host else at.host or "localhost"
    port = f":{at.port}" if at.port else ""
    return f"{scheme}://{host}{port}/{quote(at.name, safe='')}"


def _alive(client: "Client") -> bool:
    from pymongo.errors import PyMongoError

    try:
        client.admin.command("ping")
    except PyMongoError:
        return False
    return True


def _exists(db: "Mongo", table: str) -> bool:
    return bool(db.list_collection_names(filter={"name": table}))


def _meant(url: str, error: "PyMongoError") -> PolyfaasError:
    """What an error of PyMongo's means."""
    from pymongo import errors

    said = str(error).partition(", full error:")[0].partition(", Timeout:")[0]
    if isinstance(error, errors.ConfigurationError | errors.InvalidName):
        return server.wrong(url, f"the client library does not take it ({said}): correct it")
    if isinstance(error, errors.OperationFailure) and error.code in REFUSED:
        return AccessError(f"access to {url} was refused ({said}): check user, password and what they allow")
    if isinstance(error, errors.ConnectionFailure):
        return DatabaseError(f"the connection to {url} was lost, or could not be made ({said}): repeat the call")
    return DatabaseError(f"MongoDB failed on {url}: {said}")
