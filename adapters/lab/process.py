"""A runtime's processes on this machine: started in a session of their own, ended together."""

import contextlib
import logging
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter_ns
from typing import IO, NoReturn

import adapters
from adapters.base import RuntimeUnavailableError
from adapters.lab import ports, sessions
from adapters.lab.watcher import watch
from core import access
from core.datasets.project import VARIABLE, project_file

ROOT = Path(adapters.__file__).parents[1]
LOG_TAIL_LINES = 15
REAP_S = 1.0

logger = logging.getLogger("polyfaas.adapters")


class Process:
    """The processes of one instance.

    Args:
        name: The instance's name; its log is `<name>.log` in the folder.
        folder: Home of the processes.
        work: Their working directory; `folder/work` when left out.
        allow: What their calls may touch; what POLYFAAS_ALLOW says here when left out, and nothing where it is not set.
    """

    def __init__(self, name: str, folder: Path, work: Path | None = None, allow: Sequence[str] | None = None) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self.spawned_ns = 0
        self._folder = folder
        self._work = folder / "work" if work is None else work
        self._allow = os.environ.get(access.VARIABLE, "") if allow is None else access.spelled(allow)
        self._mark = uuid.uuid4().hex
        self._child: subprocess.Popen[bytes] | None = None

    def spawn(self, argv: Sequence[str], environment: Mapping[str, str], pipes: bool = False) -> None:
        """Start the command.

        Args:
            argv: The command.
            environment: Variables beside those that every runtime gets; nothing else is inherited.
            pipes: Whether standard input and output are for `pipes` instead of the log.

        Raises:
            RuntimeUnavailableError: There is no such program.
        """
        watch(self._mark)
        self._work.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self.spawned_ns = perf_counter_ns()
            try:
                self._child = subprocess.Popen(  # noqa: S603  (the command is a provider's launch)
                    argv,
                    stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
                    stdout=subprocess.PIPE if pipes else log,
                    stderr=log,
                    cwd=self._work,
                    env=self._environment(environment),
                    start_new_session=True,
                )
            except OSError as error:
                raise self.failure(f"could not be started ({error})") from error

    def _environment(self, own: Mapping[str, str]) -> dict[str, str]:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.defpath])
        return {
            "PATH": path,
            "HOME": str(self._folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            # A module of the working directory must not win over ours or the runtime's.
            "PYTHONSAFEPATH": "1",
            # It works in a folder of its own, and knows the datasets of the project all the same.
            **({VARIABLE: str(file)} if (file := project_file()) else {}),
            access.VARIABLE: self._allow,
            **own,
            sessions.MARK: self._mark,
        }

    def pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Its standard input and output; it must have been spawned with pipes."""
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise ValueError("the process has no pipes: spawn it with pipes")
        return child.stdin, child.stdout

    def ended(self) -> bool:
        """Whether the command that was started has ended by itself."""
        return self._child is None or self._child.poll() is not None

    def listens(self, port: int) -> bool:
        """Whether the command that was started is who listens on the loopback port."""
        return self._child is not None and ports.listens(self._child.pid, port)

    def wait(self) -> NoReturn:
        """Wait until the command ends by itself.

        Raises:
            RuntimeUnavailableError: It has; the message has the end of its log.
        """
        if self._child is not None:
            self._child.wait()
        raise self.failure("ended")

    def failure(self, what: str) -> RuntimeUnavailableError:
        """The error for what went wrong, with the end of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        tail = "\n".join(lines) if lines else "(the log is empty)"
        return RuntimeUnavailableError(f"the runtime {self.name} {what}; {self.log} ends with:\n{tail}")

    def stop(self) -> None:
        """End every process of the instance, also those that it started; doing so twice is harmless."""
        left = sessions.end([self._mark])
        if left:
            logger.error("processes do not end", extra={"instance": self.name, "pids": sorted(left)})
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(REAP_S)
