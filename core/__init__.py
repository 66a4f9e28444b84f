"""polyfaas as a library: the TLQ pipeline, and what a service of one's own needs.

from core import transform, load, query

transform("sales.csv", "clean.csv")
load("clean.csv", "sqlite:///sales.db")
query("sqlite:///sales.db", group_by=["Region"], filters={"Sales Channel": "Offline"})
"""

from typing import TYPE_CHECKING, Any

from core.errors import (
    AccessError,
    DatabaseError,
    DataError,
    Fault,
    MethodError,
    NotFoundError,
    PolyfaasError,
    RequestError,
    StorageError,
)
from core.message import Context, Request, Response
from core.profiler import Profile, span
from core.runtime import handle
from core.service import Service, registry

if TYPE_CHECKING:
    from core.library import load, queries, query, shard, transform

__all__ = [
    "AccessError",
    "Context",
    "DataError",
    "DatabaseError",
    "Fault",
    "MethodError",
    "NotFoundError",
    "PolyfaasError",
    "Profile",
    "Request",
    "RequestError",
    "Response",
    "Service",
    "StorageError",
    "handle",
    "load",
    "queries",
    "query",
    "registry",
    "shard",
    "span",
    "transform",
]


def __getattr__(name: str) -> Any:
    """The pipeline's functions, imported at first use: a service of one's own need not pay for them."""
    if name not in ("transform", "load", "query", "queries", "shard"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from core import library

    return getattr(library, name)
