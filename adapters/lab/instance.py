"""An instance of a provider's runtime: started, called, stopped."""

import contextlib
import importlib
import platform
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self, cast

import msgspec

from adapters import PROVIDERS
from adapters.base import (
    Channel,
    Client,
    Launch,
    PortTakenError,
    Provider,
    Reply,
    Runtime,
    RuntimeUnavailableError,
)
from adapters.connection import Connection
from adapters.lab import LOCAL
from adapters.lab.pipe import Pipe, Straight
from adapters.lab.process import Process
from adapters.refusal import presented
from core.message import Request

START_S = 60.0
POLL_S = 0.001


class Instance:
    """A running runtime; a context manager that stops it.

    Attributes:
        provider: Name of the provider, or "local".
        about: The runtime's name and versions.
        substitute: What about it is a stand-in, or None.
        url: Where it takes calls, in the provider's own form; empty for "local".
        log: What its processes wrote.
        spawned_ns: `perf_counter_ns` just before its first process was started.
    """

    def __init__(self, provider: Provider, launch: Launch, process: Process, way: tuple[Channel, Client]) -> None:
        self.provider = provider.name
        self.about = f"{launch.about}, Python {platform.python_version()}"
        self.substitute = launch.substitute
        self.url = f"http://127.0.0.1:{launch.port}" if launch.port else ""
        self.log = process.log
        self.spawned_ns = process.spawned_ns
        self._platform = provider.title
        self._process = process
        self._channel, self._client = way

    def call(self, request: Request) -> Reply:
        """Send a request; what the platform answers in the function's place comes back as an error object.

        Raises:
            RuntimeUnavailableError: The runtime broke off; the message has the end of its log.
        """
        message = self._client.wrap(request)
        try:
            reply = self._channel.exchange(message)
        except OSError as error:
            raise self._process.failure(f"broke off ({error})") from error
        response = presented(request, self._client.unwrap(reply.response), self._platform)
        return msgspec.structs.replace(reply, response=response)

    def wait(self) -> NoReturn:
        """Wait until its runtime ends by itself.

        Raises:
            RuntimeUnavailableError: It has; the message has the end of its log.
        """
        self._process.wait()

    def stop(self) -> None:
        """End all of its processes; doing so twice is harmless."""
        self._channel.close()
        self._process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def launch(
    provider: str,
    folder: Path,
    work: Path | None,
    allow: Sequence[str] | None,
    environment: Mapping[str, str],
) -> Instance:
    """An instance of the provider's runtime, or of the local worker, that accepts calls.

    Raises:
        RuntimeUnavailableError: The runtime is missing or did not start; the message says why.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    if provider == LOCAL:
        return run_local(folder, work, allow, environment)
    if provider not in PROVIDERS:
        names = ", ".join([*PROVIDERS, LOCAL])
        raise RuntimeUnavailableError(f"there is no provider {provider!r}: use one of {names}")
    found = PROVIDERS[provider]
    runtime = cast("Runtime", importlib.import_module(found.runtime))
    try:
        return run(found, _with(runtime.launch(folder), environment), folder, work, allow)
    except PortTakenError:  # a launch chooses its ports anew
        return run(found, _with(runtime.launch(folder), environment), folder, work, allow)


def _with(launch: Launch, environment: Mapping[str, str]) -> Launch:
    """A launch with further variables; its own are not to be changed."""
    return msgspec.structs.replace(launch, environment={**environment, **launch.environment})


def run(
    provider: Provider, launch: Launch, folder: Path, work: Path | None = None, allow: Sequence[str] | None = None
) -> Instance:
    """An instance that was started as the launch says and accepts connections on its port.

    Raises:
        PortTakenError: Another program accepts connections there.
        RuntimeUnavailableError: It ended, or took no calls in time.
    """
    client = cast("Client", importlib.import_module(provider.client))
    process = Process(provider.name, folder, work, allow)
    with contextlib.ExitStack() as undo:  # whatever goes wrong, Ctrl-C too, nothing may be left behind
        undo.callback(process.stop)
        process.spawn(launch.argv, launch.environment)
        _await(process, launch.port)
        undo.pop_all()
    return Instance(provider, launch, process, (Connection(launch.port), client))


def run_local(
    folder: Path,
    work: Path | None = None,
    allow: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Instance:
    """The worker that calls `handle` straight."""
    provider = Provider(name=LOCAL, title="local", entrypoint="", runtime="", client="")
    argv = (sys.executable, "-m", "adapters.lab.inprocess")
    launch = Launch(argv=argv, environment=environment or {}, port=0, about="in-process worker")
    process = Process(provider.name, folder, work, allow)
    with contextlib.ExitStack() as undo:
        undo.callback(process.stop)
        process.spawn(launch.argv, launch.environment, pipes=True)
        pipe = _pipe(process)
        undo.pop_all()
    return Instance(provider, launch, process, (pipe, Straight()))


def _pipe(process: Process) -> Pipe:
    pipe = Pipe(*process.pipes())
    if not pipe.ready():
        pipe.close()
        raise process.failure("ended before it took calls")
    return pipe


def _await(process: Process, port: int) -> None:
    deadline_s = time.monotonic() + START_S
    while not _accepts(port):
        if process.ended():
            raise process.failure("ended before it took calls")
        if time.monotonic() > deadline_s:
            raise process.failure(f"took no calls within {START_S:g} s")
        time.sleep(POLL_S)
    if not process.listens(port):
        raise PortTakenError(f"another program took port {port} before the runtime {process.name} did: try again")


def _accepts(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0
