"""What the numbers of a comparison say in words, and what they do not."""

from collections.abc import Iterator, Sequence

import msgspec

from bench.grid import number
from bench.tiers.experiment import MEANINGS, Tier
from bench.tiers.stats import LoadRow, QuestionRow, Spread, StepRow, chance, ratio

ENOUGH_ROUNDS = 3
# A step whose throughput is that near the most has reached it.
NEAR = 0.9
# Clients that use more of the processors than this are themselves what limits.
CLIENT_BOUND = 0.8
# A machine that does less than this besides is quiet.
QUIET = 0.1
# Nothing is left for anybody then.
MACHINE_BOUND = 0.95


class Line(msgspec.Struct, frozen=True):
    """One line of the verdict.

    Attributes:
        question: What was asked.
        answer: What the numbers say.
    """

    question: str
    answer: str


def lines(
    tiers: Sequence[Tier], loads: Sequence[LoadRow], questions: Sequence[QuestionRow], steps: Sequence[StepRow]
) -> list[Line]:
    """The verdict, a line a question; what was not measured has none."""
    found = [*_load(loads), *_questions(questions), *_throughput(steps)]
    for tier in tiers:
        mine = [step for step in steps if step.tier == tier.name and step.per_s]
        if mine:
            found.append(Line(f"clients of {tier.name}", " ".join(_limits(tier, mine))))
    return found


def compared(values: dict[str, Spread], unit: str, *, more_is_better: bool) -> str:
    """The best of several databases and how the others stand to it."""
    ordered = sorted(values, key=lambda name: values[name].median, reverse=more_is_better)
    first, *others = ordered
    best = values[first]
    said = [f"{first} {number(best.median)} {unit}"]
    rounds = min(value.n for value in values.values())
    if not others:
        return f"{said[0]} ({number(best.low)} to {number(best.high)})" if rounds > 1 else said[0]
    if rounds < ENOUGH_ROUNDS:
        said += [f"{name} {number(values[name].median)}" for name in others]
        return f"{', '.join(said)}; no difference told: that needs {ENOUGH_ROUNDS} rounds or more, there are {rounds}"
    times = {name: ratio(best, values[name]) if more_is_better else ratio(values[name], best) for name in others}
    if alike := [name for name in others if times[name] is None]:
        said.append(f"no difference told from {', '.join(alike)}")
    told = [(name, each) for name, each in times.items() if each]
    said += [f"{name} {each.middle:.2f} ({each.low:.2f} to {each.high:.2f}) times as slow" for name, each in told]
    return "; ".join(said)


def caution(rounds: int, busy: float | None) -> str:
    """How far the verdict can be trusted.

    Args:
        rounds: How many there were.
        busy: Share of the processors that other work used before.
    """
    said = f"with fewer than {ENOUGH_ROUNDS} rounds no difference is told"
    if rounds >= ENOUGH_ROUNDS:
        share = f"{100 * chance(rounds):.2g} of 100 pairs"
        said = (
            f"ratios are of medians, with what the ranges of {rounds} rounds allow; where ranges overlap, no "
            f"difference is told. Those of two equal databases would lie apart by chance in {share}"
        )
    if busy is None or busy < QUIET:
        return said
    other = f"Other work used {busy:.0%} of the processors before the run began"
    return f"{said}. {other}: a quiet machine gives other numbers"


def _load(loads: Sequence[LoadRow]) -> Iterator[Line]:
    values = {row.tier: row.rows_per_s for row in loads if row.rows_per_s}
    if values:
        yield Line("load", compared(values, "rows/s", more_is_better=True))


def _questions(rows: Sequence[QuestionRow]) -> Iterator[Line]:
    for name in dict.fromkeys(row.question for row in rows):
        values = {row.tier: row.median_ms for row in rows if row.question == name and row.median_ms}
        if values:
            yield Line(MEANINGS[name], compared(values, "ms", more_is_better=False))


def _throughput(steps: Sequence[StepRow]) -> Iterator[Line]:
    most = max((step.clients for step in steps), default=0)
    values = {step.tier: step.per_s for step in steps if step.clients == most and step.per_s}
    if values:
        yield Line(f"{most} clients", compared(values, "queries/s", more_is_better=True))


def _limits(tier: Tier, steps: Sequence[StepRow]) -> Iterator[str]:
    """How many clients a database supports, in sentences."""
    rates = {step.clients: step.per_s.median for step in steps if step.per_s}
    best = max(rates.values())
    knee = next(clients for clients, rate in rates.items() if rate >= NEAR * best)
    few, many = steps[0], steps[-1]
    if knee == many.clients:
        yield f"{number(rates[knee])} queries/s with {knee}, the most that were tried;"
    else:
        yield f"{number(rates[knee])} queries/s with {knee}, which is about the most;"
        yield f"{number(rates[many.clients])} with {many.clients};"
    if few.p95_ms is not None and many.p95_ms is not None and few is not many:
        yield f"p95 {number(few.p95_ms)} ms with {few.clients}, {number(many.p95_ms)} with {many.clients};"
    failing = [step for step in steps if step.errors]
    if failing:
        yield "; ".join(f"{step.errors} of {step.errors + step.n} failed with {step.clients}" for step in failing) + "."
    else:
        yield "none failed."
    yield from _bound(tier, steps)


def _bound(tier: Tier, steps: Sequence[StepRow]) -> Iterator[str]:
    """What limited, as far as it can be told."""
    clients = [step for step in steps if step.client_share is not None and step.client_share > CLIENT_BOUND]
    machine = [step for step in steps if step.machine_busy is not None and step.machine_busy > MACHINE_BOUND]
    if not tier.served:
        yield "It works inside its clients, so these processors are its limit."
    elif clients:
        yield (
            f"With {_listed(clients)} the clients used more than {CLIENT_BOUND:.0%} of the processors: they were the "
            "bottleneck, and nothing is told about the server alone."
        )
    elif machine:
        yield (
            f"With {_listed(machine)} no processor of this machine was free: a server on it and whatever else runs "
            "there shared them with the clients, and nothing is told about the server alone."
        )


def _listed(steps: Sequence[StepRow]) -> str:
    return ", ".join(str(step.clients) for step in steps)
