"""Objects by URL: `file://` and plain paths.

A relative path counts from the process's working directory. Reading gives a local path that holds the whole
object; writing gives a local path whose content becomes the object in one step, or not at all.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import msgspec

from core.errors import AccessError, NotFoundError, RequestError, StorageError

if TYPE_CHECKING:
    from obstore.store import LocalStore


class ObjectInfo(msgspec.Struct, frozen=True):
    """What a store knows of an object.

    Attributes:
        url: As it was asked for.
        size_bytes: Length of the object.
    """

    url: str
    size_bytes: int


def local_path(url: str) -> Path:
    """The path that a `file://` URL or a plain path names.

    Raises:
        RequestError: The URL is empty, names another host or has a scheme that is not supported.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        return _checked(url, url)
    if scheme.lower() != "file":
        raise RequestError(f"no object store for {scheme}:// in {url!r}: use a path or a file:// URL")
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise RequestError(f"{url!r} names the host {parts.netloc!r}: write file:///absolute/path")
    return _checked(url, unquote(parts.path))


def _checked(url: str, path: str) -> Path:
    if not path or "\0" in path:
        raise RequestError(f"{url!r} names no object: give a path or a file:// URL")
    return Path(path)


def stat(url: str) -> ObjectInfo:
    """What the store knows of the object.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        StorageError: The store failed.
    """
    path = local_path(url)
    if path.is_dir():
        raise NotFoundError(f"{url} is a folder: name a file in it")
    with _mapped(url):
        return ObjectInfo(url, _store(path).head(path.name)["size"])


@contextmanager
def reading(url: str) -> Iterator[Path]:
    """A local path with the object's content, as long as the context lasts.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        StorageError: The store failed.
    """
    stat(url)
    yield local_path(url)


@contextmanager
def writing(url: str) -> Iterator[Path]:
    """A local path to write to; it becomes the object when the context ends well, and is gone otherwise.

    Raises:
        NotFoundError: The folder to write to is missing.
        StorageError: The store failed; the old object, if any, is still there.
    """
    path = local_path(url)
    _check_target(url, path)
    part = part_beside(path)
    try:
        yield part
        with _mapped(url):
            _store(path).rename(part.name, path.name)
    finally:
        part.unlink(missing_ok=True)


def part_beside(path: Path) -> Path:
    """A new, hidden name in the same folder, for a file that a rename will publish under `path`."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}.part")


def _store(path: Path) -> "LocalStore":
    from obstore.store import LocalStore

    return LocalStore(prefix=path.absolute().parent)


def _check_target(url: str, path: Path) -> None:
    if path.is_dir():
        raise RequestError(f"{url} is a folder: name a file in it")
    if not path.absolute().parent.is_dir():
        raise NotFoundError(f"{url} cannot be written, its folder does not exist: make it first")


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Turn what obstore raises into our errors: the one place where it happens."""
    from obstore import exceptions

    try:
        yield
    except (FileNotFoundError, exceptions.NotFoundError) as error:
        raise NotFoundError(f"there is nothing at {url}: check the path") from error
    except (PermissionError, exceptions.PermissionDeniedError, exceptions.UnauthenticatedError) as error:
        raise AccessError(f"access to {url} was refused: check its permissions") from error
    except (ValueError, exceptions.InvalidPathError) as error:
        raise RequestError(f"{url!r} cannot be the name of an object: {error}") from error
    except (OSError, exceptions.BaseError) as error:
        raise StorageError(f"the store failed on {url}: {str(error).splitlines()[0]}") from error
