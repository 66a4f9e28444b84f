"""Numbers computed from the raw records when a comparison of databases is read."""

import math
from collections.abc import Sequence
from statistics import median

import msgspec

from bench.stats import p95, p99
from bench.tiers.experiment import Tier
from bench.tiers.messages import Sample
from bench.tiers.records import ClientRecord, LoadRecord, Run, StepRecord

GOOD = 200


class Spread(msgspec.Struct, frozen=True):
    """Values of several rounds.

    Attributes:
        median: The one in the middle.
        low: The smallest.
        high: The largest.
        n: How many.
    """

    median: float
    low: float
    high: float
    n: int


class LoadRow(msgspec.Struct, frozen=True, kw_only=True):
    """The loads of one database. A number that was not measured is null.

    Attributes:
        tier: The database.
        rows_per_s: Rows loaded by the duration of the call.
        cpu_s: Median CPU time of the client.
        peak_mib: Largest peak memory of a client.
        bytes_per_row: What the table takes by its rows, after the last load.
        agreement: Every load took in all rows, and the table answered the file's totals.
        errors: Loads that failed.
    """

    tier: str
    rows_per_s: Spread | None
    cpu_s: float | None
    peak_mib: float | None
    bytes_per_row: float | None
    agreement: bool
    errors: int


class StepRow(msgspec.Struct, frozen=True, kw_only=True):
    """So many clients at once at one database. A number that was not measured is null.

    Attributes:
        clients: How many.
        tier: The database.
        per_s: Queries answered in a second, round by round.
        median_ms: Median of all queries, as the clients waited for them.
        p95_ms: 95th percentile; null with fewer than 20.
        p99_ms: 99th percentile; null with fewer than 100.
        peak_mib: Largest peak memory of a client.
        client_share: CPU time of the clients, as a share of what the machine's processors had; median of the rounds.
        machine_busy: Share of the processors that was busy, with whatever; median of the rounds.
        agreement: Every query was answered with the file's bytes.
        n: Queries that were answered.
        errors: Queries that were not.
    """

    clients: int
    tier: str
    per_s: Spread | None
    median_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    peak_mib: float | None
    client_share: float | None
    machine_busy: float | None
    agreement: bool
    n: int
    errors: int


class QuestionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One question at one database, asked by the fewest clients.

    Attributes:
        question: Its name.
        tier: The database.
        median_ms: Median in each round.
    """

    question: str
    tier: str
    median_ms: Spread | None


class Ratio(msgspec.Struct, frozen=True):
    """How many times one is another.

    Attributes:
        middle: Of the medians.
        low: The least that the ranges allow.
        high: The most.
    """

    middle: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread | None:
    """The values' median and range; None without any."""
    return Spread(median(values), min(values), max(values), len(values)) if values else None


def ratio(more: Spread, less: Spread) -> Ratio | None:
    """How many times the one is the other; None where their ranges overlap or touch: no difference is told."""
    if more.low <= less.high:
        return None
    return Ratio(more.median / less.median, more.low / less.high, more.high / less.low)


def chance(rounds: int) -> float:
    """How often the ranges of two equal databases lie apart by chance, with so many rounds each.

    All orders of the 2n values are then equally likely, and in two of C(2n, n) one's values come before the other's.
    """
    return min(1.0, 2 / math.comb(2 * rounds, rounds))


def load_rows(run: Run, disagreeing: set[str]) -> list[LoadRow]:
    """One row a database that was loaded.

    Args:
        run: The run.
        disagreeing: Databases with a load that did not agree.
    """
    found = [(tier, [load for load in run.loads if load.tier == tier.name]) for tier in run.header.comparison.tiers]
    return [_load_row(tier, loads, agreement=tier.name not in disagreeing) for tier, loads in found if loads]


def step_rows(run: Run, disagreeing: set[tuple[str, int]]) -> list[StepRow]:
    """One row a number of clients and a database, in that order.

    Args:
        run: The run.
        disagreeing: Databases and numbers of clients with an answer that did not agree.
    """
    return [
        _step_row(run, steps, agreement=(tier.name, clients) not in disagreeing)
        for clients in run.header.comparison.clients
        for tier in run.header.comparison.tiers
        if (steps := [step for step in run.steps if (step.tier, step.clients) == (tier.name, clients)])
    ]


def question_rows(run: Run) -> list[QuestionRow]:
    """One row a question and a database, as the fewest clients asked it."""
    fewest = run.header.comparison.clients[0]
    asked = [record for record in run.clients if record.clients == fewest]
    return [
        QuestionRow(question=name, tier=tier.name, median_ms=spread(_medians(asked, tier, number)))
        for number, name in enumerate(run.header.comparison.questions)
        for tier in run.header.comparison.tiers
        if any(record.tier == tier.name for record in asked)
    ]


def rate(run: Run, step: StepRecord) -> float:
    """Queries answered in a second of a step, from its first client's start to its last answer."""
    return len(_good(_clients(run, step))) / step.span_ms * 1000 if step.span_ms else 0.0


def round_p95(run: Run, step: StepRecord) -> float | None:
    """The 95th percentile of one step's queries; None with fewer than 20."""
    return p95([sample.elapsed_ms for sample in _good(_clients(run, step))])


def rows_per_s(load: LoadRecord) -> float:
    """Rows loaded in a second of the call."""
    return (load.rows or 0) / load.elapsed_ms * 1000


def _load_row(tier: Tier, loads: list[LoadRecord], *, agreement: bool) -> LoadRow:
    good = [load for load in loads if load.rows]
    last = good[-1] if good else None
    return LoadRow(
        tier=tier.name,
        rows_per_s=spread([rows_per_s(load) for load in good]),
        cpu_s=median([load.cpu_ms / 1000 for load in good]) if good else None,
        peak_mib=max((load.peak_mib for load in good if load.peak_mib is not None), default=None),
        bytes_per_row=last.stored_bytes / last.rows if last and last.stored_bytes and last.rows else None,
        agreement=agreement,
        errors=sum(load.error is not None for load in loads),
    )


def _step_row(run: Run, steps: list[StepRecord], *, agreement: bool) -> StepRow:
    asked = [record for step in steps for record in _clients(run, step)]
    good = [sample.elapsed_ms for sample in _good(asked)]
    busy = [step.machine_busy for step in steps if step.machine_busy is not None]
    return StepRow(
        clients=steps[0].clients,
        tier=steps[0].tier,
        per_s=spread([rate(run, step) for step in steps]),
        median_ms=median(good) if good else None,
        p95_ms=p95(good),
        p99_ms=p99(good),
        peak_mib=max((record.peak_mib for record in asked if record.peak_mib is not None), default=None),
        client_share=median([_share(run, step) for step in steps]),
        machine_busy=median(busy) if busy else None,
        agreement=agreement,
        n=len(good),
        errors=sum(len(record.samples) for record in asked) - len(good),
    )


def _clients(run: Run, step: StepRecord) -> list[ClientRecord]:
    wanted = (step.tier, step.round, step.clients)
    return [record for record in run.clients if (record.tier, record.round, record.clients) == wanted]


def _good(records: Sequence[ClientRecord]) -> list[Sample]:
    return [sample for record in records for sample in record.samples if sample.status == GOOD]


def _share(run: Run, step: StepRecord) -> float:
    spent_ms = sum(record.cpu_ms for record in _clients(run, step))
    return spent_ms / (step.span_ms * run.header.machine.cores) if step.span_ms else 0.0


def _medians(asked: Sequence[ClientRecord], tier: Tier, question: int) -> list[float]:
    """The median of a question in each round that asked it."""
    found: dict[int, list[float]] = {}
    for record in asked:
        if record.tier == tier.name:
            times = [each.elapsed_ms for each in _good([record]) if each.question == question]
            found.setdefault(record.round, []).extend(times)
    return [median(times) for times in found.values() if times]
