"""A comparison of databases as one HTML file that needs no network, no script and no other file."""

from pathlib import Path

from bench.report.page import described, written
from bench.table import total
from bench.tiers import charts, table
from bench.tiers.agreement import describe
from bench.tiers.experiment import MEANINGS
from bench.tiers.records import Run
from bench.tiers.summary import Summary


def write(run: Run, summary: Summary, folder: Path) -> Path:
    """Write the run's report into its folder and give its path.

    Args:
        run: The raw records, which the charts show.
        summary: What the run says.
        folder: The run's folder; an older report in it is replaced.

    Raises:
        StorageError: The folder cannot be written to.
    """
    values = {
        "run": run,
        "summary": summary,
        "loads": table.LOADS,
        "steps": table.STEPS,
        "questions": table.QUESTIONS,
        "totals": {metric: total(value) for metric, value in summary.totals.items()},
        "disagreements": [describe(item) for item in summary.disagreements],
        "facts": _facts(run),
    }
    return written("tiers.html", values, charts.figures(run, summary), folder)


def _facts(run: Run) -> dict[str, str]:
    comparison, source = run.header.comparison, run.header.source
    made = f"{comparison.rows:,} generated rows, seed {comparison.seed}" if source.generated else source.path
    asked = "; ".join(MEANINGS[name] for name in comparison.questions)
    return {
        "Data": f"{made}; {run.header.rows:,} rows and {run.header.size_bytes / 2**20:,.1f} MiB after transform",
        "Rounds": f"{comparison.repetitions}, in an order shuffled with seed {comparison.seed}",
        "Questions": f"{asked}; each number of clients for {comparison.seconds:g} s and at least 20 queries",
        **described(run.header.machine),
    }
