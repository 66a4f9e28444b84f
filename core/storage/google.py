"""Objects of Google Cloud Storage, by Google's own client: obstore writes in a way that no emulator can confirm.

Credentials are found by Google's own chain; STORAGE_EMULATOR_HOST names an emulator, which needs none.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import PolyfaasError, StorageError
from core.storage.failure import meant
from core.storage.port import ChangedError, Location, ObjectInfo, Sink
from core.storage.upload import upload

if TYPE_CHECKING:
    from google.cloud.storage import Blob

PART_BYTES = 8 << 20
CONTENT_TYPE = "application/octet-stream"
TIMEOUT_S = 120
# The client repeats what fails for a moment, with jitter, as long as this.
RETRIED_S = 30


class GoogleStore:
    """The objects of Google Cloud Storage."""

    def stat(self, at: Location) -> ObjectInfo:
        """What the store knows of an object; see `ObjectStore.stat`."""
        with _mapped(at.url):
            blob = _blob(at)
            blob.reload(**_patience())
            return _info(at.url, blob)

    def first(self, at: Location, most: int) -> tuple[ObjectInfo, bytes]:
        """What the store knows of an object, and its first bytes; see `ObjectStore.first`."""
        found = self.stat(at)
        size = min(most, found.size_bytes)
        return found, self.read(at, 0, size, found.version) if size else b""

    def read(self, at: Location, start: int, stop: int, version: str = "") -> bytes:
        """A part of an object; see `ObjectStore.read`."""
        from google.api_core.exceptions import NotFound

        with _mapped(at.url):
            # The very generation is asked for, which is gone when there is another.
            blob = _client().bucket(at.bucket).blob(at.key, generation=int(version) if version else None)
            try:
                # `end` is the last byte, not the one after it. What was compressed stays so.
                data: bytes = blob.download_as_bytes(start=start, end=stop - 1, raw_download=True, **_patience())
            except NotFound as error:
                if version:
                    raise ChangedError(f"{at.url} has changed while it was read: read it again") from error
                raise
            return data

    @contextmanager
    def writing(self, at: Location) -> Iterator[Sink]:
        """What to write an object to; see `ObjectStore.writing`."""
        with _mapped(at.url):
            writer = _blob(at).open(
                "wb", chunk_size=PART_BYTES, ignore_flush=True, content_type=CONTENT_TYPE, **_patience()
            )

        def give_up(_: BaseException) -> None:
            if not writer.closed:
                writer.close = _nothing  # closed, be it by the garbage collector, it would become an object
                writer.terminate()

        with upload(writer, give_up, lambda: _mapped(at.url)) as sink:
            yield sink

    def put(self, at: Location, path: Path, expected: str) -> None:
        """Put a file's content in an object's place; see `ObjectStore.put`.

        Up to 8 MiB go in one request, more in parts, where the generation counts for these, not for the upload's start:
        https://github.com/googleapis/google-cloud-java/issues/201
        """
        condition = int(expected) if expected else 0
        with _mapped(at.url), path.open("rb") as file:
            blob = _client().bucket(at.bucket).blob(at.key, chunk_size=PART_BYTES)
            size = path.stat().st_size
            blob.upload_from_file(
                file, size=size, content_type=CONTENT_TYPE, if_generation_match=condition, **_patience()
            )

    def list(self, at: Location) -> Iterator[ObjectInfo]:
        """The objects whose names start so; see `ObjectStore.list`."""
        with _mapped(at.url):
            for blob in _client().list_blobs(at.bucket, prefix=at.key, **_patience()):
                yield _info(f"gs://{at.bucket}/{blob.name}", blob)

    def remove(self, at: Location) -> None:
        """Remove an object; see `ObjectStore.remove`."""
        from google.api_core.exceptions import NotFound

        with _mapped(at.url):
            try:
                _blob(at).delete(**_patience())
            except NotFound:  # no object is well, no bucket is not
                next(iter(_client().list_blobs(at.bucket, max_results=1, **_patience())), None)

    def copy(self, at: Location, target: Location) -> None:
        """Copy an object inside one bucket; see `ObjectStore.copy`."""
        with _mapped(at.url):
            copied = _blob(target)
            token = None
            while True:  # a large object takes several calls
                token, _, _ = copied.rewrite(_blob(at), token=token, **_patience())
                if token is None:
                    return


def _nothing() -> None:
    """What closing a writer does that has been given up."""


def _patience() -> dict[str, Any]:
    """How long a request may take, and how long it is repeated."""
    from google.cloud.storage.retry import DEFAULT_RETRY

    return {"timeout": TIMEOUT_S, "retry": DEFAULT_RETRY.with_timeout(RETRIED_S)}


def _info(url: str, blob: "Blob") -> ObjectInfo:
    return ObjectInfo(url, blob.size or 0, str(blob.generation))


def _blob(at: Location) -> "Blob":
    return _client().bucket(at.bucket).blob(at.key)


def _client() -> Any:
    return _made(os.getpid(), os.environ.get("STORAGE_EMULATOR_HOST"))


@cache
def _made(_process: int, emulator: str | None) -> Any:
    """A client of this process: a forked child needs connections of its own."""
    try:
        from google.cloud import storage
    except ImportError as error:
        raise StorageError("gs:// needs google-cloud-storage: install polyfaas[gs]") from error
    return storage.Client(project="emulated") if emulator else storage.Client()


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Turn what Google's client raises into our errors: the one place where it happens."""
    try:
        yield
    except (PolyfaasError, GeneratorExit):
        raise
    except Exception as error:
        found = _meant(url, error)
        if found is None:
            raise
        raise found from error


def _meant(url: str, error: Exception) -> PolyfaasError | None:
    from google.api_core.exceptions import GoogleAPICallError, GoogleAPIError, RetryError
    from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
    from google.cloud.storage.exceptions import InvalidResponse
    from requests import RequestException

    if not isinstance(error, GoogleAPIError | GoogleAuthError | InvalidResponse | RequestException):
        return None
    said = str(error).partition("\n")[0]
    last = (error.cause if isinstance(error, RetryError) else None) or error
    if isinstance(last, InvalidResponse):
        return meant(url, last.response.status_code, said)
    if isinstance(last, DefaultCredentialsError):
        return meant(url, HTTPStatus.UNAUTHORIZED, said)
    return meant(url, last.code or 0 if isinstance(last, GoogleAPICallError) else 0, said)
