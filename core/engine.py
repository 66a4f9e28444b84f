"""The embedded data engine (DuckDB): its settings, its sessions, and how names and values get into SQL.

Every name and value that comes from a request or a file is quoted here or bound, never pasted.
"""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from core import memory
from core.errors import PolyfaasError, StorageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

INTERRUPT_EVERY_S = 0.05


@contextmanager
def session() -> Iterator["DuckDBPyConnection"]:
    """A connection of one call's own: its temporary tables and variables are nobody else's.

    Raises:
        StorageError: A file could not be read or written, for example since the disk is full.
        PolyfaasError: The engine's memory is too small.
    """
    import duckdb

    try:
        with _instance_engine(os.getpid()).cursor() as connection:
            _open_sessions.add(connection)
            try:
                yield connection
            finally:
                _open_sessions.discard(connection)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.IOException as error:
        raise StorageError(f"the engine could not read or write a file: {str(error).splitlines()[0]}") from error
    except duckdb.OutOfMemoryException as error:
        raise PolyfaasError("the engine ran out of memory: set POLYFAAS_MEMORY_MIB to more") from error
    except RuntimeError as error:
        if str(error) == "Query interrupted":  # the engine saw the signal itself
            raise KeyboardInterrupt from error
        raise


@contextmanager
def one_thread(db: "DuckDBPyConnection") -> Iterator[None]:
    """The engine with one thread, for one session at a time: what it writes then is the same on every machine."""
    with _one_thread:
        db.execute("SET threads = 1")
        try:
            yield
        finally:
            db.execute(f"SET threads = {_processors()}")


def interrupt() -> None:
    """Stop what the open sessions are doing, from another thread; each of them raises KeyboardInterrupt.

    It is said until they have heard: a statement that is just starting forgets what was said before.
    """
    asked = {id(connection) for connection in _open_sessions}
    while _interrupted(asked):
        time.sleep(INTERRUPT_EVERY_S)


def _interrupted(asked: set[int]) -> int:
    """Interrupt those sessions that are still open; gives how many. Between two calls, no one must hold a session."""
    found = [connection for connection in _open_sessions.copy() if id(connection) in asked]
    for connection in found:
        connection.interrupt()
    return len(found)


def _processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


_one_thread = threading.Lock()
_open_sessions: "set[DuckDBPyConnection]" = set()


@cache
def _instance_engine(process: int) -> "DuckDBPyConnection":
    """This instance's engine: bounded memory, no extension fetched from anywhere.

    Starting it takes 25 ms, so it stays; a forked child needs one of its own.
    """
    import tempfile

    import duckdb

    settings: dict[str, str | bool | int | float | list[str]] = {
        "threads": _processors(),
        "memory_limit": f"{memory.engine_mib()}MiB",
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "python_enable_replacements": False,  # a table's name is never a variable's of ours
        "temp_directory": f"{tempfile.gettempdir()}/polyfaas-spill-{process}",
    }
    return duckdb.connect(config=settings)


@contextmanager
def memory_file(data: bytes = b"") -> Iterator[tuple[IO[bytes], Path]]:
    """A file in memory that the engine can open by its path."""
    with os.fdopen(os.memfd_create("polyfaas"), "w+b", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) :]
        yield file, Path(f"/proc/self/fd/{file.fileno()}")


def name(identifier: str) -> str:
    """An SQL identifier, quoted."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str | Path) -> str:
    """An SQL string literal."""
    return "'" + str(value).replace("'", "''") + "'"


def row(db: "DuckDBPyConnection", query: str) -> tuple[Any, ...]:
    """The only row of a query."""
    found: list[tuple[Any, ...]] = db.execute(query).fetchall()  # all, so that the statement has ended
    if len(found) != 1:
        raise PolyfaasError("the engine gave no row, or several, where there is always one")
    return found[0]
