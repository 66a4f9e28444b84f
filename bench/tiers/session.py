"""The databases of a run: loads each, has it asked by more and more clients, and leaves no table behind."""

from contextlib import ExitStack, closing
from types import TracebackType
from typing import Self

from bench.tiers.client import call
from bench.tiers.experiment import TOTALS, Planned
from bench.tiers.ladder import Ladder
from bench.tiers.messages import Answered
from bench.tiers.records import Kept, LoadRecord, Stopped
from bench.tiers.scene import Scene
from core.errors import PolyfaasError


class Session:
    """The databases of one run.

    Leaving it, also by Ctrl-C, ends every client and drops every table of the run.

    Args:
        scene: Where it takes place.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._ladder = Ladder(scene)
        self._touched: set[str] = set()
        self._stopped: set[str] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # A stack, because one table that cannot be dropped must not keep the others; the last to come goes first.
        with ExitStack() as stack:
            for tier in sorted(self._touched):
                stack.callback(self._drop, tier)
            stack.callback(self._ladder.close)

    def carry_out(self, planned: Planned) -> None:
        """Make one move and record it; a database that breaks is stopped and its later moves are left out."""
        if planned.tier in self._stopped:
            return
        try:
            if planned.phase == "load":
                self._load(planned)
            else:
                self._ladder.step(planned)
        except PolyfaasError as error:
            self._ladder.close()
            self._stopped.add(planned.tier)
            self._scene.results.append(Stopped(tier=planned.tier, reason=error.detail))

    def _load(self, planned: Planned) -> None:
        scene = self._scene
        database = scene.tools.connect(scene.urls[planned.tier])
        # So that each load of a database finds what the first one found.
        database.drop(scene.table)
        self._touched.add(planned.tier)
        with closing(scene.client(planned.tier, 1)) as client:
            loaded = call(client, "load", scene.load(planned.tier))
            totals = None if loaded.error else call(client, "query", scene.question(planned.tier, TOTALS))
        stored_bytes = None if loaded.error else database.stored_bytes(scene.table)
        database.close()
        record = self._record(planned, loaded, totals, stored_bytes)
        scene.results.append(record)
        if record.error:
            raise PolyfaasError(record.error)

    def _record(
        self, planned: Planned, loaded: Answered, totals: Answered | None, stored_bytes: int | None
    ) -> LoadRecord:
        return LoadRecord(
            tier=planned.tier,
            round=planned.round,
            elapsed_ms=loaded.elapsed_ms,
            cpu_ms=loaded.cpu_ms,
            peak_mib=loaded.peak_mib,
            rows=None if loaded.error else self._scene.rows_loaded(loaded),
            stored_bytes=stored_bytes,
            digest=self._scene.digest(planned.tier, TOTALS, totals.result) if totals and totals.result else None,
            error=loaded.error or (totals.error if totals else None),
        )

    def _drop(self, tier: str) -> None:
        try:
            database = self._scene.tools.connect(self._scene.urls[tier])
            database.drop(self._scene.table)
            database.close()
        except PolyfaasError as error:
            self._scene.results.append(Kept(tier=tier, reason=error.detail))
