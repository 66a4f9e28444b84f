"""One small process per parent that outlives it, however it dies, and ends its instances.

The watcher has a session of its own, so that Ctrl-C in the terminal does not reach it.
"""

import atexit
import functools
import os
import subprocess
import sys
from typing import IO, cast

from adapters.lab import sessions


def watch(mark: str) -> None:
    """Have the processes with this mark ended when this process is gone; the watcher is up on return."""
    try:
        _tell(mark)
    except BrokenPipeError:  # somebody ended the watcher
        _watcher.cache_clear()
        _tell(mark)


def _tell(mark: str) -> None:
    notes = cast("IO[bytes]", _watcher(os.getpid()).stdin)
    notes.write(f"{mark}\n".encode())
    notes.flush()


@functools.cache
def _watcher(parent: int) -> subprocess.Popen[bytes]:  # noqa: ARG001  (a forked child needs its own)
    watcher = subprocess.Popen(  # noqa: S603  (the command is ours)
        [sys.executable, "-I", "-S", sessions.__file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd="/",
        env={},
    )
    # Its start must not compete with the runtime's, whose cold start is measured.
    with cast("IO[bytes]", watcher.stdout) as said:
        said.readline()
    atexit.register(_dismiss, watcher)
    return watcher


def _dismiss(watcher: subprocess.Popen[bytes]) -> None:
    cast("IO[bytes]", watcher.stdin).close()
    watcher.wait()
