"""The instances of a run: starts and stops them, calls them, records what they answered."""

import hashlib
import shutil
import sqlite3
import time
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec

from adapters.base import Reply
from adapters.calibration import Calibration, measure
from bench import agreement
from bench.experiment import FILES, LOCAL, Planned
from bench.results import Calibrated, CallRecord, FileRecord, Results, Runtime, Stopped
from core.errors import PolyfaasError
from core.message import Request
from core.profiler import Profile

# Of each truth probe: with the round before, two seconds of a platform.
CALIBRATION_RUNS = 3


class Instance(Protocol):
    """A running instance of a provider's runtime, as the lab's are.

    Attributes:
        provider: Its provider; "local" is the in-process worker.
        spawned_ns: `perf_counter_ns` just before its process was spawned.
        about: The runtime's name and versions.
        substitute: What about it is a stand-in for the provider's own.
    """

    @property
    def provider(self) -> str: ...  # noqa: D102  (an attribute)
    @property
    def spawned_ns(self) -> int: ...  # noqa: D102
    @property
    def about(self) -> str: ...  # noqa: D102
    @property
    def substitute(self) -> str | None: ...  # noqa: D102

    def call(self, request: Request) -> Reply:
        """Send one request and wait for its answer; a PolyfaasError or OSError says that it broke."""
        ...

    def stop(self) -> None:
        """End it and its children; doing so twice is harmless."""
        ...


class Start(Protocol):
    """Starts a provider's runtime that works in `folder/work`, logs to `folder`, and may touch these and the source."""

    def __call__(self, provider: str, folder: Path, source: Path, /) -> Instance:
        """An instance that takes calls; raises RuntimeUnavailableError when there is none to be had."""
        ...


class Envelope(msgspec.Struct, frozen=True):
    """The parts of an answer's body that the bench reads; the result stays as its bytes came.

    Attributes:
        result: The bytes of the result, empty when there is none.
        error: RFC 9457 problem object.
        profile: What the call cost.
    """

    result: msgspec.Raw = msgspec.Raw()
    error: dict[str, Any] = {}
    profile: Profile | None = None


class Session:
    """The instances of one run and what is known about their answers so far.

    Leaving it, also by Ctrl-C, stops every instance and removes all that the providers left but their logs.

    Args:
        folder: The run's folder; each provider logs to its own folder in it.
        results: Where records go.
        start: Starts an instance.
        source: The data, which every provider reads.
    """

    def __init__(self, folder: Path, results: Results, start: Start, source: Path) -> None:
        self._folder = folder
        self._source = source
        self._results = results
        self._start = start
        self._instances: dict[str, Instance] = {}
        self._introduced: set[str] = set()
        self._kept: set[str] = set()
        # Of the in-process files, which are always compared first.
        self._digests: dict[tuple[str, str], str] = {}
        self._stopped: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A stack, because one instance that cannot be stopped must not keep the others alive.
        with ExitStack() as stack:
            stack.callback(self._remove_folders)
            for provider in self._instances:
                stack.callback(self._instances[provider].stop)

    def calibrate(self, provider: str) -> None:
        """Run the truth probes in an instance of their own and record them; a provider that cannot start is stopped."""
        try:
            instance = self._start(provider, self._folder / provider, self._source)
        except PolyfaasError as error:
            self._stop(provider, str(error))
            return
        self._instances[provider] = instance
        self._results.append(Calibrated(provider=provider, calibration=_calibrated(instance)))
        self._retire(provider)

    def carry_out(self, planned: Planned, sequence: int) -> None:
        """Make one call and record it; a provider that breaks is stopped and its later calls are left out."""
        if planned.provider in self._stopped:
            return
        try:
            instance = self._instance(planned)
        except PolyfaasError as error:
            self._stop(planned.provider, str(error))
            return
        self._call(instance, planned, sequence)
        if planned.phase == "totals" and planned.provider in self._instances:
            self._compare_files(planned.provider, "cold")

    def compare_files(self, phase: str) -> None:
        """Record the files of every provider still there, each compared with the in-process one.

        Args:
            phase: After which calls that is.
        """
        for provider in sorted(self._instances, key=lambda provider: provider != LOCAL):
            self._compare_files(provider, phase)

    def _instance(self, planned: Planned) -> Instance:
        provider = planned.provider
        if planned.phase == "cold":
            self._retire(provider)
            instance = self._start(provider, self._folder / provider, self._source)
            self._instances[provider] = instance
            self._introduce(instance)
        return self._instances[provider]

    def _introduce(self, instance: Instance) -> None:
        provider = instance.provider
        if provider not in self._introduced:
            self._introduced.add(provider)
            self._results.append(Runtime(provider=provider, about=instance.about, substitute=instance.substitute))

    def _call(self, instance: Instance, planned: Planned, sequence: int) -> None:
        try:
            reply = instance.call(planned.step.request())
            answered_ns = time.perf_counter_ns()
        except (PolyfaasError, OSError) as error:
            self._results.append(_record(planned, sequence, error=str(error)))
            self._stop(planned.provider, f"the {planned.phase} {planned.step.name} got no answer: {error}")
            return
        spent_ms = (answered_ns - instance.spawned_ns) / 1e6
        record = _answered(planned, sequence, reply, spent_ms if planned.phase == "cold" else None)
        self._results.append(self._without_known_result(record))

    def _without_known_result(self, record: CallRecord) -> CallRecord:
        # Each distinct result stands in the file once: enough to show a difference, and the file stays small.
        if record.digest is None or record.digest not in self._kept:
            self._kept.add(record.digest or "")
            return record
        return msgspec.structs.replace(record, result=msgspec.UNSET)

    def _compare_files(self, provider: str, phase: str) -> None:
        for service, name in FILES.items():
            record = FileRecord(provider=provider, service=service, file=name, phase=phase)
            self._results.append(self._compared(record))

    def _compared(self, record: FileRecord) -> FileRecord:
        expected, found = (self._folder / owner / "work" / record.file for owner in (LOCAL, record.provider))
        try:
            digest = agreement.digest(found)
            if record.provider == LOCAL:
                self._digests[record.file, record.phase] = digest
            same = digest == self._digests.get((record.file, record.phase))
            difference = None if same else agreement.file_difference(expected, found)
        except (OSError, sqlite3.Error) as error:
            return msgspec.structs.replace(record, error=str(error))
        return msgspec.structs.replace(record, digest=digest, difference=difference)

    def _stop(self, provider: str, reason: str) -> None:
        self._stopped.add(provider)
        self._results.append(Stopped(provider=provider, reason=reason))
        self._retire(provider)

    def _remove_folders(self) -> None:
        # Data and what a runtime left: only the logs, which are files, are worth keeping.
        for folder in (path for path in self._folder.glob("*/*") if path.is_dir()):
            shutil.rmtree(folder)

    def _retire(self, provider: str) -> None:
        instance = self._instances.pop(provider, None)
        if instance is not None:
            instance.stop()


def _calibrated(instance: Instance) -> Calibration:
    provider, about = instance.provider, instance.about
    try:
        return measure(provider, about, lambda request: instance.call(request).response, CALIBRATION_RUNS)
    except (PolyfaasError, OSError) as error:
        return Calibration(provider=provider, about=about, readings=[], failed={"all": f"no answer: {error}"})


def _record(planned: Planned, sequence: int, error: str | None = None) -> CallRecord:
    return CallRecord(
        provider=planned.provider,
        request=planned.step.name,
        service=planned.step.service,
        phase=planned.phase,
        sequence=sequence,
        error=error,
    )


def _answered(planned: Planned, sequence: int, reply: Reply, cold_ms: float | None) -> CallRecord:
    record = msgspec.structs.replace(
        _record(planned, sequence),
        status=reply.response.status,
        elapsed_ms=reply.elapsed_ms,
        cold_ms=cold_ms,
    )
    try:
        envelope = msgspec.json.decode(reply.response.body, type=Envelope)
    except msgspec.DecodeError as error:
        return msgspec.structs.replace(record, error=f"the answer is not as agreed ({error})")
    if not envelope.result:
        detail = envelope.error.get("detail", "the answer has no result and no error")
        return msgspec.structs.replace(record, profile=envelope.profile, error=str(detail))
    # A copy of the slice: the raw result would keep the whole body alive.
    result = bytes(envelope.result)
    digest = hashlib.sha256(result).hexdigest()
    return msgspec.structs.replace(record, profile=envelope.profile, digest=digest, result=msgspec.Raw(result))
