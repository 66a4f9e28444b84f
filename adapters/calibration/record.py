"""What was measured: raw values, kept; what they say is computed when they are read."""

import msgspec


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a probe.

    Attributes:
        probe: Its name.
        truth: What the call did, by figure.
        measured: What its profile says of the same figures; one that it does not tell is absent.
        neighbour_cpu_ms: What a busy process beside it used; absent where there was none.
        overhead_ms: What the profiler itself took, before and after; absent where it does not say.
    """

    probe: str
    truth: dict[str, float]
    measured: dict[str, float]
    neighbour_cpu_ms: float | None = None
    overhead_ms: float | None = None


class Calibration(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The truth probes of one runtime.

    Attributes:
        provider: Whose runtime: a provider's name, "local", or an endpoint's URL.
        about: The runtime's own name and versions, or the platform that an endpoint says it is.
        substitute: What about it is a stand-in for the provider's own; absent when nothing is.
        readings: The calls, in order.
        absent: Why a figure is in no profile of the runtime, by name.
        failed: Why a probe gave no truth, by its name.
    """

    provider: str
    about: str
    substitute: str | None = None
    readings: list[Reading]
    absent: dict[str, str] = {}
    failed: dict[str, str] = {}
