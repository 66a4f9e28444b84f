"""The columns of a comparison of databases: what each is called, what it means and how its values read."""

from bench.grid import MISSING, Column, number
from bench.tiers.experiment import MEANINGS
from bench.tiers.stats import LoadRow, QuestionRow, Spread, StepRow


def _spread(value: Spread | None) -> str:
    return number(value.median if value else None)


def _range(value: Spread | None) -> str:
    return f"{number(value.low)} to {number(value.high)}" if value and value.n > 1 else MISSING


def _percent(value: float | None) -> str:
    return MISSING if value is None else f"{100 * value:.0f}"


def _agrees(agreement: bool) -> str:
    return "yes" if agreement else "NO"


LOADS: tuple[Column[LoadRow], ...] = (
    Column(title="service", meaning="What was measured.", text=lambda _: "load"),
    Column(
        title="database",
        meaning="Its kind; its URL stands below, without user and options.",
        text=lambda row: row.tier,
    ),
    Column(
        title="rows/s",
        unit="1/s",
        meaning="Rows loaded by the duration of the call, in a fresh process, into a database without the table: "
        "imports and connecting are part of it. Median of the rounds.",
        text=lambda row: _spread(row.rows_per_s),
    ),
    Column(
        title="range",
        unit="1/s",
        meaning="Of the rounds: the least and the most.",
        text=lambda row: _range(row.rows_per_s),
    ),
    Column(
        title="CPU",
        unit="s",
        meaning="CPU time of the client's process and its children over a load, user and system; median. "
        "A server's own is not in it; where there is no server, it is all there is.",
        text=lambda row: number(row.cpu_s),
    ),
    Column(
        title="peak",
        unit="MiB",
        meaning="Peak memory of the client's process (VmHWM of proc_pid_status(5), which counts what is mapped and "
        "resident, shared pages too); the largest of the rounds. A server's own is not in it.",
        text=lambda row: number(row.peak_mib),
    ),
    Column(
        title="per row",
        unit="bytes",
        meaning="What the table takes where it is stored, with its index, by its rows. Where a database is one file, "
        "it is that file's length, other tables included.",
        text=lambda row: number(row.bytes_per_row),
    ),
    Column(
        title="n",
        unit="1",
        meaning="Loads: one a round, the databases in random order in each.",
        text=lambda row: str(row.rows_per_s.n if row.rows_per_s else 0),
    ),
    Column(
        title="agrees",
        meaning="Every load took in all rows, and the table then answered the totals of the file, byte for byte.",
        text=lambda row: _agrees(row.agreement),
    ),
)

STEPS: tuple[Column[StepRow], ...] = (
    Column(
        title="clients",
        unit="1",
        meaning="How many processes ask at once, each with a connection of its own, each again as soon as it is "
        "answered (a closed loop: a slow answer delays its client's next question, so the tail is that of users who "
        "wait). Each question is asked as often, in the same order at every database.",
        text=lambda row: str(row.clients),
    ),
    Column(title="database", meaning="As above.", text=lambda row: row.tier),
    Column(
        title="rate",
        unit="1/s",
        meaning="Queries answered, by the time from the first client's start to the last answer; median of the rounds.",
        text=lambda row: _spread(row.per_s),
    ),
    Column(title="range", unit="1/s", meaning="Of the rounds: the least and the most.", text=lambda r: _range(r.per_s)),
    Column(
        title="median",
        unit="ms",
        meaning="Of all queries, as the clients waited for them; a client's first query, which imports and connects, "
        "is no part of it.",
        text=lambda row: number(row.median_ms),
    ),
    Column(
        title="p95",
        unit="ms",
        meaning="95 of 100 queries took no longer; from 20 queries on.",
        text=lambda row: number(row.p95_ms),
    ),
    Column(
        title="p99",
        unit="ms",
        meaning="99 of 100 queries took no longer; from 100 queries on.",
        text=lambda row: number(row.p99_ms),
    ),
    Column(
        title="CPU",
        unit="%",
        meaning="What the clients used of the processors of this machine. Over 80 %, they are the bottleneck.",
        text=lambda row: _percent(row.client_share),
    ),
    Column(
        title="busy",
        unit="%",
        meaning="How busy all processors of this machine were, the clients, a server on it and everything else "
        "together.",
        text=lambda row: _percent(row.machine_busy),
    ),
    Column(
        title="failed",
        unit="1",
        meaning="Queries without an answer; their client waits 0.1 s before the next.",
        text=lambda row: f"{row.errors:,}",
    ),
    Column(
        title="agrees",
        meaning="Every query was answered as the file itself answers it, byte for byte.",
        text=lambda row: _agrees(row.agreement),
    ),
)

QUESTIONS: tuple[Column[QuestionRow], ...] = (
    Column(title="question", meaning="What was asked.", text=lambda row: MEANINGS[row.question]),
    Column(title="database", meaning="As above.", text=lambda row: row.tier),
    Column(
        title="median",
        unit="ms",
        meaning="Median of the medians of the rounds, as the fewest clients asked it.",
        text=lambda row: _spread(row.median_ms),
    ),
    Column(
        title="range",
        unit="ms",
        meaning="Of the rounds' medians: the least and the most.",
        text=lambda row: _range(row.median_ms),
    ),
)
