"""What a run says: the table, the verdict and the totals, for the screen, the report and machines alike."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from adapters.calibration import Verdict, judged
from bench import agreement, stats
from bench.agreement import Disagreement
from bench.experiment import LOCAL
from bench.journal import FILE_NAME
from bench.results import Run
from bench.stats import Row
from core.runtime import encode

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A run's outcome.

    Attributes:
        run: Id of the run.
        complete: False when the run was interrupted.
        agreement: True when every runtime that started, and at least one provider's, agreed throughout.
        verdict: The agreement in one line.
        rows: The table.
        disagreements: What kept providers from agreeing.
        totals: The query's totals over all rows, by metric; empty when the in-process call gave none.
        calibrations: What the truth probes say, by provider; empty in files of version 1.
        unavailable: Why a provider did not start or broke, by provider.
        substitutes: What is a stand-in, by provider.
    """

    run: str
    complete: bool
    agreement: bool
    verdict: str
    rows: list[Row]
    disagreements: list[Disagreement]
    totals: dict[str, Any]
    calibrations: dict[str, Verdict]
    unavailable: dict[str, str]
    substitutes: dict[str, str]

    @property
    def well(self) -> bool:
        """All that was asked for ran and agreed."""
        return self.agreement and not self.unavailable


def summarise(run: Run) -> Summary:
    """The outcome of a run, computed from its raw calls."""
    found = agreement.judge(run)
    failing = {item.provider for item in found} | run.stopped.keys()
    agreed = [name for name in run.runtimes if name not in failing]
    return Summary(
        run=run.header.run,
        complete=run.complete,
        agreement=len(agreed) == len(run.runtimes) > 1,
        verdict=_verdict(run, agreed),
        rows=stats.rows(run, {(item.provider, item.service) for item in found}),
        disagreements=found,
        totals=_totals(run),
        calibrations={name: judged(calibration) for name, calibration in run.calibrations.items()},
        unavailable=run.stopped,
        substitutes={name: item.substitute for name, item in run.runtimes.items() if item.substitute},
    )


def _verdict(run: Run, agreed: list[str]) -> str:
    others = [name for name in run.runtimes if name not in agreed]
    so_far = "" if run.complete else " so far (the run was interrupted)"
    if not any(call.provider == LOCAL and call.digest for call in run.calls):
        what = "itself failed" if any(call.provider == LOCAL for call in run.calls) else "never ran"
        return f"The in-process call {what}: there is nothing to agree with"
    if list(run.runtimes) == [LOCAL]:
        return "No provider ran: there is nothing to compare the in-process call with"
    if others:
        return f"{len(agreed)} of {len(run.runtimes)} agree{so_far}; not: {', '.join(others)}"
    return f"{len(agreed)} of {len(agreed)} agree{so_far}: byte-identical results and files"


def _totals(run: Run) -> dict[str, Any]:
    for call in run.calls:
        if call.provider == LOCAL and call.request == "totals" and call.digest is not None:
            kept = next(item.result for item in run.calls if item.digest == call.digest)
            return dict(_decode(kept)["rows"][0]) if kept else {}
    return {}


def document(summary: Summary, report: Path) -> str:
    """The outcome as one JSON document.

    Args:
        summary: What the run says.
        report: The HTML report; the results lie beside it.
    """
    paths = {"report": str(report), "results": str(report.with_name(FILE_NAME))}
    return encode({**msgspec.structs.asdict(summary), **paths}).decode()
