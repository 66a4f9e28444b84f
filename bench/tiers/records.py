"""The records of a run that compares databases, and the run as read back from them."""

from pathlib import Path
from typing import TypeAlias

import msgspec

from bench import journal
from bench.machine import Machine
from bench.source import Source
from bench.tiers.experiment import Comparison
from bench.tiers.messages import Sample

# History of the file's layout. 1: the first.
SCHEMA = 1
KIND = "tiers"
# Whose answers those are that the databases' are compared with.
FILE = "the file"


class Header(msgspec.Struct, frozen=True, kw_only=True, tag=KIND, tag_field="kind"):
    """The first line: what was asked, of what, where.

    Attributes:
        schema: Version of the layout.
        run: Id of the run; ids sort by time.
        started: ISO 8601, UTC. A label: durations come from monotonic clocks.
        comparison: What was asked.
        source: The data before it was transformed.
        rows: Rows of the transformed file, which all databases were loaded from.
        size_bytes: Its size.
        table: Name of the table, in every database.
        requests: What each question asks, by its name.
        machine: Where the clients ran.
        busy_before: Share of its processors that other work used just before the run; absent where the kernel does
            not tell.
    """

    schema: int
    run: str
    started: str
    comparison: Comparison
    source: Source
    rows: int
    size_bytes: int
    table: str
    requests: dict[str, msgspec.Raw]
    machine: Machine
    busy_before: float | None = None


class AnswerRecord(msgspec.Struct, frozen=True, kw_only=True, tag="answer", tag_field="kind"):
    """A result that was not seen before in this run.

    Attributes:
        tier: The database that gave it first; "the file" for what is right.
        question: What was asked.
        digest: SHA-256 of the result's bytes.
        result: The result.
    """

    tier: str
    question: str
    digest: str
    result: msgspec.Raw


class LoadRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="load", tag_field="kind"):
    """One load by a fresh process into a database that does not have the table.

    Attributes:
        tier: The database.
        round: From 0.
        elapsed_ms: Of `handle`, imports and connecting included.
        cpu_ms: CPU time of the client's process and its children, user and system.
        peak_mib: Peak memory of the client's process.
        rows: Rows loaded; absent when the load failed.
        stored_bytes: What the table takes then; the whole file where the database is one.
        digest: SHA-256 of the totals that the table answers then.
        error: Why the load failed or the totals are absent.
    """

    tier: str
    round: int
    elapsed_ms: float
    cpu_ms: float
    peak_mib: float | None = None
    rows: int | None = None
    stored_bytes: int | None = None
    digest: str | None = None
    error: str | None = None


class FirstRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="first", tag_field="kind"):
    """A client's first query, which also imports and connects; those of the clients that a step adds run at once.

    Attributes:
        tier: The database.
        round: From 0.
        clients: How many there were with those that were added together.
        client: Number of this one, from 1.
        question: What was asked.
        elapsed_ms: Of `handle`.
        status: HTTP status.
        digest: SHA-256 of the result; absent when there is none.
        error: Why there is none.
    """

    tier: str
    round: int
    clients: int
    client: int
    question: str
    elapsed_ms: float
    status: int
    digest: str | None = None
    error: str | None = None


class ClientRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="client", tag_field="kind"):
    """What one client did in a step.

    Attributes:
        tier: The database.
        round: From 0.
        clients: How many asked at once.
        client: Number of this one, from 1.
        cpu_ms: CPU time of its process and its children.
        peak_mib: Peak memory of its process in its life so far.
        samples: Its queries in order: number of the question, start from the client's own, elapsed, status.
        digests: SHA-256 of each different result, by number of the question.
        error: Why its first query without a result has none.
    """

    tier: str
    round: int
    clients: int
    client: int
    cpu_ms: float
    peak_mib: float | None = None
    samples: list[Sample]
    digests: dict[int, list[str]] = {}
    error: str | None = None


class StepRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="step", tag_field="kind"):
    """One step: so many clients asked at once.

    Attributes:
        tier: The database.
        round: From 0.
        clients: How many.
        span_ms: From the first client's start to the last answer.
        machine_busy: Share of the machine's processors that was busy meanwhile, with whatever; absent where the
            kernel does not tell.
    """

    tier: str
    round: int
    clients: int
    span_ms: float
    machine_busy: float | None = None


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag="stopped", tag_field="kind"):
    """A database that could not be reached or broke; the rest of its moves was left out."""

    tier: str
    reason: str


class Kept(msgspec.Struct, frozen=True, kw_only=True, tag="kept", tag_field="kind"):
    """A database whose table could not be dropped in the end, and why."""

    tier: str
    reason: str


class End(msgspec.Struct, frozen=True, tag="end", tag_field="kind"):
    """The last line of a run that was not interrupted."""


Record: TypeAlias = Header | AnswerRecord | LoadRecord | FirstRecord | ClientRecord | StepRecord | Stopped | Kept | End
Results: TypeAlias = journal.Journal[Record]

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as read back.

    Attributes:
        header: What was asked.
        answers: Every different result.
        loads: Every load, in order.
        firsts: Every client's first query.
        clients: What each client did in each step.
        steps: Every step.
        stopped: Why a database could not be reached or broke, by its name.
        kept: Why a table could not be dropped, by its database's name.
        complete: False when the run was interrupted.
    """

    header: Header
    answers: list[AnswerRecord]
    loads: list[LoadRecord]
    firsts: list[FirstRecord]
    clients: list[ClientRecord]
    steps: list[StepRecord]
    stopped: dict[str, str]
    kept: dict[str, str]
    complete: bool


def read(path: Path) -> Run:
    """A run from its file; a last line that was cut off counts as never written.

    Args:
        path: The run's folder or its results file.

    Raises:
        NotFoundError: There is no such file.
        DataError: A line other than the last is no record, or the layout is another version's.
    """
    header, records = journal.records(path, _decoder, Header, SCHEMA)
    return Run(
        header=header,
        answers=[record for record in records if isinstance(record, AnswerRecord)],
        loads=[record for record in records if isinstance(record, LoadRecord)],
        firsts=[record for record in records if isinstance(record, FirstRecord)],
        clients=[record for record in records if isinstance(record, ClientRecord)],
        steps=[record for record in records if isinstance(record, StepRecord)],
        stopped={record.tier: record.reason for record in records if isinstance(record, Stopped)},
        kept={record.tier: record.reason for record in records if isinstance(record, Kept)},
        complete=any(isinstance(record, End) for record in records),
    )
