"""The truth probes of a run's runtimes side by side: how far each profile was from what was done."""

from collections.abc import Mapping
from statistics import median

import msgspec

from adapters.calibration import Line, Verdict, numbers
from bench import table
from bench.grid import MISSING, Column

# What a cell says besides the error.
MARKS = {"right": "", "neighbour's": "*", "off": " off"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure beside one probe.

    Attributes:
        probe: Name of the probe.
        figure: Name of the figure.
        lines: What was found, by provider; a provider that gave no truth is absent.
    """

    probe: str
    figure: str
    lines: dict[str, Line]

    @property
    def agreement(self) -> bool:
        """No CPU time of a call's own is off."""
        return not any(line.is_missed for line in self.lines.values())

    @property
    def sample(self) -> Line:
        """One of the lines: unit and scope are the same in all."""
        return next(iter(self.lines.values()))


def rows(verdicts: Mapping[str, Verdict]) -> list[Row]:
    """The figures in the order of the probes."""
    found: dict[tuple[str, str], dict[str, Line]] = {}
    for provider, verdict in verdicts.items():
        for line in verdict.lines:
            found.setdefault((line.probe, line.figure), {})[provider] = line
    return [Row(probe=probe, figure=figure, lines=lines) for (probe, figure), lines in found.items()]


def columns(verdicts: Mapping[str, Verdict]) -> tuple[Column[Row], ...]:
    """The columns: what is measured, the truth, and each runtime's error."""
    return (*_WHAT, *map(_error, verdicts))


def _truth(row: Row) -> str:
    return numbers.amount(median(line.truth for line in row.lines.values()), row.sample.unit)


_WHAT: tuple[Column[Row], ...] = (
    Column(title="beside", meaning="The probe that was run.", text=lambda row: row.probe),
    Column(title="figure", meaning="What the profile tells; its name ends in its unit.", text=lambda row: row.figure),
    Column(
        title="of the",
        meaning="Whose it is. What belongs to the cgroup or the VM holds what others did meanwhile.",
        text=lambda row: row.sample.scope,
    ),
    Column(title="truth", unit="done", meaning="What the probe did, the median of the runtimes.", text=_truth),
)


def _error(provider: str) -> Column[Row]:
    def text(row: Row) -> str:
        line = row.lines.get(provider)
        if line is None or line.error is None:
            return MISSING
        return f"{numbers.error(line.error, line.unit)}{MARKS[line.word]}"

    meaning = "What its profile said too much (+) or too little (-), the median of the runs; *: others' work is in it."
    return Column(title=table.name(provider), unit="error", meaning=meaning, text=text)
