"""A private PostgreSQL for one benchmark: in a folder of its own, on a Unix socket, gone afterwards."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

START_TIMEOUT_S = "60"


class Server(msgspec.Struct, frozen=True):
    """A running server.

    Attributes:
        psql: The client's command.
        socket: Folder of its socket.
        pid: Its first process, whose children serve the connections.
    """

    psql: str
    socket: str
    pid: int

    def pin(self, processors: set[int]) -> None:
        """Let connections from now on run on these processors only."""
        os.sched_setaffinity(self.pid, processors)


def programs() -> Path | None:
    """The folder of the server's programs: this machine's, else those of the package pgserver; None without."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    package = importlib.util.find_spec("pgserver")
    if package is None or package.origin is None:
        return None
    folder = Path(package.origin).parent / "pginstall" / "bin"
    return folder if (folder / "initdb").exists() else None


@contextmanager
def running() -> Iterator[Server | None]:
    """A server with the settings that it comes with; None where there is none to start."""
    folder = programs()
    if folder is None:
        yield None
        return
    user = account()
    home = Path(tempfile.mkdtemp(prefix="polyfaas-postgres-"))
    try:
        if user:
            shutil.chown(home, user)
        call(folder / "initdb", "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", user=user)
        yield from started(folder, home, user)
    finally:
        shutil.rmtree(home)


def started(folder: Path, home: Path, user: str | None) -> Iterator[Server]:
    control = (folder / "pg_ctl", "-D", str(home / "data"), "-w", "-t", START_TIMEOUT_S)
    call(*control, "-l", str(home / "log"), "-o", f"-c listen_addresses= -k {home}", "start", user=user)
    try:
        pid = int((home / "data" / "postmaster.pid").read_text().splitlines()[0])
        yield Server(str(folder / "psql") if (folder / "psql").exists() else "psql", str(home), pid)
    finally:
        call(*control, "-m", "fast", "stop", user=user)


def account() -> str | None:
    """Whom to run the server as: it refuses to run as root."""
    return None if os.geteuid() else "nobody"


def call(program: Path, *arguments: str, user: str | None) -> None:
    # To a file, since a server that stays would hold a pipe open.
    with tempfile.TemporaryFile("w+") as said:
        code = subprocess.run(
            [program, *arguments], cwd="/", user=user, stdout=said, stderr=said, check=False
        ).returncode
        said.seek(0)
        if code:
            raise OSError(f"{program.name} failed: {said.read().strip()}")
