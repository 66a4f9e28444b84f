"""A profile as OpenTelemetry metrics: https://opentelemetry.io/docs/specs/semconv/faas/faas-metrics/.

What the convention has no name for is under `polyfaas.`.
"""

from collections.abc import Callable, Iterable
from functools import partial

import msgspec
from opentelemetry.metrics import Meter

from core.export.otlp.resource import MIB
from core.export.record import Finished
from core.profiler import boot
from core.profiler.record import Profile, Span

MS_PER_S = 1000
WAITED = f"start/{boot.WAIT}"

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900)
_MEMORY = tuple(MIB << doubled for doubled in range(4, 16))
_TRAFFIC = tuple(1 << doubled for doubled in range(10, 31, 2))

Figure = Callable[[Profile], float | None]


class Distribution(msgspec.Struct, frozen=True):
    """A histogram with one value a call.

    Attributes:
        name: What OpenTelemetry calls it.
        unit: As UCUM spells it.
        about: What it measures.
        bounds: Of its buckets.
        figure: The value in a profile, None where there is none.
    """

    name: str
    unit: str
    about: str
    bounds: tuple[float, ...]
    figure: Figure


class Count(msgspec.Struct, frozen=True):
    """A counter of calls.

    Attributes:
        name: What OpenTelemetry calls it.
        unit: As UCUM spells it.
        about: Which calls.
        counts: Whether a call is one of them.
    """

    name: str
    unit: str
    about: str
    counts: Callable[[Profile], bool]


def _total(names: Iterable[str], factor: float, profile: Profile) -> float | None:
    """The sum of metrics, None when one is absent."""
    values = [profile.metrics.get(name) for name in names]
    return sum(value * factor for value in values if value is not None) if None not in values else None


def _own_total(names: Iterable[str], factor: float, profile: Profile) -> float | None:
    """The same for what is of all calls under way: each of them would count what the others did."""
    return None if profile.metrics.get("cpu_shared") else _total(names, factor, profile)


def _initialized_s(profile: Profile) -> float | None:
    """What the instance did before its first call, from the first thing to the end of the last, less its waiting."""
    before = [part for part in profile.spans if part.start_ms < 0]
    ends_ms = [_ended_ms(part) for part in before if part.name != WAITED]
    if not ends_ms:
        return None
    waited_ms = sum(part.duration_ms for part in before if part.name == WAITED and _ended_ms(part) <= max(ends_ms))
    return (max(ends_ms) - min(part.start_ms for part in before) - waited_ms) / MS_PER_S


def _ended_ms(part: Span) -> float:
    return part.start_ms + part.duration_ms


DISTRIBUTIONS = (
    Distribution("faas.invoke_duration", "s", "Time that the function's logic took.", _SECONDS,
                 lambda profile: profile.duration_ms / MS_PER_S),
    Distribution("faas.init_duration", "s", "Time that the instance took to start.", _SECONDS, _initialized_s),
    Distribution("faas.cpu_usage", "s", "CPU time of the call.", _SECONDS,
                 partial(_total, ("cpu_ms",), 1 / MS_PER_S)),
    Distribution("faas.mem_usage", "By", "Most memory that the process has held so far.", _MEMORY,
                 partial(_total, ("peak_rss_mib",), MIB)),
    Distribution("faas.net_io", "By", "Bytes received and sent.", _TRAFFIC,
                 partial(_own_total, ("net_received_bytes", "net_sent_bytes"), 1)),
    Distribution("polyfaas.disk_io", "By", "Bytes read from and written to storage.", _TRAFFIC,
                 partial(_own_total, ("disk_read_bytes", "disk_write_bytes"), 1)),
    Distribution("polyfaas.throttled", "s", "Time in which the control group's CPU quota was used up.", _SECONDS,
                 partial(_own_total, ("cgroup_throttled_ms",), 1 / MS_PER_S)),
    Distribution("polyfaas.gc", "s", "Time that Python's garbage collector took.", _SECONDS,
                 partial(_own_total, ("gc_ms",), 1 / MS_PER_S)),
)  # fmt: skip
COUNTS = (
    Count("faas.invocations", "{invocation}", "Calls that succeeded.", lambda profile: profile.error is None),
    Count("faas.errors", "{error}", "Calls that failed.", lambda profile: profile.error is not None),
    Count("faas.coldstarts", "{coldstart}", "First calls of their instances.", lambda profile: profile.cold),
)


class Figures:
    """The instruments of an instance.

    Args:
        meter: Makes them.
    """

    def __init__(self, meter: Meter) -> None:
        self._distributions = [
            (meter.create_histogram(each.name, each.unit, each.about, explicit_bucket_boundaries_advisory=each.bounds),
             each.figure)
            for each in DISTRIBUTIONS
        ]  # fmt: skip
        self._counts = [(meter.create_counter(each.name, each.unit, each.about), each.counts) for each in COUNTS]

    def record(self, finished: Finished) -> None:
        """Add a call to them."""
        profile = finished.profile
        about = {"polyfaas.service": finished.service} if finished.service else {}
        for histogram, figure in self._distributions:
            value = figure(profile)
            if value is not None:
                histogram.record(value, about)
        failure = {"error.type": profile.error} if profile.error else {}
        for counter, counts in self._counts:
            if counts(profile):
                counter.add(1, about | failure)
