"""A lab without processes: instances that answer at once, and as badly as a test wants them to."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from adapters.base import Reply, RuntimeUnavailableError
from bench.experiment import Experiment, Planned
from bench.runner import Tools
from core.message import Request, Response
from core.profiler import Profile, Span

PROBE = b'{"truth":{"cpu_ms":6.25,"process_cpu_ms":6.25,"children_cpu_ms":0.0}}'
REVENUE = b'{"rows":[{"Number of Orders":3,"Total Revenue":0.30}],"row_count":1}'
RESULTS = {"/transform": b'{"rows_out":3}', "/load": b'{"rows_loaded":3}', "/query": REVENUE, "/probe": PROBE}
CSV = "Order ID,Country\n1,Fiji\n2,Samoa \n"


@dataclass
class FakeLab:
    """Starts fake instances and remembers what happened, in order.

    Attributes:
        missing: Providers that cannot start.
        answers: What a provider answers in place of the right result, by provider and path.
        writes: What a provider leaves as transformed.csv in place of the right lines.
        before_call: Runs before each call but the truth probes; may raise.
        calls: Provider and path of each call but the truth probes.
        alive: Providers whose instance was started and not stopped, with repetition.
    """

    missing: tuple[str, ...] = ()
    answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    writes: dict[str, str] = field(default_factory=dict)
    before_call: Callable[[str, Request], None] = lambda _provider, _request: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)

    def start(self, provider: str, folder: Path, _source: Path | None = None, allow: object = ()) -> "FakeInstance":  # noqa: ARG002
        """The lab's `start`, and the bench's, which knows the data."""
        if provider in self.missing:
            raise RuntimeUnavailableError(f"{provider} is missing: run `make install`")
        (folder / "work").mkdir(parents=True, exist_ok=True)
        self.alive.append(provider)
        return FakeInstance(self, provider, folder / "work")


class FakeInstance:
    """Fills the bench's port of an instance."""

    def __init__(self, lab: FakeLab, provider: str, work: Path) -> None:
        self.provider = provider
        self.spawned_ns = time.perf_counter_ns()
        self.about = f"{provider} runtime 1.0"
        self.substitute = "a fake <host>" if provider == "ibm" else None
        self._lab = lab
        self._work = work
        self._invocation = 0

    def call(self, request: Request) -> Reply:
        if request.path != "/probe":
            self._lab.before_call(self.provider, request)
            self._lab.calls.append((self.provider, request.path))
        self._invocation += 1
        if request.path == "/transform":
            (self._work / "transformed.csv").write_text(self._lab.writes.get(self.provider, CSV))
        if request.path == "/load":
            (self._work / "sales.db").write_bytes(b"")
        result = self._lab.answers.get((self.provider, request.path), RESULTS[request.path])
        profile = msgspec.json.encode(self._profile())
        body = b'{"service":"x","status":200,"result":%b,"context":{},"profile":%b}' % (result, profile)
        response = Response(status=200, headers={}, body=body)
        return Reply(response=response, elapsed_ms=10.0 + self._invocation)

    def stop(self) -> None:
        self._lab.alive.remove(self.provider)

    def _profile(self) -> Profile:
        spans = [Span("decode", 0.0, 1.0), Span("work", 1.0, 7.0), Span("read", 2.0, 3.0)]
        metrics: dict[str, bool | int | float] = {
            "cpu_ms": 6.5,
            "profiler_begin_ms": 0.04,
            "profiler_end_ms": 0.06,
            "process_cpu_user_ms": 5.0,
            "process_cpu_system_ms": 1.5,
            "peak_rss_mib": 20.0 + self._invocation,
        }
        return Profile(
            instance_id="0" * 32,
            invocation=self._invocation,
            cold=self._invocation == 1,
            started_at="2026-01-01T00:00:00+00:00",
            duration_ms=9.0 + self._invocation,
            spans=spans,
            metrics=metrics,
        )


class Silent:
    """Progress that nobody watches."""

    def begin(self, total: int) -> None:
        pass

    def step(self, planned: Planned) -> None:
        pass


def write_rows(target: Path, rows: int, seed: int) -> None:
    """Makes the data of a run."""
    target.write_text(f"{rows} rows of seed {seed}\n")


def tools(lab: FakeLab) -> Tools:
    """What a run needs, all fake."""
    return Tools(lab.start, write_rows, Silent())


def experiment(*providers: str, repetitions: int = 2) -> Experiment:
    """A small experiment."""
    return Experiment(providers=providers, rows=3, repetitions=repetitions)
