"""Databases behind a network: what their URLs say, where their secrets are, and the one connection an instance keeps.

A URL holds no password: it would stand in every request, log and profile. It says where the password is, or the
client library finds it by its own means (PGPASSWORD, ~/.pgpass).
"""

import atexit
import ipaddress
import os
import re
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from core.errors import AccessError, DatabaseError, Fault, RequestError

# A remote caller may name a variable, so not every variable may be named.
VARIABLE = re.compile(r"env:([A-Z0-9_]*PASSWORD)")
SECRET = re.compile(r"aws-secretsmanager:([^#]+)(?:#(.+))?")
CONNECT_TIMEOUT_S = 10
# A connection that has rested so long is asked whether it still is one.
RESTED_S = 1.0


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """What a URL says about a database of a server.

    Attributes:
        url: As it was asked for.
        host: Name or address; empty where the client library knows one.
        port: None for the server's usual one.
        user: None where the client library knows one.
        name: Of the database on the server.
        options: What follows the question mark.
    """

    url: str
    host: str
    port: int | None
    user: str | None
    name: str
    options: dict[str, str]

    @property
    def local(self) -> bool:
        """Whether what is said to the server stays on this machine."""
        if self.host in ("", "localhost") or self.host.startswith("/"):
            return True
        with suppress(ValueError):
            return ipaddress.ip_address(self.host).is_loopback
        return False

    def password(self) -> str | None:
        """The secret that the URL refers to; None where it refers to none.

        Raises:
            RequestError: It names nothing that is there.
        """
        reference = self.options.get("password")
        if reference is None:
            return None
        if found := VARIABLE.fullmatch(reference):
            if (value := os.environ.get(found[1])) is None:
                raise wrong(self.url, f"the variable {found[1]} is not set: set it where the function runs")
            return value
        found = SECRET.fullmatch(reference)
        return _managed(self.url, found[1], found[2]) if found else None


def server(url: str, options: Collection[str]) -> Server:
    """What a URL says.

    Args:
        url: `scheme://user@host:port/name?option=value`.
        options: Those that the kind of database knows, besides "password".

    Raises:
        RequestError: It says something else, or holds a password.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
        given = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError as error:
        raise wrong(url, f"it is no URL of a database ({error}): write {parts_of(url)}://user@host/name") from error
    if parts.password is not None:
        plain = f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
        cure = "write password=env:NAME after a question mark, and set the variable NAME where the function runs"
        raise wrong(plain, f"it may not hold a password: {cure}")
    for option in given.keys() - {*options, "password"}:
        known = ", ".join(sorted({*options, "password"}))
        raise wrong(url, f'there is no option "{option}": use one of {known}')
    name = unquote(parts.path.removeprefix("/"))
    if not name or "/" in name or "\0" in name:
        raise wrong(url, f"it names no database: write {parts.scheme}://user@host/name")
    if not _refers(given.get("password")):
        forms = "password=env:NAME (a name that ends in PASSWORD) or password=aws-secretsmanager:NAME#FIELD"
        raise wrong(url.partition("?")[0], f"it may not hold a password, only say where it is: write {forms}")
    user = unquote(parts.username) if parts.username else None
    return Server(url=url, host=parts.hostname or "", port=port, user=user, name=name, options=given)


def _refers(password: str | None) -> bool:
    """Whether what stands for the password says where it is, or there is nothing."""
    return password is None or bool(VARIABLE.fullmatch(password) or SECRET.fullmatch(password))


def parts_of(url: str) -> str:
    """The scheme of a URL."""
    return url.partition("://")[0]


def wrong(url: str, found: str) -> RequestError:
    """The error for a URL that cannot be used."""
    detail = f"{url}: {found}"
    return RequestError(detail, [Fault(path="$.database", detail=detail)])


def _managed(url: str, secret: str, field: str | None) -> str:
    """A secret of AWS Secrets Manager, or one field of one that is JSON."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError as error:
        raise DatabaseError("aws-secretsmanager: needs boto3: install polyfaas[aws]") from error
    try:
        text: str = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
        return text if field is None else str(msgspec.json.decode(text, type=dict[str, Any])[field])
    except (BotoCoreError, ClientError) as error:
        raise AccessError(f"the secret {secret!r} cannot be read: {error}") from error
    except (msgspec.DecodeError, KeyError) as error:
        raise wrong(url, f"the secret {secret!r} is no JSON object with the field {field!r}") from error


class _Kept:
    """One connection and who may use it now."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.connection: Any = None
        self.used = 0.0

    def drop(self) -> None:
        connection, self.connection = self.connection, None
        if connection is not None:
            with suppress(Exception):  # it may be broken, which is why it goes
                connection.close()


_kept: dict[tuple[int, str], _Kept] = {}
_lock = threading.Lock()


@contextmanager
def connection(url: str, opening: Callable[[], Any], alive: Callable[[Any], bool]) -> Iterator[Any]:
    """The connection of this instance to a database, for one call at a time.

    Servers have few connections and functions many instances, so each keeps one. What ends badly ends the connection
    too: the server then rolls back and forgets what was begun.

    Args:
        url: Of the database.
        opening: Makes a connection, which has `close`.
        alive: Whether a connection that has rested still is one.
    """
    _close_at_exit()
    with _lock:
        kept = _kept.setdefault((os.getpid(), url), _Kept())
    with kept.lock:
        rested = time.monotonic() - kept.used > RESTED_S
        if kept.connection is not None and rested and not alive(kept.connection):
            kept.drop()
        if kept.connection is None:
            kept.connection = opening()
        try:
            yield kept.connection
        except BaseException:
            kept.drop()
            raise
        kept.used = time.monotonic()


@cache
def _close_at_exit() -> None:
    atexit.register(close_all)


def close(url: str) -> None:
    """End the connection that this instance keeps, if it keeps one."""
    with _lock:
        kept = _kept.pop((os.getpid(), url), None)
    if kept is not None:
        with kept.lock:
            kept.drop()


def close_all() -> None:
    """End all connections that this process keeps."""
    for process, url in list(_kept):
        if process == os.getpid():
            close(url)
