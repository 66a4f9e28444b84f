"""What a call may touch: POLYFAAS_ALLOW names roots, and the ports of stores, databases and datasets ask here first.

A root is a path or a URL; it allows itself and what lies below it. With POLYFAAS_ALLOW set, even to nothing, nothing
else can be touched, by whomever. Without it, the library and the commands on one's own machine are free, and a call
that came through `handle` is allowed nothing.
"""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

import msgspec

from core import hosts
from core.errors import AccessError, RequestError

VARIABLE = "POLYFAAS_ALLOW"
EVERYTHING = "*"
# Databases that are one file, here or as an object: `core.database` reads them.
FILES = frozenset({"sqlite", "duckdb", "parquet", "csv"})
# What would have this machine fetch from wherever the caller says.
REACHING = frozenset(
    {"http", "https", "ftp", "ftps", "sftp", "scp", "ssh", "tftp", "dav", "davs", "webdav", "gopher", "dict", "ldap"}
    | {"ldaps", "smb", "telnet", "ws", "wss"}
)
PORTS = {"postgresql": "5432", "mysql": "3306", "mariadb": "3306", "mongodb": "27017", "derby": "1527"}
# In a user, / ? # @ are percent-encoded: readers of URLs do not agree on what they mean there.
SERVER = (
    r"(?P<scheme>[^:/?#@\s]+)://(?:[^/?#@\s\\]*@)?(?P<hosts>[^/?#@\s\\]*)(?P<path>[^?#@\s\\]*)(?:\?(?P<options>[^#]*))?"
)
HOST = r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]*))?"
# All other options, such as those that name a file here, are the root's own or none.
ANY_OPTIONS = frozenset({"password", "schema"})
ROOTS_REMEMBERED = 16

# What the calls of this context are limited to; None where nothing was said.
_limit: ContextVar[tuple[str, ...] | None] = ContextVar("polyfaas_limit", default=None)


class OutsideError(AccessError):
    """What was asked for lies outside what the call may touch.

    Attributes:
        url: As it was asked for, a password in it too: for no message.
    """

    def __init__(self, detail: str, url: str) -> None:
        super().__init__(detail)
        self.url = url


@contextmanager
def from_outside() -> Iterator[None]:
    """What runs in it was asked for by a caller elsewhere: it may touch nothing that was not allowed."""
    with limited(_limits() or ()):
        yield


@contextmanager
def limited(roots: Iterable[str]) -> Iterator[None]:
    """What runs in it may touch these roots and nothing else, whatever POLYFAAS_ALLOW says."""
    token = _limit.set(tuple(roots))
    try:
        yield
    finally:
        _limit.reset(token)


@contextmanager
def also(root: str) -> Iterator[None]:
    """What runs in it may touch this too: a temporary folder of our own."""
    found = _limits()
    if found is None:
        yield
        return
    with limited((*found, root)):
        yield


def listed(value: str) -> tuple[str, ...]:
    """The roots in a value of POLYFAAS_ALLOW: one a line, or, where it is one line, separated by commas."""
    return tuple(root for each in value.split("\n" if "\n" in value else ",") if (root := each.strip()))


def spelled(roots: Iterable[str]) -> str:
    """The value of POLYFAAS_ALLOW for these roots."""
    return "".join(f"{root}\n" for root in roots)


def check_url(url: str) -> None:
    """Refuse what no root can allow: a URL that reaches out, and a name with `..` where names are limited.

    Raises:
        AccessError: It is such a one.
    """
    scheme, separator, rest = url.partition("://")
    kinds = scheme.lower().strip().split("+") if separator else []
    if REACHING.intersection(kinds):
        raise OutsideError(
            f"{shown(url)} is on a network, and nothing is fetched from there: download it first and give its path, "
            "or put it into a store such as s3://",
            url,
        )
    an_object = len(kinds) > 1 or not {"file", *FILES}.issuperset(kinds)
    if an_object and ".." in rest.split("/") and _limits() is not None:
        raise _outside(url)


def check_path(real: str, url: str, *, prefix: bool = False) -> None:
    """Check that a file may be touched.

    Args:
        real: Its path with all links followed; the path to use, so that what was checked is what is used.
        url: What the caller called it.
        prefix: Whether it is what paths start with; all of these must be allowed.

    Raises:
        AccessError: It may not.
    """
    if not allows_path(real, prefix=prefix):
        raise _outside(url)


def allows_path(real: str, *, prefix: bool = False) -> bool:
    """Whether a file may be touched; see `check_path`."""
    found = _limits()
    if found is None or EVERYTHING in found:
        return True
    tops = (os.path.realpath(path) for root in found if (path := _path(root)))
    return any(_below(real, top, prefix=prefix) for top in tops)


def check_object(url: str, bucket: str, key: str, *, prefix: bool = False) -> None:
    """Check that an object of a store may be touched.

    Args:
        url: What the caller called it.
        bucket: Its bucket or container.
        key: Its name there.
        prefix: Whether the key is what names start with; all of these must be allowed.

    Raises:
        AccessError: It may not.
    """
    if hosts.is_metadata_address(bucket):
        raise _metadata(url)
    found = _limits()
    if found is None or EVERYTHING in found:
        return
    scheme = url.partition("://")[0].lower()
    for root in found:
        its_scheme, its_bucket, its_key = _object(root)
        if (its_scheme, its_bucket) == (scheme, bucket) and _below(key, its_key, prefix=prefix):
            return
    raise _outside(url)


def check_server(url: str) -> None:
    """Check that a database of a server may be touched: never one at an address that tells a machine's credentials.

    Raises:
        AccessError: It may not.
        RequestError: It cannot be told which server the URL names.
    """
    server = _server(url)
    if server is None:
        detail = f"{shown(url)} can be read in two ways: in a user or name write @ as %40, / as %2F, ? as %3F, # as %23"
        raise RequestError(detail)
    if any(hosts.is_metadata(host) for host, _ in server.places):
        raise _metadata(url)
    found = _limits()
    if found is None or EVERYTHING in found:
        return
    if not any(root.allows(server) for root in map(_server, found) if root):
        raise _outside(url)


def shown(url: str) -> str:
    """The URL without user, password and options."""
    scheme, separator, rest = url.partition("://")
    if not separator or scheme in {"file", *FILES}:
        return url
    if "@" not in rest and not REACHING.intersection(scheme.lower().split("+")):
        return url.partition("?")[0]
    found = re.fullmatch(SERVER, url)
    return f"{found['scheme']}://{found['hosts']}{found['path']}" if found else f"{scheme}://..."


def _limits() -> tuple[str, ...] | None:
    """The roots that hold here; None where all is free."""
    found = _limit.get()
    if found is not None:
        return found
    value = os.environ.get(VARIABLE)
    return None if value is None else listed(value)


def _below(name: str, top: str, *, prefix: bool) -> bool:
    """Whether a name is another or lies below it, part by part."""
    folder = top.rstrip("/") + "/"
    return (name == top and not prefix) or name.startswith(folder) or not top


@lru_cache(ROOTS_REMEMBERED)
def _path(root: str) -> str:
    """The path that a root names; empty where it names no file."""
    scheme, separator, rest = root.partition("://")
    if not separator:
        return root
    if scheme.lower() in FILES:
        return rest.removeprefix("/") if rest.startswith("/") else ""
    if scheme.lower() != "file":
        return ""
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(root)
    path = unquote(parts.path) if parts.netloc in ("", "localhost") else ""
    return "" if "\0" in path else path


@lru_cache(ROOTS_REMEMBERED)
def _object(root: str) -> tuple[str, str, str]:
    """The scheme, bucket and key that a root names."""
    scheme, _, rest = root.partition("://")
    kind, plus, store = scheme.lower().partition("+")
    bucket, _, key = rest.partition("/")
    return (store if plus and kind in FILES else scheme.lower()), bucket, key


class _Server(msgspec.Struct, frozen=True):
    """What a URL says of a database on a server."""

    scheme: str
    places: tuple[tuple[str, str], ...]
    parts: tuple[str, ...]
    options: tuple[tuple[str, str], ...]

    def allows(self, other: "_Server") -> bool:
        """Whether another is this one, or below it."""
        same = (self.scheme, self.places, self.options) == (other.scheme, other.places, other.options)
        return same and other.parts[: len(self.parts)] == self.parts


def _server(url: str) -> _Server | None:
    """What a URL says of a database on a server; None where it is none, or can be read in two ways."""
    from urllib.parse import parse_qsl, unquote

    found = re.fullmatch(SERVER, url)
    places = [re.fullmatch(HOST, place) for place in found["hosts"].split(",")] if found else [None]
    if found is None or None in places:
        return None
    scheme, path = found["scheme"].lower(), found["path"].strip("/")
    options = parse_qsl(found["options"] or "", keep_blank_values=True)
    return _Server(
        scheme,
        tuple((place[1].lower(), place[2] or PORTS.get(scheme, "")) for place in places if place),
        tuple(unquote(part) for part in path.split("/")) if path else (),
        tuple(sorted(option for option in options if option[0] not in ANY_OPTIONS)),
    )


def _outside(url: str) -> OutsideError:
    if _limits():
        cure = f"name what may be touched, or have its operator add this to {VARIABLE}"
        return OutsideError(f"{shown(url)} lies outside what this deployment may touch: {cure}", url)
    cure = f"set {VARIABLE} to the folders, buckets and databases that it may (docs/access.md)"
    return OutsideError(f"{shown(url)} may not be touched, since nothing was allowed to this deployment: {cure}", url)


def _metadata(url: str) -> OutsideError:
    detail = "is an address at which a machine tells its credentials, or that of a neighbour on its link"
    return OutsideError(f"{shown(url)} {detail}: it is never asked, whatever {VARIABLE} says; name another host", url)
