"""What is said of cold starts, on the screen and on the page alike."""

from collections.abc import Iterator, Sequence
from typing import Literal

from adapters.coldstart.record import ColdStart, Part, Row, Spread
from adapters.coldstart.timeline import AFTER, BEFORE, CALL, SECOND, Summary

IMPORT = "import "
MEANINGS = {
    BEFORE: "From just before the lab spawned the runtime's first process to the start of the one that runs the "
    "function: an emulator's own start, if there is one. The kernel tells the start to 10 ms; the CPU time used since "
    "narrows it.",
    "interpreter": "Python itself, from the start of its process until it begins to look for sites: exec, linking, its "
    "own modules.",
    "runtime": "The provider's runtime, until it begins to load the function's entry point.",
    "function": "The entry point's own imports.",
    "wait": "The function is loaded: the runtime's rest, and waiting until the first call's body begins.",
    "worker": "Since the process was forked from the one that the parts before are of.",
    CALL: "The body of the first call with its spans, and what it imports.",
    AFTER: "From the end of the body until the caller had the answer: encoding, the runtime, the way back.",
    SECOND: "The same instance called again, as its caller saw it.",
    "import": "Of 1 ms or more, with all that it imports itself. What lies between the parts of a part is its own.",
}
# From where on a number has no decimal, and from where one.
# An import that took less is not told.
LEAST_MS = 1.0
# Of fewer starts, one that was disturbed decides.
ENOUGH = 5
DECIMALS = (1_000, 10)


def kind(part: Part) -> Literal["gap", "import", "call", "phase"]:
    """What sort of part it is."""
    if part.gap:
        return "gap"
    if part.name.startswith(IMPORT):
        return "import"
    return "call" if part.path[0] in (CALL, SECOND) else "phase"


def name(part: Part) -> str:
    """What it is called: an import within an import is its module alone."""
    within = part.path[-2] if part.depth else ""
    return part.name.removeprefix(IMPORT) if within.startswith(IMPORT) else part.name


def shown(rows: Sequence[Row], least_ms: float) -> list[Row]:
    """The rows without the imports that took less than this."""
    return [row for row in rows if kind(row.part) != "import" or row.part.duration_ms >= least_ms]


def number(value_ms: float) -> str:
    """A duration with the decimals that say something."""
    size = round(abs(value_ms), len(DECIMALS))
    decimals = next((digits for digits, least in enumerate(DECIMALS) if size >= least), len(DECIMALS))
    return f"{value_ms:,.{decimals}f}"


def spread(row: Row) -> tuple[str, str, str]:
    """Least, median and most; what an import took in starts that do not tell it is under 1 ms."""
    told = row.spread
    least, middle, most = (
        "<1" if kind(row.part) == "import" and value_ms < LEAST_MS else number(value_ms)
        for value_ms in (told.min_ms, told.median_ms, told.max_ms)
    )
    return least, middle, most


def notes(found: ColdStart, summary: Summary) -> Iterator[tuple[str, str]]:
    """Labels and texts below the waterfall."""
    cold, without = summary.cold_ms, summary.cold_without_ms
    drawn = number(next(row.part.end_ms for row in reversed(summary.rows) if row.part.gap))
    yield "cold", f"{_range(cold)} from the spawn to the first answer, {_starts(cold)}; drawn: the one of {drawn} ms"
    yield "second", f"{_range(summary.second_ms)} for the second call, as its caller saw it"
    yield "X-ray", f"{_costs(cold, without)}: {_range(without)} without it, {_starts(without)} in turn with the others"
    yield "called", found.request
    yield "gap", "not explained: what the emulator, the kernel and the way between caller and function took"
    if found.substitute:
        yield "stand-in", found.substitute


def _costs(cold: Spread, without: Spread) -> str:
    """What the X-ray costs, as far as the starts can tell."""
    if min(cold.n, without.n) < ENOUGH:
        return f"what it costs takes {ENOUGH} starts or more to tell (--runs)"
    apart = cold.min_ms > without.max_ms or cold.max_ms < without.min_ms
    return f"{cold.median_ms - without.median_ms:+,.1f} ms{'' if apart else ', which the spread hides'}"


def _range(told: Spread) -> str:
    return f"{number(told.median_ms)} ms ({number(told.min_ms)} to {number(told.max_ms)})"


def _starts(told: Spread) -> str:
    return f"{told.n} start{'s' if told.n > 1 else ''}"
