"""polyfaas as a library: the TLQ pipeline, and what a service of one's own needs.

from core import transform, load, query

transform("sales.csv", "clean.csv")
load("clean.csv", "sqlite:///sales.db")
query("sqlite:///sales.db", group_by=["Region"], filters={"Sales Channel": "Offline"})
"""

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
from core.library import load, query, transform
from core.message import Context, Request, Response
from core.profiler import Profile, span
from core.runtime import handle
from core.service import Service, registry

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
    "query",
    "registry",
    "span",
    "transform",
]
