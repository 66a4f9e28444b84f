"""The database servers of a test run: each started when the first test asks for it, all stopped when the run ends.

A test that does harm to a server has one of its own: `PRIVATE`.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path

import msgspec
import pytest

from adapters.lab.ports import free_port
from core import DatabaseError
from core.database import connect
from core.database import server as kept
from tests import mongodb_server, store_rigs
from tests.servers import UNPRIVILEGED, awaited, folder_of, run, server
from tests.services import program

SESSIONS = 500
_running = ExitStack()


class Private(msgspec.Struct, frozen=True):
    """How one kind of server is made and started; a PostgreSQL is entered as `postgres`, a MariaDB as `root`.

    Attributes:
        make: Makes a server's data in a folder.
        start: Starts it there on a port, with further options, by a command that runs it.
        url: Of a database that it has, by its port.
        process: The file in its folder that tells its process.
    """

    make: Callable[[Path], None]
    start: Callable[[Path, int, Sequence[str], Sequence[str]], list[str]]
    url: str
    process: str

    @contextmanager
    def running(self, folder: Path, port: int, options: Sequence[str] = (), by: Sequence[str] = ()) -> Iterator[str]:
        """The server of a folder, as long as the context lasts; gives the URL of a database."""
        with server(self.start(folder, port, options, by), port, folder, user=UNPRIVILEGED):
            url = self.url.format(port)
            awaited(self.process, folder, lambda: True, lambda: _answers(url))
            yield url


def _answers(url: str) -> bool:
    """Whether a server that listens answers too."""
    try:
        connect(url).drop("nothing")
    except DatabaseError:
        return False
    connect(url).close()
    return True


def stop() -> None:
    """End the connections that this process keeps, then the servers."""
    kept.close_all()
    _running.close()


def _make_postgresql(folder: Path) -> None:
    initdb = [str(program("initdb")), "-D", "data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    run(initdb, folder, user=UNPRIVILEGED)
    rules = folder / "data/pg_hba.conf"
    rules.write_text(f"host all guarded 127.0.0.1/32 scram-sha-256\n{rules.read_text()}")


def _start_postgresql(folder: Path, port: int, options: Sequence[str], by: Sequence[str]) -> list[str]:
    given = ["listen_addresses=127.0.0.1", "unix_socket_directories=", f"max_connections={SESSIONS}", *options]
    words = [word for option in given for word in ("-c", option)]
    return [*by, str(program("postgres")), "-D", f"{folder}/data", "-p", str(port), *words]


def _make_mariadb(folder: Path) -> None:
    install = [str(program("mariadb-install-db")), "--no-defaults", f"--datadir={folder}/data"]
    run([*install, "--auth-root-authentication-method=normal"], folder, user=UNPRIVILEGED)


def _start_mariadb(folder: Path, port: int, options: Sequence[str], by: Sequence[str]) -> list[str]:
    argv = [*by, str(program("mariadbd")), "--no-defaults", f"--datadir={folder}/data", f"--socket={folder}/socket"]
    argv += [f"--port={port}", "--bind-address=127.0.0.1", f"--max-connections={SESSIONS}"]
    return [*argv, f"--pid-file={folder}/data/process.pid", *options]


PRIVATE = {
    "postgresql": Private(
        _make_postgresql, _start_postgresql, "postgresql://postgres@127.0.0.1:{}/postgres", "data/postmaster.pid"
    ),
    "mysql": Private(_make_mariadb, _start_mariadb, "mysql://root@127.0.0.1:{}/test", "data/process.pid"),
}


@cache
def _shared(kind: str, *options: str) -> str:
    folder = _running.enter_context(folder_of(UNPRIVILEGED))
    PRIVATE[kind].make(folder)
    return _running.enter_context(PRIVATE[kind].running(folder, free_port(), options))


def postgresql_url() -> str:
    """A new schema of the run's PostgreSQL server."""
    import psycopg

    url, schema = _shared("postgresql", "fsync=off"), f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as db:
        db.execute(f"CREATE SCHEMA {schema}".encode())
    return f"{url}?schema={schema}"


def mysql_url() -> str:
    """A new database of the run's MariaDB server."""
    import pymysql

    url, name = _shared("mysql", "--innodb-flush-log-at-trx-commit=0"), f"test_{uuid.uuid4().hex[:12]}"
    at = kept.server(url, ())
    with pymysql.connect(host=at.host, port=at.port, user=at.user) as db, db.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    return url.removesuffix("/test") + f"/{name}"


@cache
def dynamodb_endpoint() -> str:
    """Where the run's emulator of DynamoDB is; until the run ends the environment says so, to child processes too."""
    folder = _running.enter_context(folder_of(UNPRIVILEGED))
    endpoint = _running.enter_context(store_rigs.amazon(folder))
    variables = pytest.MonkeyPatch()
    _running.callback(variables.undo)
    variables.setenv("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    variables.setenv("AWS_ACCESS_KEY_ID", store_rigs.KEY)
    variables.setenv("AWS_SECRET_ACCESS_KEY", store_rigs.SECRET)
    return endpoint


def dynamodb_url() -> str:
    """A table that the run's emulator of DynamoDB has not got yet."""
    dynamodb_endpoint()
    return f"dynamodb://us-east-1/test_{uuid.uuid4().hex[:12]}"


@cache
def _mongodb() -> str:
    folder = _running.enter_context(folder_of(UNPRIVILEGED))
    return _running.enter_context(mongodb_server.running(folder, free_port(), ["--enable-test-commands"]))


def mongodb_url() -> str:
    """A new database of the run's server that stands for MongoDB's."""
    return f"{_mongodb()}/test_{uuid.uuid4().hex[:12]}"


@contextmanager
def derby(folder: Path, port: int, *properties: str) -> Iterator[str]:
    """A Derby server as long as the context lasts, its process in the file `process`; gives the URL of no database."""
    jars = ":".join(str(program(f"{name}.jar")) for name in ("derby", "derbynet", "derbyclient"))
    control = ["org.apache.derby.drda.NetworkServerControl", "start", "-h", "127.0.0.1", "-p", str(port)]
    given = [f"-Dderby.{each}" for each in properties]
    argv = ["sh", "-c", 'echo $$ > process; exec "$@"', "sh", str(program("java")), *given, "-cp", jars]
    with server([*argv, *control, "-noSecurityManager"], port, folder, user=UNPRIVILEGED):
        yield f"derby://127.0.0.1:{port}"


@cache
def _derby() -> str:
    folder = _running.enter_context(folder_of(UNPRIVILEGED))
    return _running.enter_context(derby(folder, free_port(), "system.durability=test"))


def derby_url() -> str:
    """A new database of the run's Derby server."""
    return f"{_derby()}/test_{uuid.uuid4().hex[:12]}?create=true"
