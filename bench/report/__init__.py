"""A run as one HTML file that needs no network, no script and no other file."""

from pathlib import Path

from bench import calibration, table
from bench.experiment import LOCAL
from bench.report import charts
from bench.report.page import described, written
from bench.results import Run
from bench.summary import Summary
from bench.terminal import describe


def write(run: Run, summary: Summary, folder: Path) -> Path:
    """Write the run's report into its folder and give its path.

    Args:
        run: The raw calls, which the charts show.
        summary: What the run says.
        folder: The run's folder; an older report in it is replaced.

    Raises:
        StorageError: The folder cannot be written to.
    """
    values = {
        "run": run,
        "summary": summary,
        "columns": table.COLUMNS,
        "totals": {metric: table.total(value) for metric, value in summary.totals.items()},
        "disagreements": [describe(item) for item in summary.disagreements],
        "calibrations": {name: verdict.sentence for name, verdict in summary.calibrations.items()},
        "calibration_columns": calibration.columns(summary.calibrations),
        "calibration_rows": calibration.rows(summary.calibrations),
        "facts": _facts(run),
        "providers": [provider for provider in run.runtimes if provider != LOCAL],
        "name": table.name,
    }
    return written("page.html", values, charts.figures(run, summary), folder)


def _facts(run: Run) -> dict[str, str]:
    experiment, source = run.header.experiment, run.header.source
    made = f"{experiment.rows:,} generated rows, seed {experiment.seed}" if source.generated else source.path
    return {
        "Data": f"{made}; {source.size_bytes / 2**20:,.1f} MiB, SHA-256 {source.sha256[:16]}…",
        "Calls": f"{experiment.repetitions} warm rounds in an order shuffled with seed {experiment.seed}",
        **described(run.header.machine),
    }
