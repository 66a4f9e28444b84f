"""Runs the probes in a runtime, round by round, and keeps what was done and what the profile said."""

from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from adapters.calibration.figures import FIGURES
from adapters.calibration.probes import NOTHING, PROBES, Probe
from adapters.calibration.record import Calibration, Reading
from core.errors import PolyfaasError
from core.message import Request, Response
from core.profiler import Profile
from core.services.probe import ProbeResult

RUNS = 5

Call: TypeAlias = Callable[[Request], Response]


class _Answer(msgspec.Struct, frozen=True):
    """The parts of an answer that are read."""

    result: ProbeResult | None = None
    profile: Profile | None = None
    error: dict[str, Any] = {}


class _UntoldError(PolyfaasError):
    """A probe gave no truth."""


def measure(provider: str, about: str, call: Call, runs: int = RUNS) -> Calibration:
    """Run every probe so many times.

    The probes come in turn, so that a slow moment of the machine hits all of them. A round before is not kept:
    what a first call imports and warms up is not the probe's.

    Args:
        provider: Whose runtime.
        about: What it is.
        call: Asks it.
        runs: Rounds.
    """
    readings: list[Reading] = []
    absent: dict[str, str] = {}
    failed: dict[str, str] = {}
    for at in range(runs + 1):
        for probe in PROBES:
            if probe.name in failed:
                continue
            try:
                result, profile = _asked(probe, call)
            except _UntoldError as error:
                failed[probe.name] = error.detail
                continue
            if at > 0:
                readings.append(_reading(probe, result, profile))
                absent |= _absent(readings[-1], profile)
    return Calibration(provider=provider, about=about, readings=readings, absent=absent, failed=failed)


def _asked(probe: Probe, call: Call) -> tuple[ProbeResult, Profile]:
    body = call(probe.request()).body
    try:
        answer = msgspec.json.decode(body, type=_Answer)
    except msgspec.DecodeError as error:
        raise _UntoldError(f"the answer is not as agreed ({error})") from error
    if answer.result is None or answer.profile is None:
        raise _UntoldError(str(answer.error.get("detail", "the answer has no result with a profile, and no error")))
    return answer.result, answer.profile


def _reading(probe: Probe, result: ProbeResult, profile: Profile) -> Reading:
    truth = {name: result.truth[name] for name in probe.figures if name in result.truth}
    measured = {name: FIGURES[name].measured(profile) for name in truth}
    return Reading(
        probe=probe.name,
        truth=truth,
        measured={name: value for name, value in measured.items() if value is not None},
        neighbour_cpu_ms=result.neighbour_cpu_ms,
        overhead_ms=_overhead_ms(profile) if probe.name == NOTHING else None,
    )


def _absent(reading: Reading, profile: Profile) -> dict[str, str]:
    missing = reading.truth.keys() - reading.measured.keys()
    return {name: FIGURES[name].missing(profile.unavailable) for name in missing}


def _overhead_ms(profile: Profile) -> float | None:
    readings = [profile.metrics.get(name) for name in ("profiler_begin_ms", "profiler_end_ms")]
    known = [float(value) for value in readings if value is not None]
    return sum(known) if len(known) == len(readings) else None
