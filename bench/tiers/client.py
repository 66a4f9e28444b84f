"""A client process as the run sees it: started, told what to do, ended."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

import msgspec

from adapters.lab.pipe import receive, send
from adapters.lab.process import Process
from bench.tiers.messages import Answered, Call, Loop, Looped
from core import access
from core.runtime import encode

# What a client does not inherit: it has its own.
SET_ANEW = frozenset({"PYTHONPATH", "PYTHONSAFEPATH", access.VARIABLE})
Answer = TypeVar("Answer", Answered, Looped)


class Client(Protocol):
    """One client of a database. What was begun is finished before the next is begun."""

    def begin(self, asked: Call | Loop) -> None:
        """Tell it what to do; it does so at once.

        Raises:
            RuntimeUnavailableError: It is gone.
        """
        ...

    def finish(self, kind: type[Answer]) -> Answer:
        """Wait for its answer: `Answered` to a `Call`, `Looped` to a `Loop`.

        Raises:
            RuntimeUnavailableError: It is gone.
        """
        ...

    def close(self) -> None:
        """End it."""
        ...


class Start(Protocol):
    """Starts clients."""

    def __call__(self, name: str, folder: Path, allow: Sequence[str], /) -> Client:
        """A client that may touch what is listed and logs to `folder`; it need not be up on return."""
        ...


class ClientProcess:
    """A client that is a process: it works where this one does, with the same variables.

    Args:
        name: Of its log.
        folder: Where the log is.
        allow: What its calls may touch.
    """

    def __init__(self, name: str, folder: Path, allow: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._process = Process(name, folder, Path.cwd(), allow)
        self._awaited = False
        # A URL does not say who asks: the client libraries find that in variables and in files of the user's.
        own = {key: value for key, value in os.environ.items() if key not in SET_ANEW}
        self._process.spawn([sys.executable, "-m", "bench.tiers.worker"], own, pipes=True)
        self._into, self._out = self._process.pipes()

    def begin(self, asked: Call | Loop) -> None:
        """Tell it what to do; see `Client.begin`."""
        if not self._awaited:
            self._awaited = self._received() is not None
        try:
            send(self._into, asked)
        except OSError as error:
            raise self._process.failure(f"broke off ({error})") from error

    def finish(self, kind: type[Answer]) -> Answer:
        """Wait for its answer; see `Client.finish`."""
        return msgspec.msgpack.decode(self._received(), type=kind)

    def close(self) -> None:
        """End it; a log that says nothing goes."""
        with suppress(BrokenPipeError):  # it may be gone, with something unread
            self._into.close()
        self._out.close()
        self._process.stop()
        if self._process.log.exists() and not self._process.log.stat().st_size:
            self._process.log.unlink()

    def _received(self) -> bytes:
        payload = receive(self._out)
        if payload is None:
            raise self._process.failure("ended before it answered")
        return payload


def call(client: Client, service: str, parameters: Mapping[str, object]) -> Answered:
    """Have a client call a service, and wait."""
    client.begin(Call(service, encode(parameters)))
    return client.finish(Answered)
