"""Databases and clients of a comparison without processes: they answer at once, and as badly as a test wants."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from adapters.base import RuntimeUnavailableError
from bench.progress import Move
from bench.tiers.client import Answer
from bench.tiers.experiment import QUESTIONS, Comparison, mix, named, tiers
from bench.tiers.messages import Answered, Call, Loop, Looped, Sample, Seen
from bench.tiers.records import Run, read
from bench.tiers.runner import run
from bench.tiers.summary import Summary, summarise
from bench.tiers.tools import Tools
from core.database import Rows, Selection, Table
from core.database.partial import Group
from core.datasets.grammar import Type
from core.errors import DatabaseError

ROWS = 3
RUN = "20260101T000000Z-abcd"
TABLE = "polyfaas_bench_20260101T000000Z_abcd"
TOTALS = b'{"rows":[{"Number of Orders":3,"Total Revenue":0.30}],"row_count":1}'
OTHERS = {name: b'{"rows":[{"asked":"%s"}],"row_count":1}' % name.encode() for name in QUESTIONS}
RESULTS = {**OTHERS, "all": TOTALS}
QUERY_MS = 10.0


@dataclass
class FakeTiers:
    """Starts fake clients, gives fake databases, and remembers what happened, in order.

    Attributes:
        answers: What a database answers in place of the right result, by URL and question.
        loads: How many rows a database says that it has loaded, in place of the right number.
        load_ms: How long a load takes, by URL.
        broken: What a database's load fails with.
        refusing: What a database answers more clients than this with, by URL: the number and the error.
        bad_data: What the data's transformation fails with.
        busy: What other work uses of the processors.
        unreachable: URLs at which nobody answers.
        stubborn: URLs whose table cannot be dropped once it is loaded.
        before: Runs before each command to a client: its URL, and what it is told; may raise.
        tables: The tables that are there, as (URL, name).
        found: For each load, whether it found its table there.
        told: Each command to a client with its URL.
        alive: Names of the clients that were started and not closed, with repetition.
        started: Names of all clients.
    """

    answers: dict[tuple[str, str], bytes] = field(default_factory=dict)
    loads: dict[str, int] = field(default_factory=dict)
    load_ms: dict[str, list[float]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    refusing: dict[str, tuple[int, str]] = field(default_factory=dict)
    bad_data: str | None = None
    busy: float = 0.0
    unreachable: tuple[str, ...] = ()
    stubborn: tuple[str, ...] = ()
    before: Callable[[str, Call | Loop], None] = lambda _url, _told: None
    tables: set[tuple[str, str]] = field(default_factory=set)
    found: list[bool] = field(default_factory=list)
    told: list[tuple[str, Call | Loop]] = field(default_factory=list)
    alive: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)

    def start(self, name: str, _folder: Path, _allow: Sequence[str]) -> "FakeClient":
        """The port's `Start`."""
        self.alive.append(name)
        self.started.append(name)
        return FakeClient(self, name)

    def connect(self, url: str) -> "FakeDatabase":
        """The port's `Connect`."""
        return FakeDatabase(self, url)

    def result(self, url: str, question: str) -> bytes:
        return self.answers.get((url, question), RESULTS[question])


class FakeDatabase:
    """Fills core's port of a database, as far as the bench itself uses it."""

    def __init__(self, lab: FakeTiers, url: str) -> None:
        self._lab = lab
        self._url = url

    def drop(self, table: str) -> bool:
        there = (self._url, table) in self._lab.tables
        if self._url in self._lab.unreachable or (there and self._url in self._lab.stubborn):
            raise DatabaseError(f"nobody answers at {self._url}: start the server")
        self._lab.tables.discard((self._url, table))
        return there

    def stored_bytes(self, table: str) -> int:
        assert (self._url, table) in self._lab.tables
        return 300

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        raise NotImplementedError

    def columns(self, table: str) -> Mapping[str, Type]:
        raise NotImplementedError

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        raise NotImplementedError

    def close(self) -> None:
        pass


class FakeClient:
    """Fills the bench's port of a client."""

    def __init__(self, lab: FakeTiers, name: str) -> None:
        self._lab = lab
        self._name = name
        self._asked: Call | Loop | None = None

    def begin(self, asked: Call | Loop) -> None:
        self._asked = asked
        url = self._url()
        self._lab.before(url, asked)
        self._lab.told.append((url, asked))

    def finish(self, kind: type[Answer]) -> Answer:
        assert self._asked is not None
        answer = self._called(self._asked) if isinstance(self._asked, Call) else self._looped(self._asked)
        assert isinstance(answer, kind)
        return answer

    def close(self) -> None:
        self._lab.alive.remove(self._name)

    def _url(self) -> str:
        body = self._asked.body if isinstance(self._asked, Call) else self._asked.bodies[0] if self._asked else b""
        return str(msgspec.json.decode(body).get("database", ""))

    def _called(self, call: Call) -> Answered:
        body = msgspec.json.decode(call.body)
        if call.service == "transform" and self._lab.bad_data:
            return answered(b"", error=self._lab.bad_data)
        if call.service == "transform":
            Path(body["target"]).write_text("rows\n")
            return answered(b'{"rows_out":%d}' % ROWS)
        if call.service == "load":
            return self._loaded(body)
        if error := self._refusal():
            return answered(b"", error=error)
        return answered(self._lab.result(body["database"], question(body)))

    def _loaded(self, body: dict[str, Any]) -> Answered:
        url = body["database"]
        self._lab.found.append((url, body["table"]) in self._lab.tables)
        if error := self._lab.broken.get(url):
            return answered(b"", error=error)
        self._lab.tables.add((url, body["table"]))
        times = self._lab.load_ms.get(url, [])
        rows = self._lab.loads.get(url, ROWS)
        return answered(b'{"rows_loaded":%d}' % rows, elapsed_ms=times.pop(0) if times else 100.0)

    def _refusal(self) -> str | None:
        most, error = self._lab.refusing.get(self._url(), (0, ""))
        return error if most and int(self._name.rpartition("-")[2]) > most else None

    def _looped(self, loop: Loop) -> Looped:
        error = self._refusal()
        asked = [number for number, _ in zip(mix(loop.order, len(loop.bodies)), range(loop.at_least), strict=False)]
        url, status = self._url(), 502 if error else 200
        samples = [Sample(number, at * QUERY_MS, QUERY_MS, status) for at, number in enumerate(asked)]
        results = {number: self._lab.result(url, question(loop.bodies[number])) for number in asked}
        seen = [Seen(number, hashlib.sha256(result).hexdigest(), result) for number, result in results.items()]
        return Looped(
            started_ns=0,
            ended_ns=int(len(samples) * QUERY_MS * 1e6),
            cpu_ms=5.0 * len(samples),
            peak_mib=50.0,
            samples=samples,
            seen=[] if error else seen,
            error=error,
        )


class Silent:
    """Progress that nobody watches."""

    def begin(self, total: int) -> None:
        pass

    def step(self, planned: Move) -> None:
        pass


def answered(result: bytes, elapsed_ms: float = QUERY_MS, error: str | None = None) -> Answered:
    status = 502 if error else 200
    return Answered(status=status, elapsed_ms=elapsed_ms, cpu_ms=5.0, peak_mib=40.0, result=result, error=error)


def question(body: bytes | dict[str, Any]) -> str:
    """The name of a question, from its request."""
    asked = msgspec.json.decode(body) if isinstance(body, bytes) else body
    parameters = {key: value for key, value in asked.items() if key not in ("database", "table")}
    return next(name for name, each in QUESTIONS.items() if each == parameters)


def gone(url: str, wanted: str, number: int) -> Callable[[str, Call | Loop], None]:
    """A `before` that loses a client of a database at its so-manieth loop."""
    left = [number]

    def before(asked: str, told: Call | Loop) -> None:
        if asked == url and isinstance(told, Loop):
            left[0] -= 1
            if not left[0]:
                raise RuntimeUnavailableError(wanted)

    return before


def write_rows(target: Path, rows: int, seed: int) -> None:
    target.write_text(f"{rows} rows of seed {seed}\n")


def comparison(*urls: str, **changes: Any) -> tuple[Comparison, dict[str, str]]:
    """A small comparison."""
    found = named(urls)
    asked = Comparison(tiers=tiers(found), rows=ROWS, repetitions=3, clients=(1, 2, 4), seconds=0.1)
    return msgspec.structs.replace(asked, **changes), found


def tools(lab: FakeTiers) -> Tools:
    """What a run needs, all fake."""
    return Tools(lab.start, lab.connect, write_rows, Silent(), lambda: lab.busy)


def carried_out(lab: FakeTiers, folder: Path, *urls: str, **changes: Any) -> Run:
    asked, found = comparison(*urls, **changes)
    run(asked, found, folder / RUN, tools(lab))
    return read(folder / RUN)


def outcome(lab: FakeTiers, folder: Path, *urls: str, **changes: Any) -> Summary:
    return summarise(carried_out(lab, folder, *urls, **changes))
