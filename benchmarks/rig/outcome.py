"""What a task's runs came to; the raw values stay, statistics are computed when read."""

import math
from statistics import median

import msgspec

from benchmarks.rig.process import Run, Said, Setting
from benchmarks.rig.tasks import Measure, Task


class Cell(msgspec.Struct, frozen=True):
    """One contender under one setting.

    Attributes:
        contender: Its name.
        setting: What it may use.
        runs: One a round, in order; a failed one is the last.
        verdict: What is wrong with its answer; "" when it is right, None when nothing is compared.
    """

    contender: str
    setting: Setting
    runs: tuple[Run, ...] = ()
    verdict: str | None = None

    @property
    def failure(self) -> str | None:
        """Why its last run gave nothing; None when it did not fail."""
        return self.runs[-1].failure if self.runs else "not run"


class Outcome(msgspec.Struct, frozen=True):
    """A finished task.

    Attributes:
        task: What was measured.
        cells: By contender, then by setting.
        left_out: Why, by contender, it did not take part.
    """

    task: Task
    cells: tuple[Cell, ...]
    left_out: dict[str, str]

    def base(self, cell: Cell) -> Cell | None:
        """The first contender under the cell's setting."""
        first = self.task.contenders[0].name
        return next((each for each in self.cells if each.contender == first and each.setting == cell.setting), None)


class Spread(msgspec.Struct, frozen=True):
    """Median, smallest and largest of n values."""

    median: float
    least: float
    most: float
    n: int


def spread(values: list[float]) -> Spread | None:
    """The spread of values; None of none."""
    return Spread(median(values), min(values), max(values), len(values)) if values else None


def value(run: Run, measure: Measure) -> float:
    """The number that a task is about: seconds of the process, or milliseconds inside or of the processor."""
    if measure == "cpu":
        return run.cpu_ms
    return msgspec.json.decode(run.said, type=Said).ms if measure == "inside" else run.wall_ms / 1000


def values(cell: Cell, measure: Measure) -> list[float]:
    """The number of each run that gave a result."""
    return [value(run, measure) for run in cell.runs if run.failure is None]


def ratios(outcome: Outcome, cell: Cell) -> list[float]:
    """The first contender's number to this one's, round by round."""
    return [first / own for first, own in pairs(outcome, cell)]


def beyond(outcome: Outcome, cell: Cell) -> list[float]:
    """This contender's number less the first one's, round by round."""
    return [own - first for first, own in pairs(outcome, cell)]


def pairs(outcome: Outcome, cell: Cell) -> list[tuple[float, float]]:
    base, measure = outcome.base(cell), outcome.task.measure
    if base is None:
        return []
    both = zip(base.runs, cell.runs, strict=False)  # a contender that failed has fewer
    good = [(first, own) for first, own in both if first.failure is None and own.failure is None]
    return [(value(first, measure), value(own, measure)) for first, own in good]


def exponent(points: list[tuple[float, float]]) -> float:
    """The e of time = c * rows ** e that fits best in the logarithms: 1 is a straight line.

    Args:
        points: Rows and seconds, at least two different numbers of rows.
    """
    logs = [(math.log(rows), math.log(seconds)) for rows, seconds in points]
    mean_x, mean_y = (sum(each) / len(logs) for each in zip(*logs, strict=True))
    rise = sum((x - mean_x) * (y - mean_y) for x, y in logs)
    return float(rise / sum((x - mean_x) ** 2 for x, _ in logs))
