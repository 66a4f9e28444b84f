"""Files as objects: whatever the process can reach by a path."""

import fcntl
import io
import os
import re
import shutil
import stat as modes
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import AccessError, NotFoundError, PolyfaasError, RequestError, StorageError
from core.storage.port import ChangedError, Location, ObjectInfo, Sink

# What is not an object yet: see `part_beside`.
PART = re.compile(r"/\.[^/]*\.[0-9a-f]{32}\.part\Z")


class LocalStore:
    """The files of this machine."""

    def stat(self, at: Location) -> ObjectInfo:
        """What is known of a file; see `ObjectStore.stat`."""
        path = Path(at.key)
        with mapped(at.url):
            if path.is_dir():
                raise NotFoundError(f"{at.url} is a folder: name a file in it")
            if path.exists() and not path.is_file():
                raise NotFoundError(f"{at.url} is a device or a pipe: name a file, which can be read twice")
            return _info(at.url, path.stat())

    def first(self, at: Location, most: int) -> tuple[ObjectInfo, bytes]:
        """What the store knows of an object, and its first bytes; see `ObjectStore.first`."""
        found = self.stat(at)
        size = min(most, found.size_bytes)
        return found, self.read(at, 0, size, found.version) if size else b""

    def read(self, at: Location, start: int, stop: int, version: str = "") -> bytes:
        """A part of a file; see `ObjectStore.read`."""
        with mapped(at.url), open(at.key, "rb") as file:  # noqa: PTH123  (a key, not a Path)
            if version and _info(at.url, os.fstat(file.fileno())).version != version:
                raise ChangedError(f"{at.url} has changed while it was read: read it again")
            return os.pread(file.fileno(), stop - start, start)

    @contextmanager
    def writing(self, at: Location) -> Iterator[Sink]:
        """What to write a file to; see `ObjectStore.writing`."""
        with replacing(at) as part, part.open("wb") as file:
            yield file

    def put(self, at: Location, path: Path, expected: str) -> None:
        """Put a file's content in another file's place; see `ObjectStore.put`."""
        with replacing(at, expected) as part:
            shutil.copyfile(path, part)

    def list(self, at: Location) -> Iterator[ObjectInfo]:
        """The files whose paths start so, links not followed; see `ObjectStore.list`."""
        prefix = at.key + ("/" if at.url.endswith("/") and not at.key.endswith("/") else "")
        top = prefix if prefix.endswith("/") else os.path.dirname(prefix)  # noqa: PTH120  (a prefix, not a path)
        with mapped(at.url):
            paths = [f"{folder}/{name}" for folder, _, names in os.walk(top.rstrip("/") or "/") for name in names]
            for path in sorted((each for each in paths if each.startswith(prefix)), key=os.fsencode):
                with suppress(FileNotFoundError):  # removed since
                    if not PART.search(path):
                        yield _info(path, os.stat(path))  # noqa: PTH116  (a key, not a Path)

    def remove(self, at: Location) -> None:
        """Remove a file; see `ObjectStore.remove`."""
        with mapped(at.url):
            Path(at.key).unlink(missing_ok=True)

    def copy(self, at: Location, target: Location) -> None:
        """Copy a file; see `ObjectStore.copy`."""
        self.stat(at)
        with replacing(target) as part:
            shutil.copyfile(at.key, part)


def _info(url: str, found: os.stat_result) -> ObjectInfo:
    return ObjectInfo(url, found.st_size, f"{found.st_mtime_ns}-{found.st_ino}-{found.st_size}")


@contextmanager
def opened(at: Location) -> Iterator[io.BufferedReader]:
    """The file, open."""
    with mapped(at.url):
        file = Path(at.key).open("rb")  # noqa: SIM115  (closed below; what its user raises is not the file's)
    with file:
        yield file


@contextmanager
def replacing(at: Location, expected: str | None = None) -> Iterator[Path]:
    """A path to write to; it becomes the file when the context ends well, and is gone otherwise.

    Args:
        at: The file.
        expected: The version that it must have then, none where there must be no file; None if it may have any.
    """
    path = Path(at.key)
    with mapped(at.url):
        check_writable(at.url, path)
    part = part_beside(path)
    try:
        with mapped(at.url):
            yield part
            keep_mode(path, part)
            with _expected(at, expected):
                _date(path, part)
                part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _expected(at: Location, version: str | None) -> Iterator[None]:
    """Where the file has the version, if one is given: writers that give one wait for each other, for a moment."""
    if version is None:
        yield
        return
    path = Path(at.key)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if (_info(at.url, path.stat()).version if path.exists() else "") != version:
            raise ChangedError(f"{at.url} was changed by another writer meanwhile: read it and repeat")
        yield
    finally:
        os.close(folder)


def _date(path: Path, part: Path) -> None:
    """Date a new file after the one that it will replace: inodes are used again, and file systems date in ticks."""
    now = time.time_ns()
    later = max(now, path.stat().st_mtime_ns + 1) if path.exists() else now
    os.utime(part, ns=(later, later))


def part_beside(path: Path) -> Path:
    """A new, hidden name in the same folder, for a file that a rename will publish under `path`."""
    return path.with_name(f".{path.name[:50]}.{os.urandom(16).hex()}.part")


def keep_mode(path: Path, part: Path) -> None:
    """Give the new file the permissions of the one that it will replace, if there is one."""
    if path.exists():
        part.chmod(modes.S_IMODE(path.stat().st_mode))


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
def mapped(url: str) -> Iterator[None]:
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
