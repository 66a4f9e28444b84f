"""The file of a run: one JSON record a line, raw values, appended as they are measured."""

from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

import msgspec

from bench.experiment import LOCAL, Experiment
from bench.machine import Machine
from core.errors import DataError, Fault, NotFoundError
from core.profiler import Profile
from core.runtime import encode

# History of the file's layout. 1: the first.
SCHEMA = 1
FILE_NAME = "results.jsonl"
REPORT_NAME = "report.html"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the run.

    Attributes:
        path: Where it lay; generated data is gone after the run and comes back with the same rows and seed.
        size_bytes: Size of the file.
        sha256: Of its bytes.
        generated: True when polyfaas made it.
    """

    path: str
    size_bytes: int
    sha256: str
    generated: bool


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


Record: TypeAlias = Header | Runtime | CallRecord | FileRecord | Stopped | End


_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """A run as read back.

    Attributes:
        header: What was asked.
        runtimes: The runtimes that started, by provider: the in-process one, then the others as they were asked for.
        calls: Every call, in order.
        files: Every file compared.
        stopped: Why a provider did not start or broke, by provider.
        complete: False when the run was interrupted.
    """

    header: Header
    runtimes: dict[str, Runtime]
    calls: list[CallRecord]
    files: list[FileRecord]
    stopped: dict[str, str]
    complete: bool


class Results:
    """Appends records to a run's file; each is handed to the kernel before `append` returns.

    Args:
        path: The file; its folder exists.
        header: The first line.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self._file = path.open("xb")
        self.append(header)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, record: Record) -> None:
        """Write one record; it survives the end of this process from here on."""
        # No fsync: the next call would then be measured while the disk is busy with us.
        self._file.write(encode(record) + b"\n")
        self._file.flush()


def read(path: Path) -> Run:
    """A run from its file; a last line that was cut off counts as never written.

    Args:
        path: The run's folder or its results file.

    Raises:
        NotFoundError: There is no such file.
        DataError: A line other than the last is no record, or the layout is another version's.
    """
    file = path / FILE_NAME if path.is_dir() else path
    if not file.is_file():
        raise NotFoundError(f"there is no results file {file}: give a run's id, its folder or its {FILE_NAME}")
    return _run(file, [_record(file, *line) for line in _whole_lines(file)])


def _whole_lines(file: Path) -> list[tuple[int, bytes]]:
    lines = file.read_bytes().split(b"\n")
    # A record ends with its newline: what follows the last one is empty or was cut.
    return list(enumerate(lines[:-1], 1))


def _record(file: Path, number: int, line: bytes) -> Record:
    try:
        return _decoder.decode(line)
    except msgspec.DecodeError as error:
        detail = f"{file}, line {number} is not a record of a results file of version {SCHEMA} ({error})"
        raise DataError(detail, [Fault(source=str(file), line=number, detail=str(error))]) from error


def _run(file: Path, records: list[Record]) -> Run:
    header = records[0] if records else None
    if not isinstance(header, Header):
        raise DataError(f"{file} does not begin with a header: it is not the results file of a run")
    if header.schema != SCHEMA:
        raise DataError(f"{file} has layout version {header.schema}; this polyfaas reads version {SCHEMA}")
    started = {record.provider: record for record in records if isinstance(record, Runtime)}
    return Run(
        header=header,
        runtimes={name: started[name] for name in (LOCAL, *header.experiment.providers) if name in started},
        calls=[record for record in records if isinstance(record, CallRecord)],
        files=[record for record in records if isinstance(record, FileRecord)],
        stopped={record.provider: record.reason for record in records if isinstance(record, Stopped)},
        complete=any(isinstance(record, End) for record in records),
    )
