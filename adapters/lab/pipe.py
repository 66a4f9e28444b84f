"""Frames over a pipe: four bytes of length, big-endian, then MessagePack."""

import contextlib
import threading
from typing import IO

import msgspec

from adapters.base import Reply
from core.message import Request, Response

LENGTH_BYTES = 4


def send(stream: IO[bytes], record: msgspec.Struct | None) -> None:
    """Write a record, or None to say only that one is there."""
    payload = msgspec.msgpack.encode(record)
    stream.write(len(payload).to_bytes(LENGTH_BYTES, "big") + payload)
    stream.flush()


def receive(stream: IO[bytes]) -> bytes | None:
    """The payload of the next frame, or None when the other side is gone."""
    length = stream.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        return None
    payload = stream.read(int.from_bytes(length, "big"))
    return payload or None


class Pipe:
    """A `Channel` to the in-process worker; the elapsed time is the worker's, of `handle` alone.

    Args:
        into: The worker's standard input.
        out: The worker's standard output.
    """

    def __init__(self, into: IO[bytes], out: IO[bytes]) -> None:
        self._into = into
        self._out = out
        self._lock = threading.Lock()

    def ready(self) -> bool:
        """Wait until the worker takes calls; False when it ended instead."""
        return receive(self._out) is not None

    def exchange(self, request: Request) -> Reply:
        """Send a request and wait for its answer.

        Raises:
            OSError: The worker ended.
        """
        with self._lock:
            send(self._into, request)
            payload = receive(self._out)
        if payload is None:
            raise ConnectionError("the worker ended during the call")
        return msgspec.msgpack.decode(payload, type=Reply)

    def close(self) -> None:
        """Close both pipes, which ends the worker."""
        with contextlib.suppress(BrokenPipeError):  # the worker may be gone, with a request unread
            self._into.close()
        self._out.close()


class Straight:
    """A `Client` for a channel that speaks neutral records itself."""

    def wrap(self, request: Request) -> Request:
        """The request itself."""
        return request

    def unwrap(self, response: Response) -> Response:
        """The response itself."""
        return response
