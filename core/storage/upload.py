"""What an object behind a network is written to, by whichever client."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

from core.errors import PolyfaasError


class Upload:
    """A client's writer that tells how much it was given.

    Args:
        writer: Has `write`.
        mapped: Turns what the client raises into our errors.
    """

    def __init__(self, writer: Any, mapped: Callable[[], AbstractContextManager[None]]) -> None:
        self._writer = writer
        self._mapped = mapped
        self._written = 0

    def write(self, data: bytes, /) -> int:
        """Write bytes; gives how many."""
        with self._mapped():
            self._writer.write(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        """How many bytes have been written."""
        return self._written

    def flush(self) -> None:
        """A part goes when it is full."""


@contextmanager
def upload(
    writer: Any, give_up: Callable[[BaseException], object], mapped: Callable[[], AbstractContextManager[None]]
) -> Iterator[Upload]:
    """An upload that becomes an object when the context ends well; its parts are taken back otherwise.

    Args:
        writer: The client's; `close` makes the object.
        give_up: Takes back what was sent. If that fails too, the first error is still the one that counts.
        mapped: Turns what the client raises into our errors.
    """
    try:
        yield Upload(writer, mapped)
        with mapped():
            writer.close()
    except BaseException as error:
        with suppress(PolyfaasError), mapped():
            give_up(error)
        raise
