"""The server that stands for MongoDB's own, which no package registry has.

SecantusDB speaks MongoDB's protocol to its real client library and keeps its data in WiredTiger, as MongoDB does; its
commands and pipelines are another program's. What holds here was not seen at MongoDB's own server.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from adapters.lab.ports import free_port
from core.database import connect
from tests import services
from tests.servers import server

PROGRAM = "secantusd-py"
# Tells the process that the server is, and becomes it.
TELLING = ["/bin/sh", "-c", 'echo $$ > process; exec "$@"', PROGRAM]
REASON = f"there is no {PROGRAM} here (SecantusDB 0.7, from PyPI)"


@contextmanager
def running(folder: Path, port: int, options: Sequence[str] = ()) -> Iterator[str]:
    """A server as long as the context lasts, with its data in a folder; gives its URL.

    Args:
        folder: Kept by whoever wants the data again.
        port: Where it listens on 127.0.0.1.
        options: Further ones of its command.
    """
    path = services.found(PROGRAM)
    if path is None:
        services.left_out("mongodb", REASON)
    beside = {"PYTHONPATH": str(path.parent.parent)}  # where pip has put its modules, when told a folder
    argv = [*TELLING, str(path), "--host=127.0.0.1", f"--port={port}", f"--storage-path={folder}/data", *options]
    with server(argv, port, folder, environment=beside):
        yield f"mongodb://127.0.0.1:{port}"


def kill(folder: Path) -> None:
    """Kill the server of a folder; it has no time to end anything."""
    os.kill(int((folder / "process").read_text()), signal.SIGKILL)


@contextmanager
def private(folder: Path, *options: str) -> Iterator[str]:
    """A server of a test's own; gives the URL of a database."""
    with running(folder, free_port(), options) as made:
        yield f"{made}/private"
        connect(f"{made}/private").close()


@contextmanager
def looking(url: str, **options: Any) -> Iterator[Any]:
    """A database by a client of the test's own."""
    with pymongo.MongoClient[dict[str, Any]](url.partition("?")[0], **options) as client:
        yield client[url.rpartition("/")[2].partition("?")[0]]


@contextmanager
def failing(url: str, command: str, **how: Any) -> Iterator[None]:
    """A server that fails such commands of ours, or holds them up."""
    how = {"failCommands": [command], "appName": "polyfaas", **how}
    with looking(url) as db:
        mode = how.pop("mode", "alwaysOn")
        db.client.admin.command("configureFailPoint", "failCommand", mode=mode, data=how)
        try:
            yield
        finally:
            db.client.admin.command("configureFailPoint", "failCommand", mode="off")


def until(happened: Callable[[], object]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < deadline
