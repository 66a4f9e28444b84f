"""Asks one database with more and more clients at once, each a process that asks again as soon as it is answered."""

import math
from contextlib import ExitStack

from bench.tiers import processors
from bench.tiers.client import Client
from bench.tiers.experiment import LEAST_QUERIES, Planned
from bench.tiers.messages import Answered, Call, Loop, Looped
from bench.tiers.records import ClientRecord, FirstRecord, StepRecord
from bench.tiers.scene import Scene
from core.runtime import encode


class Ladder:
    """The clients of the database that is being asked; those of a step stay for the next.

    Args:
        scene: Where it takes place.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._of: tuple[str, int] | None = None
        self._clients: list[Client] = []

    def step(self, planned: Planned) -> None:
        """Have so many clients ask at once, and record it.

        Raises:
            PolyfaasError: A client is gone.
        """
        if self._of != (planned.tier, planned.round):
            self.close()
            self._of = (planned.tier, planned.round)
        self._grow(planned)
        before = processors.reading()
        for number, client in enumerate(self._clients, 1):
            client.begin(self._loop(planned, number))
        looped = [client.finish(Looped) for client in self._clients]
        busy = processors.busy_share(before, processors.reading())
        for number, each in enumerate(looped, 1):
            self._scene.results.append(self._client_record(planned, number, each))
        span_ms = (max(each.ended_ns for each in looped) - min(each.started_ns for each in looped)) / 1e6
        step = StepRecord(
            tier=planned.tier, round=planned.round, clients=planned.clients, span_ms=span_ms, machine_busy=busy
        )
        self._scene.results.append(step)

    def close(self) -> None:
        """End the clients; there may be none."""
        with ExitStack() as stack:
            for client in self._clients:
                stack.callback(client.close)
            self._clients = []
            self._of = None

    def _grow(self, planned: Planned) -> None:
        """Add the clients that this step has more, and have each ask once, which imports and connects."""
        numbers = range(len(self._clients) + 1, planned.clients + 1)
        for number in numbers:
            self._clients.append(self._scene.client(planned.tier, number))
        asked = {number: self._question(number) for number in numbers}
        for number, question in asked.items():
            body = encode(self._scene.question(planned.tier, question))
            self._clients[number - 1].begin(Call("query", body))
        for number, question in asked.items():
            answered = self._clients[number - 1].finish(Answered)
            self._scene.results.append(self._first_record(planned, number, question, answered))

    def _question(self, number: int) -> str:
        questions = self._scene.comparison.questions
        return questions[number % len(questions)]

    def _loop(self, planned: Planned, number: int) -> Loop:
        comparison = self._scene.comparison
        bodies = [encode(self._scene.question(planned.tier, name)) for name in comparison.questions]
        return Loop(
            bodies=bodies,
            # Without the database's name: all are asked the same in the same order.
            order=f"{comparison.seed} {planned.round} {planned.clients} {number}",
            seconds=comparison.seconds,
            at_least=math.ceil(LEAST_QUERIES / planned.clients),
        )

    def _first_record(self, planned: Planned, number: int, question: str, answered: Answered) -> FirstRecord:
        result = answered.result
        return FirstRecord(
            tier=planned.tier,
            round=planned.round,
            clients=planned.clients,
            client=number,
            question=question,
            elapsed_ms=answered.elapsed_ms,
            status=answered.status,
            digest=self._scene.digest(planned.tier, question, result) if result else None,
            error=answered.error,
        )

    def _client_record(self, planned: Planned, number: int, looped: Looped) -> ClientRecord:
        digests: dict[int, list[str]] = {}
        for seen in looped.seen:
            name = self._scene.comparison.questions[seen.question]
            digests.setdefault(seen.question, []).append(self._scene.digest(planned.tier, name, seen.result))
        return ClientRecord(
            tier=planned.tier,
            round=planned.round,
            clients=planned.clients,
            client=number,
            cpu_ms=looped.cpu_ms,
            peak_mib=looped.peak_mib,
            samples=looped.samples,
            digests=digests,
            error=looped.error,
        )
