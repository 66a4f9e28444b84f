"""What a store of objects does, whichever it is."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import msgspec

from core.errors import StorageError


class ChangedError(StorageError):
    """The object is not, or no longer, the one that was expected: another writer was quicker."""


class Location(msgspec.Struct, frozen=True):
    """Where an object is.

    Attributes:
        url: As it was asked for, for messages.
        scheme: The kind of store.
        bucket: Bucket or container; empty for files.
        key: The object's name there; for files, the absolute path.
    """

    url: str
    scheme: str
    bucket: str
    key: str

    def place(self) -> tuple[str, str, str]:
        """What two URLs of one object have in common."""
        return self.scheme, self.bucket, self.key


class ObjectInfo(msgspec.Struct, frozen=True):
    """What a store knows of an object.

    Attributes:
        url: As it was asked for; for a listed object, its own.
        size_bytes: Length of the object.
        version: Another one when the content is another: its entity tag, its generation, or time and inode of a file.
    """

    url: str
    size_bytes: int
    version: str = ""


class Sink(Protocol):
    """What an object is written to, from its start to its end."""

    def write(self, data: bytes, /) -> int:
        """Write bytes; gives how many."""
        ...

    def tell(self) -> int:
        """How many bytes have been written."""
        ...

    def flush(self) -> object:
        """Nothing that a caller must know of."""
        ...


class ObjectStore(Protocol):
    """A store of objects.

    Each method raises NotFoundError where there is no such object or bucket, AccessError where the store refuses, and
    StorageError where it fails, after the client library's own retries.
    """

    def stat(self, at: Location) -> ObjectInfo:
        """What the store knows of an object."""
        ...

    def first(self, at: Location, most: int) -> tuple[ObjectInfo, bytes]:
        """What the store knows of an object, and its first bytes, so many at most; by one request where that can be."""
        ...

    def read(self, at: Location, start: int, stop: int, version: str = "") -> bytes:
        """A part of an object, at least one byte; StorageError where it has another version by now."""
        ...

    def writing(self, at: Location) -> AbstractContextManager[Sink]:
        """What to write an object to: it appears whole when the context ends well, and not at all otherwise."""
        ...

    def put(self, at: Location, path: Path, expected: str) -> None:
        """Put a file's content in an object's place; ChangedError where this has another version than was expected.

        An empty version expects that there is no object yet. Of writers that expect the same, one succeeds.
        """
        ...

    def list(self, at: Location) -> Iterator[ObjectInfo]:
        """The objects whose names start with the key, in the order of their names' bytes."""
        ...

    def remove(self, at: Location) -> None:
        """Remove an object; nothing happens where there is none."""
        ...

    def copy(self, at: Location, target: Location) -> None:
        """Copy an object inside one bucket, by the store itself."""
        ...
