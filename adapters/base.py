"""The records and ports that every provider fills, under the same file names.

`entrypoint.py` is what the provider loads, `events.py` turns its event into a `Request` and a `Response` into
its answer, `runtime.py` says how to start its real runtime here, `client.py` speaks to a running one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from core.errors import PolyfaasError
from core.message import Request, Response


class RuntimeUnavailableError(PolyfaasError):
    """A provider's runtime is missing, could not start or ended: the message says why and what to do."""

    status = 503
    title = "Runtime unavailable"
    slug = "runtime-unavailable"


class PortTakenError(RuntimeUnavailableError):
    """Another program took the port between its choice and the runtime's start: a new port will do."""


class Provider(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider has, by dotted name.

    Attributes:
        name: Name of its folder, for example "aws".
        title: Its product, as `Context.platform` spells it.
        entrypoint: The function or app that it loads.
        runtime: Module that is a `Runtime`.
        client: Module that is a `Client`.
    """

    name: str
    title: str
    entrypoint: str
    runtime: str
    client: str


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """How to start a provider's runtime on this machine.

    Attributes:
        argv: The command.
        environment: The provider's own variables; the rest of the environment is the lab's.
        port: Loopback port on which the command takes calls; it is ready when it accepts a connection there.
        about: The runtime's name and versions.
        substitute: What about it is a stand-in for something that cannot be had here.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    port: int
    about: str
    substitute: str | None = None


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one call, and how long the caller waited for it.

    Attributes:
        response: What came back.
        elapsed_ms: From the first byte sent to the last byte received.
    """

    response: Response
    elapsed_ms: float


class Runtime(Protocol):
    """What a provider's `runtime` module gives."""

    def launch(self, folder: Path) -> Launch:
        """How to start the runtime; files that it needs are written below `folder`.

        Raises:
            RuntimeUnavailableError: A package or program is missing.
        """
        ...


class Client(Protocol):
    """What a provider's `client` module gives: a neutral request in the provider's HTTP form, and back."""

    def wrap(self, request: Request) -> Request:
        """The HTTP request to send for this neutral one."""
        ...

    def unwrap(self, response: Response) -> Response:
        """The neutral response in this HTTP one."""
        ...


class Channel(Protocol):
    """A way to one instance; one exchange at a time."""

    def exchange(self, request: Request) -> Reply:
        """Send a request and wait for its answer.

        Raises:
            OSError: The instance could not be reached or broke off.
        """
        ...

    def close(self) -> None:
        """Let go of the instance; doing so twice is harmless."""
        ...


def mebibytes(text: str | None) -> int | None:
    """A memory size from an environment variable; None when it is absent or no positive number."""
    return int(text) if text and text.isdecimal() and int(text) > 0 else None


def header_names_in_lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers with their names as `Request` wants them."""
    return {name.lower(): value for name, value in headers.items()}
