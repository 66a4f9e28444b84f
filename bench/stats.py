"""Numbers computed from the raw calls when a run is read; the statistics are scipy's."""

from collections.abc import Sequence

import msgspec

from bench.experiment import SERVICES
from bench.results import CallRecord, Run
from core.profiler import Profile

CONFIDENCE = 0.95
ENOUGH_FOR_P95 = 20
ENOUGH_FOR_P99 = 100

# The parts of a call's time that lie outside of its spans.
REST = ("other", "runtime + adapter")


class Interval(msgspec.Struct, frozen=True):
    """A median and where the true one lies with 95 % confidence.

    Attributes:
        median: Of the values; absent when there are none.
        low: Lower end; absent when there are too few values to say.
        high: Upper end; absent likewise.
    """

    median: float | None
    low: float | None
    high: float | None


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One service on one provider. A number that was not measured is null.

    Attributes:
        provider: The provider; "local" is the in-process call.
        service: The service.
        cold_ms: From before the process was spawned to its first answer: one call, so no interval.
        median_ms: Median of the warm calls as the client measured them.
        median_low_ms: Lower end of the median's 95 % interval; null with fewer than 6 calls.
        median_high_ms: Upper end likewise.
        p95_ms: 95th percentile of the warm calls; null with fewer than 20.
        cpu_ms: Median CPU time, user and system, of the function's process over a warm call.
        peak_mib: Peak memory of a fresh process that ran this service once; the largest of any call when
            there was no cold one.
        overhead_ms: Median over the warm calls of what the client measured less what the function measured of
            the same call: transport, runtime and adapter.
        agreement: Every call was answered with the in-process bytes, and so were the files it left.
        n: Warm calls that were answered with a result.
        errors: Calls, warm or not, without a result.
    """

    provider: str
    service: str
    cold_ms: float | None
    median_ms: float | None
    median_low_ms: float | None
    median_high_ms: float | None
    p95_ms: float | None
    cpu_ms: float | None
    peak_mib: float | None
    overhead_ms: float | None
    agreement: bool
    n: int
    errors: int


class Part(msgspec.Struct, frozen=True):
    """Where a share of one call's time went.

    Attributes:
        name: A span's name, "other" or "runtime + adapter".
        duration_ms: Its own time, without the spans inside it.
    """

    name: str
    duration_ms: float


def median(values: Sequence[float]) -> Interval:
    """The median with its distribution-free 95 % interval; all absent without values.

    The interval is that of `scipy.stats.quantile_test`, which inverts the binomial test on order statistics
    (Conover, Practical Nonparametric Statistics, 3rd ed., 1999, section 3.2). It covers the true median in at
    least 95 % of runs whatever the distribution. With fewer than 6 values even the smallest and the largest
    cover it less often (1 - 2 * 0.5**5 is 93.75 %), so there is no interval then.
    """
    from scipy import stats

    if not values:
        return Interval(None, None, None)
    ends = stats.quantile_test(values, p=0.5).confidence_interval(CONFIDENCE)
    return Interval(float(stats.quantile(values, 0.5)), _number(ends.low), _number(ends.high))


def p95(values: Sequence[float]) -> float | None:
    """The 95th percentile, interpolated linearly; None under 20 values: it would be about the largest."""
    from scipy import stats

    return float(stats.quantile(values, 0.95)) if len(values) >= ENOUGH_FOR_P95 else None


def p99(values: Sequence[float]) -> float | None:
    """The 99th percentile likewise; None under 100 values."""
    from scipy import stats

    return float(stats.quantile(values, 0.99)) if len(values) >= ENOUGH_FOR_P99 else None


def rows(run: Run, disagreeing: set[tuple[str, str]]) -> list[Row]:
    """One row for each service and each provider that started, services first.

    Args:
        run: The run.
        disagreeing: Provider and service of each row that did not agree.
    """
    return [
        _row(provider, service, calls, agreement=(provider, service) not in disagreeing)
        for service in SERVICES
        for provider in run.runtimes
        if (calls := [call for call in run.calls if (call.provider, call.service) == (provider, service)])
    ]


def warm(run: Run, provider: str, service: str) -> list[CallRecord]:
    """The warm calls that were answered with a result, in order."""
    return [call for call in run.calls if (call.provider, call.service) == (provider, service) and _warm(call)]


def typical(calls: Sequence[CallRecord]) -> CallRecord | None:
    """The call in the middle by elapsed time, a real one whose parts add up; None without calls."""
    ordered = sorted(calls, key=_elapsed)
    return ordered[(len(ordered) - 1) // 2] if ordered else None


def parts(call: CallRecord) -> list[Part]:
    """Where one call's time went, in order of first appearance; the parts add up to its elapsed time."""
    if call.profile is None:
        return []
    own = _own_times(call.profile)
    inside, outside = REST
    own[inside] = call.profile.duration_ms - sum(own.values())
    own[outside] = _elapsed(call) - call.profile.duration_ms
    return [Part(name, max(0.0, duration)) for name, duration in own.items()]


def cpu(call: CallRecord) -> float | None:
    """CPU time of the function's process over the call, user and system; None when it was not measured."""
    metrics = call.profile.metrics if call.profile else {}
    user, system = metrics.get("process_cpu_user_ms"), metrics.get("process_cpu_system_ms")
    return None if user is None or system is None else float(user) + float(system)


def _row(provider: str, service: str, calls: list[CallRecord], *, agreement: bool) -> Row:
    good = [call for call in calls if _warm(call)]
    elapsed = median([_elapsed(call) for call in good])
    return Row(
        provider=provider,
        service=service,
        cold_ms=next((call.cold_ms for call in calls if call.cold_ms is not None and call.digest), None),
        median_ms=elapsed.median,
        median_low_ms=elapsed.low,
        median_high_ms=elapsed.high,
        p95_ms=p95([_elapsed(call) for call in good]),
        cpu_ms=median([value for call in good if (value := cpu(call)) is not None]).median,
        peak_mib=_peak(calls),
        overhead_ms=median([_overhead(call) for call in good if call.profile]).median,
        agreement=agreement,
        n=len(good),
        errors=sum(call.digest is None for call in calls),
    )


def _warm(call: CallRecord) -> bool:
    return call.phase == "warm" and call.digest is not None


def _elapsed(call: CallRecord) -> float:
    return call.elapsed_ms or 0.0


def _overhead(call: CallRecord) -> float:
    return _elapsed(call) - (call.profile.duration_ms if call.profile else 0.0)


def _peak(calls: Sequence[CallRecord]) -> float | None:
    # A process's peak covers all that it ever ran; only a fresh one's is this service's own.
    fresh = [call for call in calls if call.phase == "cold" and call.profile] or calls
    peaks = (call.profile.metrics.get("peak_rss_mib") for call in fresh if call.profile)
    return max((float(peak) for peak in peaks if peak is not None), default=None)


def _own_times(profile: Profile) -> dict[str, float]:
    own: dict[str, float] = {}
    around: list[tuple[str, float]] = []
    for span in sorted(profile.spans, key=lambda span: (span.start_ms, -span.duration_ms)):
        while around and around[-1][1] <= span.start_ms:
            around.pop()
        if around:
            own[around[-1][0]] -= span.duration_ms
        own[span.name] = own.get(span.name, 0.0) + span.duration_ms
        around.append((span.name, span.start_ms + span.duration_ms))
    return own


def _number(value: float) -> float | None:
    return None if value != value else float(value)  # noqa: PLR0124  (the test for NaN)
