"""Objects behind a network, by obstore: Amazon S3, whatever speaks like it, IBM COS among them; and memory.

Each finds its credentials by its provider's own variables and, on the provider's machines, by the role of these.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, TypeAlias

from core.errors import AccessError, NotFoundError, PolyfaasError, RequestError, StorageError
from core.storage.port import Location, ObjectInfo, Sink
from core.storage.upload import upload

# A part of an upload; two are on their way while a third is filled. S3 takes 10,000 parts: 80 GB.
PART_BYTES = 8 << 20
PARTS_AT_ONCE = 2
# The client repeats what fails for a moment, with jitter, as long as this allows.
RETRIES: Any = {"max_retries": 6, "retry_timeout": timedelta(seconds=30)}
CONNECT_TIMEOUT = "10s"
REQUEST_TIMEOUT = "120s"
# A writer raises nothing finer than OSError.
REFUSED = re.compile("status code: 40[13]")

Store: TypeAlias = Any


class RemoteStore:
    """One scheme's objects, by obstore.

    Args:
        scheme: "s3", "cos" or "memory".
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme

    def stat(self, at: Location) -> ObjectInfo:
        """What the store knows of an object; see `ObjectStore.stat`."""
        import obstore

        with _mapped(at.url):
            return _info(at.url, obstore.head(self._store(at), at.key))

    def read(self, at: Location, start: int, stop: int, version: str = "") -> bytes:
        """A part of an object; see `ObjectStore.read`."""
        import obstore

        with _mapped(at.url):
            options: Any = {"range": (start, stop), **({"if_match": version} if version else {})}
            return bytes(obstore.get(self._store(at), at.key, options=options).bytes())

    @contextmanager
    def writing(self, at: Location) -> Iterator[Sink]:
        """What to write an object to; see `ObjectStore.writing`."""
        import obstore

        with _mapped(at.url):
            writer = obstore.open_writer(self._store(at), at.key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE)

        def give_up(error: BaseException) -> None:
            if not writer.closed():
                writer.__exit__(type(error), error, error.__traceback__)

        with upload(writer, give_up, lambda: _mapped(at.url)) as sink:
            yield sink

    def list(self, at: Location) -> Iterator[ObjectInfo]:
        """The objects whose names start so; see `ObjectStore.list`."""
        import obstore

        # The client takes whole parts between slashes for a prefix.
        folder = at.key.rpartition("/")[0]
        with _mapped(at.url):
            found = [each for batch in obstore.list(self._store(at), folder or None) for each in batch]
        for each in sorted(found, key=lambda each: each["path"].encode()):
            if each["path"].startswith(at.key):
                yield _info(f"{at.scheme}://{at.bucket}/{each['path']}", each)

    def remove(self, at: Location) -> None:
        """Remove an object; see `ObjectStore.remove`."""
        import obstore

        with _mapped(at.url):
            try:
                obstore.delete(self._store(at), at.key)
            except FileNotFoundError:
                next(iter(obstore.list(self._store(at))), None)  # no object is well, no bucket is not

    def copy(self, at: Location, target: Location) -> None:
        """Copy an object inside one bucket; see `ObjectStore.copy`."""
        import obstore

        with _mapped(at.url):
            obstore.copy(self._store(at), at.key, target.key)

    def _store(self, at: Location) -> Store:
        if _first_user() != os.getpid():
            detail = "this process was forked from one that had used obstore, whose threads it lacks and would wait for"
            raise StorageError(f'{detail}: start workers by multiprocessing.get_context("spawn")')
        return STORES[self._scheme](at.bucket)


def _info(url: str, found: Mapping[str, Any]) -> ObjectInfo:
    return ObjectInfo(url, found["size"], found["e_tag"] or "")


@cache
def _first_user() -> int:
    """The process that used obstore first; a forked child inherits the answer."""
    return os.getpid()


def _amazon(bucket: str) -> Store:
    """By AWS_* variables, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL among them, or the role of the machine."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
    return _s3(
        bucket, endpoint, region, _environment("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    )


def _ibm(bucket: str) -> Store:
    """By HMAC credentials; the region is the endpoint's."""
    endpoint = os.environ.get("COS_ENDPOINT")
    keys = _environment("COS_HMAC_ACCESS_KEY_ID", "COS_HMAC_SECRET_ACCESS_KEY")
    if not endpoint or None in keys:
        missing = "COS_ENDPOINT, COS_HMAC_ACCESS_KEY_ID and COS_HMAC_SECRET_ACCESS_KEY"
        raise RequestError(f"cos:// needs {missing} in the environment: set them")
    return _s3(bucket, endpoint, "us-east-1", keys)


def _environment(*names: str) -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in names)


@cache
def _s3(bucket: str, endpoint: str | None, region: str, keys: tuple[str | None, ...]) -> Store:
    from obstore.store import S3Store

    names = ("access_key_id", "secret_access_key", "session_token")
    given: dict[str, Any] = {name: key for name, key in zip(names, keys, strict=False) if key}
    if endpoint:
        given |= {"endpoint": endpoint, "virtual_hosted_style_request": False}
    return S3Store(bucket, region=region, client_options=_client(endpoint), retry_config=RETRIES, **given)


def _client(endpoint: str | None) -> Any:
    """Plain HTTP only where the endpoint says so: an emulator's."""
    plain = bool(endpoint and endpoint.startswith("http://"))
    return {"connect_timeout": CONNECT_TIMEOUT, "timeout": REQUEST_TIMEOUT, "allow_http": plain}


@cache
def _memory(bucket: str) -> Store:  # noqa: ARG001  (one store each)
    from obstore.store import MemoryStore

    return MemoryStore()


STORES: dict[str, Callable[[str], Store]] = {"s3": _amazon, "cos": _ibm, "memory": _memory}


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Turn what obstore raises into our errors: the one place where it happens."""
    from obstore import exceptions

    try:
        yield
    except PolyfaasError:
        raise
    except (FileNotFoundError, exceptions.NotFoundError) as error:
        raise NotFoundError(f"there is nothing at {url}: check the bucket and the name") from error
    except exceptions.PreconditionError as error:
        raise StorageError(f"{url} has changed while it was read: read it again") from error
    except (OSError, exceptions.BaseError) as error:
        said = str(error).partition("\n")[0]
        kinds = (PermissionError, exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
        if isinstance(error, kinds) or REFUSED.search(said):
            raise AccessError(f"access to {url} was refused: check the credentials and what they allow") from error
        raise StorageError(f"the store failed on {url}: {said}") from error
