"""One error tree; each error has its HTTP status and becomes an RFC 9457 problem object.

    PolyfaasError              500
    |- RequestError            400   the request itself is wrong; `errors` names the JSON paths
    |- AccessError             403   the URL lies outside what this deployment may touch
    |- NotFoundError           404   no such service, object, database or table
    |- MethodError             405   a service takes POST only
    |- DataError               422   the data is wrong; line and column say where
    |- StorageError            502   an object store failed
    `- DatabaseError           502   a database failed

A message says what was found and what to do about it.
"""

from collections.abc import Sequence
from typing import Any

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One place that is wrong.

    Attributes:
        path: JSON path in the request, for example "$.filters[0].op".
        source: URL of the object that holds the bad data.
        line: Line in that object, counted from 1 (the header is line 1).
        column: Column name as the dataset spells it.
        value: What was found there.
        detail: What is wrong with it.
    """

    detail: str
    path: str | None = None
    source: str | None = None
    line: int | None = None
    column: str | None = None
    value: str | None = None


class PolyfaasError(Exception):
    """Base of every error that polyfaas raises on purpose.

    Args:
        detail: What was found and what to do.
        errors: The places that are wrong.
    """

    status = 500
    title = "Internal error"
    slug = "internal"

    def __init__(self, detail: str, errors: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)

    def problem(self, instance: str) -> dict[str, Any]:
        """The RFC 9457 problem object of this error.

        Args:
            instance: URI reference of the call that failed, for example "/transform".
        """
        problem: dict[str, Any] = {
            "type": f"urn:polyfaas:error:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            problem["errors"] = self.errors
        return problem


class RequestError(PolyfaasError, ValueError):
    """The request is malformed: not JSON, a field missing, unknown or of the wrong type."""

    status = 400
    title = "Bad request"
    slug = "bad-request"


class AccessError(PolyfaasError, PermissionError):
    """The URL lies outside what this deployment may touch, or the store refused access."""

    status = 403
    title = "Forbidden"
    slug = "forbidden"


class NotFoundError(PolyfaasError, LookupError):
    """There is no such service, object, database or table."""

    status = 404
    title = "Not found"
    slug = "not-found"


class MethodError(PolyfaasError):
    """The HTTP method is not one that a service takes."""

    status = 405
    title = "Method not allowed"
    slug = "method-not-allowed"


class DataError(PolyfaasError, ValueError):
    """The data does not fit its dataset."""

    status = 422
    title = "Bad data"
    slug = "bad-data"


class StorageError(PolyfaasError, OSError):
    """An object store could not do what was asked."""

    status = 502
    title = "Object store failed"
    slug = "storage"


class DatabaseError(PolyfaasError):
    """A database could not do what was asked."""

    status = 502
    title = "Database failed"
    slug = "database"
