"""The records of a run that compares providers, and the run as read back from them."""

from pathlib import Path
from typing import TypeAlias

import msgspec

from adapters.calibration import Calibration
from bench import journal
from bench.experiment import LOCAL, Experiment
from bench.machine import Machine
from bench.source import Source
from core.profiler import Profile

# History of the file's layout.
# 2: calibrations.
# 1: the first.
SCHEMA = 2


class Header(msgspec.Struct, frozen=True, kw_only=True, tag="header", tag_field="kind"):
    """The first line: what was asked, of what, where.

    Attributes:
        schema: Version of the layout.
        run: Id of the run; ids sort by time.
        started: ISO 8601, UTC. A label: durations come from monotonic clocks.
        experiment: What was asked.
        source: The data.
        requests: The JSON body of each request, by its name in the experiment.
        machine: Where it ran.
    """

    schema: int
    run: str
    started: str
    experiment: Experiment
    source: Source
    requests: dict[str, msgspec.Raw] = {}
    machine: Machine


class Runtime(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="runtime", tag_field="kind"):
    """A provider's runtime that started.

    Attributes:
        provider: Its name.
        about: The runtime's own name and versions.
        substitute: What about it is a stand-in for the provider's own; absent when nothing is.
    """

    provider: str
    about: str
    substitute: str | None = None


class Calibrated(msgspec.Struct, frozen=True, kw_only=True, tag="calibration", tag_field="kind"):
    """The truth probes of a provider's runtime, run at the start in an instance of their own.

    Attributes:
        provider: Its name.
        calibration: What was measured.
    """

    provider: str
    calibration: Calibration


class CallRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="call", tag_field="kind"):
    """One call.

    Attributes:
        provider: Who was called.
        request: Name of the request in the experiment.
        service: The service that it called.
        phase: "cold", "totals", "warmup" or "warm".
        sequence: Position in the run, from 0.
        elapsed_ms: From before the send to after the receipt; in process, `handle` alone. Absent: no answer.
        cold_ms: From before the process was spawned to its first answer; cold calls only.
        status: HTTP status of the answer; absent: no answer.
        digest: SHA-256 of the result's bytes; absent when there is no result.
        result: The result, at the first call of the run that gave these bytes.
        profile: What the call cost, as the function itself measured it.
        error: Why there is no result.
    """

    provider: str
    request: str
    service: str
    phase: str
    sequence: int
    elapsed_ms: float | None = None
    cold_ms: float | None = None
    status: int | None = None
    digest: str | None = None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    profile: Profile | None = None
    error: str | None = None


class Difference(msgspec.Struct, frozen=True):
    """The first place where a provider's answer or file is not the in-process one.

    Attributes:
        place: JSON path in the result, or line or row of the file.
        expected: What the in-process call has there.
        found: What the provider has there.
    """

    place: str
    expected: str
    found: str


class FileRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="file", tag_field="kind"):
    """A file that a service left behind, compared with the in-process one outside the timed part.

    Attributes:
        provider: Whose file.
        service: The service that wrote it.
        file: Its name.
        phase: "cold" or "warm": after which calls it was read.
        digest: SHA-256 of its content: a CSV's bytes, a database's tables row by row. Absent: unreadable.
        difference: Where it first differs from the in-process file; absent when it does not.
        error: Why it could not be read or compared.
    """

    provider: str
    service: str
    file: str
    phase: str
    digest: str | None = None
    difference: Difference | None = None
    error: str | None = None


class Stopped(msgspec.Struct, frozen=True, kw_only=True, tag="stopped", tag_field="kind"):
    """A provider that could not start or broke; the rest of its calls was left out.

    Attributes:
        provider: Its name.
        reason: Why, and how to get what is missing.
    """

    provider: str
    reason: str


class End(msgspec.Struct, frozen=True, tag="end", tag_field="kind"):
    """The last line of a run that was not interrupted."""


Record: TypeAlias = Header | Runtime | Calibrated | CallRecord | FileRecord | Stopped | End
Results: TypeAlias = journal.Journal[Record]

_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as read back.

    Attributes:
        header: What was asked.
        runtimes: The runtimes that started, by provider: the in-process one, then the others as they were asked for.
        calibrations: The truth probes, by provider in the same order; none in files of version 1.
        calls: Every call, in order.
        files: Every file compared.
        stopped: Why a provider did not start or broke, by provider.
        complete: False when the run was interrupted.
    """

    header: Header
    runtimes: dict[str, Runtime]
    calibrations: dict[str, Calibration]
    calls: list[CallRecord]
    files: list[FileRecord]
    stopped: dict[str, str]
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
    started = {record.provider: record for record in records if isinstance(record, Runtime)}
    calibrated = {record.provider: record.calibration for record in records if isinstance(record, Calibrated)}
    providers = (LOCAL, *header.experiment.providers)
    return Run(
        header=header,
        runtimes={name: started[name] for name in providers if name in started},
        calibrations={name: calibrated[name] for name in providers if name in calibrated},
        calls=[record for record in records if isinstance(record, CallRecord)],
        files=[record for record in records if isinstance(record, FileRecord)],
        stopped={record.provider: record.reason for record in records if isinstance(record, Stopped)},
        complete=any(isinstance(record, End) for record in records),
    )
