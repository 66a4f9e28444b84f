"""A run as one HTML file that needs no network, no script and no other file."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from bench import table
from bench.experiment import LOCAL
from bench.report import charts
from bench.results import FILE_NAME, REPORT_NAME, Run
from bench.summary import Summary
from bench.terminal import describe
from core.errors import StorageError


def write(run: Run, summary: Summary, folder: Path) -> Path:
    """Write the run's report into its folder and give its path.

    Args:
        run: The raw calls, which the charts show.
        summary: What the run says.
        folder: The run's folder; an older report in it is replaced.

    Raises:
        StorageError: The folder cannot be written to.
    """
    environment = Environment(
        loader=PackageLoader("bench", "report"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page = environment.get_template("page.html").render(
        run=run,
        summary=summary,
        columns=table.COLUMNS,
        totals={metric: table.total(value) for metric, value in summary.totals.items()},
        disagreements=[describe(item) for item in summary.disagreements],
        facts=_facts(run),
        figures=_figures(run, summary),
        providers=[provider for provider in run.runtimes if provider != LOCAL],
        name=table.name,
        results=FILE_NAME,
    )
    path = folder / REPORT_NAME
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the report cannot be written ({error}): copy the run to a folder of yours") from error
    return path


def _figures(run: Run, summary: Summary) -> list[tuple[charts.Figure, Markup]]:
    # The SVG comes from our own charts, whose texts the renderer escapes.
    return [(figure, Markup(figure.svg)) for figure in charts.figures(run, summary)]  # noqa: S704


def _facts(run: Run) -> dict[str, str]:
    machine, experiment, source = run.header.machine, run.header.experiment, run.header.source
    made = f"{experiment.rows:,} generated rows, seed {experiment.seed}" if source.generated else source.path
    return {
        "Data": f"{made}; {source.size_bytes / 2**20:,.1f} MiB, SHA-256 {source.sha256[:16]}…",
        "Calls": f"{experiment.repetitions} warm rounds in an order shuffled with seed {experiment.seed}",
        "Processor": f"{machine.cpu or 'unknown'}, {machine.cores} cores",
        "Memory": f"{machine.memory_mib / 1024:,.1f} GiB",
        "System": f"{machine.kernel}, Python {machine.python}",
        "Libraries": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
    }
