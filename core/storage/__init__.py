"""Objects by URL: `file://` and plain paths.

A relative path counts from the process's working directory. Reading gives a local path that holds the whole
object; writing gives a local path whose content becomes the object in one step, or not at all.
"""

import os
import shutil
import stat as modes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import msgspec

from core.errors import AccessError, NotFoundError, PolyfaasError, RequestError, StorageError

# Linux's own limits, in bytes.
LONGEST_NAME = 255
LONGEST_PATH = 4095


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
        RequestError: The URL names no file or another host, or has a scheme that is not supported.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        return _named(url, url)
    if scheme.lower() != "file":
        raise RequestError(f"no object store for {scheme}:// in {url!r}: use a path or a file:// URL")
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise RequestError(f"{url!r} names the host {parts.netloc!r}: write file:///absolute/path")
    return _named(url, unquote(parts.path))


def _named(url: str, path: str) -> Path:
    try:
        return real_path(path)
    except ValueError as error:
        raise RequestError(f"{url!r} names no object ({error}): give a path or a file:// URL") from error


def real_path(path: str) -> Path:
    """The absolute path with its links followed: what is renamed onto it replaces the file, never the link.

    Raises:
        ValueError: No file can have that name.
    """
    if not path or "\0" in path:
        raise ValueError("it is empty or holds a NUL")
    path.encode()
    real = Path(os.path.realpath(path))
    if len(os.fsencode(real)) > LONGEST_PATH or any(len(os.fsencode(part)) > LONGEST_NAME for part in real.parts):
        raise ValueError("it is too long")
    return real


def stat(url: str) -> ObjectInfo:
    """What the store knows of the object.

    Raises:
        NotFoundError: There is no object, or it is a folder.
        StorageError: The store failed.
    """
    path = local_path(url)
    with _mapped(url):
        if path.is_dir():
            raise NotFoundError(f"{url} is a folder: name a file in it")
        if path.exists() and not path.is_file():
            raise NotFoundError(f"{url} is a device or a pipe: name a file, which can be read twice")
        return ObjectInfo(url, path.stat().st_size)


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
        with _mapped(url):
            yield part
            keep_mode(path, part)
            part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def part_beside(path: Path) -> Path:
    """A new, hidden name in the same folder, for a file that a rename will publish under `path`."""
    return path.with_name(f".{path.name[:50]}.{os.urandom(16).hex()}.part")


def keep_mode(path: Path, part: Path) -> None:
    """Give the new file the permissions of the one that it will replace, if there is one."""
    if path.exists():
        part.chmod(modes.S_IMODE(path.stat().st_mode))


def beside(url: str, suffix: str) -> str:
    """The object's URL with a suffix, its name cut where it would be too long."""
    folder, separator, name = url.rpartition("/")
    most = LONGEST_NAME - len(suffix)
    return folder + separator + name.encode()[:most].decode(errors="ignore") + suffix


def exists(url: str) -> bool:
    """Whether there is an object."""
    return local_path(url).is_file()


def remove(url: str) -> None:
    """Remove an object, if there is one.

    Raises:
        StorageError: The store failed.
    """
    path = local_path(url)
    with _mapped(url):
        path.unlink(missing_ok=True)


def check_room(url: str, written_bytes: int, done: float) -> None:
    """Check that the rest of an object will fit where it is written.

    Args:
        url: The object.
        written_bytes: What has been written of it.
        done: Which part of its source that came from, above 0 and up to 1.

    Raises:
        StorageError: It will not; the message says how much is needed.
    """
    needed, free = int(written_bytes * (1 - done) / done), free_bytes(url)
    if needed > free:
        whole = f"{url} would have about {(written_bytes + needed) / 1e6:,.0f} MB"
        raise StorageError(f"{whole}, and {free / 1e6:,.0f} MB are free for the last {needed / 1e6:,.0f}: make room")


def free_bytes(url: str) -> int:
    """How much can still be written where the object is."""
    return shutil.disk_usage(local_path(url).parent).free


def _check_target(url: str, path: Path) -> None:
    with _mapped(url):
        check_writable(url, path)


def check_writable(url: str, path: Path) -> None:
    """Check that a file can be made at a path, or put in the place of the one there.

    Raises:
        RequestError: Something else than a file is there.
        NotFoundError: Its folder is missing.
    """
    if path.is_dir():
        raise RequestError(f"{url} is a folder: name a file in it")
    if path.exists() and not path.is_file():
        raise RequestError(f"{url} is a device or a pipe: name a file")
    if not path.parent.is_dir():
        raise NotFoundError(f"{url} cannot be written, its folder does not exist: make it first")


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Turn what the operating system raises into our errors: the one place where it happens."""
    try:
        yield
    except PolyfaasError:
        raise
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotFoundError(f"there is nothing at {url}: check the path") from error
    except PermissionError as error:
        raise AccessError(f"access to {url} was refused: check its permissions") from error
    except OSError as error:
        raise StorageError(f"the store failed on {url}: {error.strerror}") from error
