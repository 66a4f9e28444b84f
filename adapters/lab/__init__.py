"""The lab runs each provider's real runtime on this machine and speaks to it over loopback.

What runs inside a runtime imports from this package too, so nothing heavy is imported here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adapters.lab.instance import Instance

__all__ = ["LOCAL", "start"]

LOCAL = "local"


def start(
    provider: str,
    folder: Path,
    work: Path | None = None,
    allow: Sequence[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> "Instance":
    """An instance of the provider's runtime that accepts calls.

    Args:
        provider: A name out of `PROVIDERS`, or "local" for a child Python that calls `handle` straight.
        folder: Gets the instance's log and its other files; made when missing.
        work: Its working directory, from which relative paths count; `folder/work`, made, when left out.
        allow: What its calls may touch, see `core.access`; what POLYFAAS_ALLOW says here when left out.
        environment: Variables that it gets besides; it inherits none.

    Raises:
        RuntimeUnavailableError: The runtime is missing or did not start; the message says why.
    """
    from adapters.lab.instance import launch

    return launch(provider, folder, work, allow, environment or {})
