"""URLs of objects: which store they name, and what they call the object there."""

import os
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from core import access
from core.errors import RequestError
from core.storage.port import Location

# Linux's own limits, in bytes; the object stores' names have at most 1,024.
LONGEST_NAME = 255
LONGEST_PATH = 4095
LONGEST_KEY = 1024
# A bucket becomes a part of a host's name or of a path: nothing may stand in it that ends one.
BUCKET = re.compile(r"\$?[A-Za-z0-9][A-Za-z0-9._-]*")
REMOTE = {
    "s3": "s3://bucket/key (Amazon S3, or AWS_ENDPOINT_URL_S3)",
    "gs": "gs://bucket/key (Google Cloud Storage)",
    "cos": "cos://bucket/key (IBM Cloud Object Storage)",
    "az": "az://container/blob (Azure Blob Storage)",
    "memory": "memory://bucket/key (this process)",
}


def located(url: str, *, prefix: bool = False) -> Location:
    """Where the object of a URL or plain path is, if it may be touched.

    Args:
        url: What names it.
        prefix: Whether it is what names start with: it may then end in a slash, or have no name after the bucket.

    Raises:
        AccessError: It lies outside what may be touched; see `core.access`.
        RequestError: It names no object, or is of no known kind.
    """
    access.check_url(url)
    at = placed(url, prefix=prefix)
    if at.scheme == "file":
        ends = "/" if prefix and url.endswith("/") and not at.key.endswith("/") else ""
        access.check_path(at.key + ends, url, prefix=prefix)
    else:
        access.check_object(url, at.bucket, at.key, prefix=prefix)
    return at


def placed(url: str, *, prefix: bool = False) -> Location:
    """The same, whether it may be touched or not: for what is not opened."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return Location(url, "file", "", str(_named(url, url)))
    scheme = scheme.lower()
    if scheme == "file":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise RequestError(f"{access.shown(url)!r} names the host {parts.netloc!r}: write file:///absolute/path")
        return Location(url, "file", "", str(_named(url, unquote(parts.path))))
    if scheme not in REMOTE:
        known = ", ".join(f"{each}://" for each in REMOTE)
        shown = access.shown(url)
        raise RequestError(f"no object store for {scheme}:// in {shown!r}: use a path, file:// or one of {known}")
    bucket, _, key = rest.partition("/")
    if fault := _fault(bucket, f"{key}x" if prefix else key):
        raise RequestError(f"{access.shown(url)!r} names no object ({fault}): write {REMOTE[scheme]}")
    return Location(url, scheme, bucket, key)


def _fault(bucket: str, key: str) -> str | None:
    """Why no object is called so; None where one may be. A name means the same in every store, and in a folder."""
    parts = key.split("/")
    if not BUCKET.fullmatch(bucket):
        return "no bucket is called so: letters, digits, . _ and -" if bucket else "it has no bucket"
    if not key or not parts[-1]:
        return "it has no name after the bucket" if not key else "it ends in a slash"
    if "" in parts or "." in parts or ".." in parts:
        return "a part between slashes is empty, . or .."
    if not key.isprintable() or len(key.encode("utf-8", "replace")) > LONGEST_KEY:
        return "it holds a control character or is too long"
    return None


def _named(url: str, path: str) -> Path:
    try:
        return real_path(path)
    except ValueError as error:
        raise RequestError(f"{url!r} names no object ({error}): give a path or a file:// URL") from error


def beside(url: str, suffix: str) -> str:
    """The object's URL with a suffix, its name cut where it would be too long."""
    folder, separator, name = url.rpartition("/")
    most = LONGEST_NAME - len(suffix)
    return folder + separator + name.encode()[:most].decode(errors="ignore") + suffix


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
