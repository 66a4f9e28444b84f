"""What the readings say: for each figure the truth, what was measured, and a word for the difference."""

from collections.abc import Iterator
from statistics import median
from typing import Literal

import msgspec

from adapters.calibration.figures import FIGURES, Figure
from adapters.calibration.probes import PROBES
from adapters.calibration.record import Calibration, Reading

# "neighbour's": a figure of the cgroup or the machine holds what others did as well, and says more than the truth.
Word = Literal["right", "neighbour's", "off", "absent"]
US_PER_MS = 1000


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One figure beside one probe.

    Attributes:
        probe: Name of the probe.
        figure: Name of the figure.
        unit: Of the numbers.
        scope: Whose it is.
        truth: What the call did, median of the runs.
        measured: What the profile said, median of the runs; null when it said nothing.
        error: Median of what each run's profile said too much, negative for too little.
        worst: The one of these that is furthest from 0.
        word: What that means.
        reason: Why nothing was said; null when something was.
    """

    probe: str
    figure: str
    unit: str
    scope: str
    truth: float
    measured: float | None
    error: float | None
    worst: float | None
    word: Word
    reason: str | None = None

    @property
    def is_missed(self) -> bool:
        """It is CPU time of the call's own, and wrong."""
        return self.word == "off" and FIGURES[self.figure].is_own_cpu


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a calibration says.

    Attributes:
        lines: The figures, by probe.
        overhead_us: What the profiler itself took of a call that does nothing, median; null when it does not say.
        most_overhead_us: The most that it took.
        sentence: All of it in a line.
    """

    lines: list[Line]
    overhead_us: float | None
    most_overhead_us: float | None
    sentence: str

    @property
    def missed(self) -> list[Line]:
        """CPU time that is wrong."""
        return [line for line in self.lines if line.is_missed]


def judged(calibration: Calibration) -> Verdict:
    """What a calibration says, computed from its raw readings."""
    lines = [line for probe in PROBES for line in _lines(calibration, probe.name, probe.figures)]
    overheads = [each.overhead_ms * US_PER_MS for each in calibration.readings if each.overhead_ms is not None]
    overhead_us = median(overheads) if overheads else None
    return Verdict(
        lines=lines,
        overhead_us=overhead_us,
        most_overhead_us=max(overheads, default=None),
        sentence="; ".join(_parts(lines, overhead_us)) or _nothing(calibration),
    )


def _lines(calibration: Calibration, probe: str, figures: tuple[str, ...]) -> Iterator[Line]:
    readings = [reading for reading in calibration.readings if reading.probe == probe]
    for name in figures:
        told = [reading for reading in readings if name in reading.truth]
        if told:
            yield _line(FIGURES[name], told, calibration.absent.get(name))


def _line(figure: Figure, readings: list[Reading], reason: str | None) -> Line:
    name = figure.name
    truth = median(reading.truth[name] for reading in readings)
    pairs = [(each.truth[name], each.measured[name]) for each in readings if name in each.measured]
    errors = [measured - true for true, measured in pairs]
    error = median(errors) if errors else None
    return Line(
        probe=readings[0].probe,
        figure=name,
        unit=figure.unit,
        scope=figure.scope,
        truth=truth,
        measured=median(measured for _, measured in pairs) if pairs else None,
        error=error,
        worst=max(errors, key=abs, default=None),
        word=_word(figure, truth, error),
        reason=reason if error is None else None,
    )


def _word(figure: Figure, truth: float, error: float | None) -> Word:
    if error is None:
        return "absent"
    if abs(error) <= figure.tolerance(truth):
        return "right"
    return "neighbour's" if figure.is_wide and error > 0 else "off"


def _parts(lines: list[Line], overhead_us: float | None) -> Iterator[str]:
    own = [line for line in lines if FIGURES[line.figure].is_own_cpu]
    errors = [abs(line.error) for line in own if line.error is not None]
    missed = [line for line in own if line.is_missed]
    if missed:
        furthest = max(missed, key=lambda line: abs(line.error or 0))
        yield f"CPU time is OFF: {furthest.figure} by {furthest.error:+,.1f} ms beside {furthest.probe!r}"
    elif errors:
        yield f"CPU time right within {max(errors):.2f} ms"
    machine = next((line for line in lines if (line.probe, line.figure) == ("neighbour", "vm_cpu_ms")), None)
    if machine is not None and machine.error is not None:
        yield f"VM {machine.error:+,.0f} ms by a neighbour"
    if overhead_us is not None:
        yield f"profiler {overhead_us:,.0f} µs"


def _nothing(calibration: Calibration) -> str:
    reasons = list(dict.fromkeys(calibration.failed.values()))
    return f"no probe gave an answer: {reasons[0] if reasons else 'none was asked'}"
