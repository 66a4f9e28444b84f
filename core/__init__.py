"""polyfaas as a library: the TLQ pipeline, and what a service of one's own needs.

from core import transform, load, query

transform("sales.csv", "clean.csv")
load("clean.csv", "sqlite:///sales.db")
query("sqlite:///sales.db", group_by=["Region"], filters={"Sales Channel": "Offline"})
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
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
    from core.library import load, queries, query, shard, transform
    from core.message import Context, Request, Response
    from core.profiler import Call, Profile, span
    from core.runtime import handle
    from core.service import Service, registry

__all__ = [
    "AccessError",
    "Call",
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


# Where each name comes from. All are imported at first use: a service of one's own need not pay for the
# pipeline, the profiler alone not even for the records.
_MODULES = {
    "core.errors": (
        *("AccessError", "DataError", "DatabaseError", "Fault", "MethodError", "NotFoundError", "PolyfaasError"),
        *("RequestError", "StorageError"),
    ),
    "core.library": ("load", "queries", "query", "shard", "transform"),
    "core.message": ("Context", "Request", "Response"),
    "core.profiler": ("Call", "Profile", "span"),
    "core.runtime": ("handle",),
    "core.service": ("Service", "registry"),
}


def __getattr__(name: str) -> object:
    """A public name, imported at its first use."""
    module = next((module for module, names in _MODULES.items() if name in names), None)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(module), name)
    globals()[name] = value
    return value
