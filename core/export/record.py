"""What an exporter is given, and what it says when it fails."""

import msgspec

from core.errors import PolyfaasError
from core.message import Context
from core.profiler.record import Profile, Trace


class ExportError(PolyfaasError):
    """A profile could not be sent; the message says why and what to do. The call that it is of does not see it."""

    title = "Export failed"
    slug = "export-failed"


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is over, as an exporter sees it.

    Attributes:
        profile: What it cost.
        context: Where it ran.
        service: The service that ran, None when none could be picked.
        status: HTTP status of its answer.
    """

    profile: Profile
    context: Context
    service: str | None
    status: int

    @property
    def trace(self) -> Trace:
        """Where the call belongs; a trace of its own, the same each time, when its profile names none."""
        profile = self.profile
        return profile.trace or Trace(trace_id=profile.instance_id, span_id=f"{profile.invocation:016x}")

    @property
    def function(self) -> str:
        """What the call is called by: the function, or where that has no name the service."""
        return self.context.function or self.service or "polyfaas"
