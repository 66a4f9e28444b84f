"""Servers of a test run: started on a port of the loopback, waited for, and stopped for sure."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

# Who a server runs as that refuses root, where we are root.
UNPRIVILEGED = "nobody"
STARTED_WITHIN_S = 60
# Then it is killed: nothing that it has is wanted any more.
STOPPED_WITHIN_S = 2
PAUSE_S = 0.02
TOLD = 2000


@contextmanager
def server(
    argv: list[str], port: int, folder: Path, *, environment: Mapping[str, str] | None = None, user: str | None = None
) -> Iterator[str]:
    """A server of this test run; gives `http://127.0.0.1:PORT` as soon as something listens there.

    Args:
        argv: The program and its arguments.
        port: Where it will listen on 127.0.0.1.
        folder: Its working directory and HOME; what it says goes to the file `log` in it.
        environment: Its variables besides PATH and HOME; it inherits none of ours.
        user: Who it runs as if we are root; not heeded otherwise. The folder must then be one that this user may enter.
    """
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=_variables(folder, environment),
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            **_identity(user),
        )
    try:
        awaited(argv[0], folder, lambda: process.poll() is None, lambda: _accepts(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        _stop(process)


def awaited(name: str, folder: Path, alive: Callable[[], bool], ready: Callable[[], bool]) -> None:
    """Wait until a server is ready; fails the test with the end of its log when it has died or takes too long.

    A server that listens before it answers is waited for once more by its user: `awaited(name, folder, alive, asked)`.
    """
    deadline = time.monotonic() + STARTED_WITHIN_S
    while alive() and time.monotonic() < deadline:
        if ready():
            return
        time.sleep(PAUSE_S)
    happened = "took too long to start" if alive() else "died"
    pytest.fail(f"{name} {happened}: {_said(folder)}")


def run(argv: list[str], folder: Path, *, environment: Mapping[str, str] | None = None, user: str | None = None) -> str:
    """Run a program to its end, as `server` would start it; gives what it wrote to stdout."""
    done: subprocess.CompletedProcess[str] = subprocess.run(
        argv,
        cwd=folder,
        env=_variables(folder, environment),
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=STARTED_WITHIN_S,
        check=False,
        **_identity(user),
    )
    if done.returncode:
        pytest.fail(f"{argv[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-TOLD:]}")
    return done.stdout


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """A new folder, that user's if we are root: pytest's own can be entered by nobody else. It is gone at the end."""
    with tempfile.TemporaryDirectory(prefix="polyfaas-server-", ignore_cleanup_errors=True) as name:
        if os.geteuid() == 0:
            shutil.chown(name, user)
        yield Path(name)


def _variables(folder: Path, environment: Mapping[str, str] | None) -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(folder), **(environment or {})}


def _identity(user: str | None) -> dict[str, Any]:
    if user is None or os.geteuid() != 0:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def _accepts(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def _said(folder: Path) -> str:
    return (folder / "log").read_text(errors="replace")[-TOLD:]


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """End a process and its group, gently for a moment: PostgreSQL takes its shared memory back."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOPPED_WITHIN_S)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
