"""What a comparison of databases says, for the screen, the report and machines alike."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from bench.journal import FILE_NAME
from bench.tiers import agreement, stats, verdict
from bench.tiers.agreement import Disagreement
from bench.tiers.experiment import TOTALS
from bench.tiers.records import FILE, Run
from bench.tiers.stats import LoadRow, QuestionRow, StepRow
from bench.tiers.verdict import Line
from core.runtime import encode

_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """A run's outcome.

    Attributes:
        run: Id of the run.
        complete: False when the run was interrupted.
        agreement: True when every database that could be reached answered throughout as the file does.
        verdict: The agreement in one line.
        lines: What the numbers say, question by question.
        caution: How far that can be trusted.
        loads: The table of loads.
        steps: The table of clients.
        questions: The table of questions.
        disagreements: What kept databases from agreeing.
        totals: The totals over all rows, by metric, as the file has them.
        unavailable: Why a database could not be reached or broke, by its name.
        kept: Why the run's table could not be dropped, by its database's name.
        databases: URL of each database, without user and options.
    """

    run: str
    complete: bool
    agreement: bool
    verdict: str
    lines: list[Line]
    caution: str
    loads: list[LoadRow]
    steps: list[StepRow]
    questions: list[QuestionRow]
    disagreements: list[Disagreement]
    totals: dict[str, Any]
    unavailable: dict[str, str]
    kept: dict[str, str]
    databases: dict[str, str]

    @property
    def well(self) -> bool:
        """All that was asked for ran, agreed and was tidied up."""
        return self.agreement and not self.unavailable and not self.kept


def summarise(run: Run) -> Summary:
    """The outcome of a run, computed from its raw records."""
    comparison = run.header.comparison
    found = agreement.judge(run)
    loads = stats.load_rows(run, {item.tier for item in found if not item.clients})
    steps = stats.step_rows(run, {(item.tier, item.clients) for item in found})
    questions = stats.question_rows(run)
    agreed = _agreed(run, found)
    return Summary(
        run=run.header.run,
        complete=run.complete,
        agreement=bool(agreed) and len(agreed) == len({load.tier for load in run.loads} - run.stopped.keys()),
        verdict=_verdict(run, agreed),
        lines=verdict.lines(comparison.tiers, loads, questions, steps),
        caution=verdict.caution(comparison.repetitions, run.header.busy_before),
        loads=loads,
        steps=steps,
        questions=questions,
        disagreements=found,
        totals=_totals(run),
        unavailable=run.stopped,
        kept=run.kept,
        databases={tier.name: tier.url for tier in comparison.tiers},
    )


def document(summary: Summary, report: Path) -> str:
    """The outcome as one JSON document.

    Args:
        summary: What the run says.
        report: The HTML report; the results lie beside it.
    """
    paths = {"report": str(report), "results": str(report.with_name(FILE_NAME))}
    return encode({**msgspec.structs.asdict(summary), **paths}).decode()


def _agreed(run: Run, found: list[Disagreement]) -> list[str]:
    failing = {item.tier for item in found} | run.stopped.keys()
    loaded = {load.tier for load in run.loads}
    return [tier.name for tier in run.header.comparison.tiers if tier.name in loaded - failing]


def _verdict(run: Run, agreed: list[str]) -> str:
    begun = {load.tier for load in run.loads} | run.stopped.keys()
    names = [tier.name for tier in run.header.comparison.tiers if tier.name in begun]
    so_far = "" if run.complete else " so far (the run was interrupted)"
    if not run.loads:
        return "No database was loaded: there is nothing to compare"
    others = [name for name in names if name not in agreed]
    which = f"; not: {', '.join(others)}" if others else ""
    return f"{len(agreed)} of {len(names)} databases answer as the file does, byte for byte{so_far}{which}"


def _totals(run: Run) -> dict[str, Any]:
    right = next(each for each in run.answers if (each.tier, each.question) == (FILE, TOTALS))
    return dict(_decode(right.result)["rows"][0])
