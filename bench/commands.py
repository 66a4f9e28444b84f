"""The commands `bench` and `report`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from adapters import PROVIDERS
from bench.experiment import Experiment
from core.errors import PolyfaasError

if TYPE_CHECKING:
    from bench.summary import Summary

ROWS = 100_000
INTERRUPTED = 130  # what a shell gives for a command that ended by Ctrl-C
RESULTS = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of all runs.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


@click.command(epilog="Example: polyfaas bench --rows 100000 --provider aws --provider gcp")
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A CSV of sales records; without it, rows are generated.",
)
@click.option("--rows", type=click.IntRange(min=1), help=f"Rows to generate.  [default: {ROWS}]")
@click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Warm calls of each service on each provider; a p95 needs 20.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes the rows and the order of the calls.")
@click.option(
    "--provider",
    "providers",
    type=click.Choice(list(PROVIDERS)),
    multiple=True,
    help="Measure this one; may be repeated.  [default: all]",
)
@RESULTS
@JSON
def bench(  # noqa: PLR0913  (click hands over one argument an option)
    *,
    data: Path | None,
    rows: int | None,
    repetitions: int,
    seed: int,
    providers: tuple[str, ...],
    output: Path,
    as_json: bool,
) -> None:
    """Run transform, load and query on the providers' runtimes, and compare them with in process.

    Each service is called once in a fresh instance of each runtime, then again and again, in random order.
    Every result and file is compared with the in-process one, byte for byte. The exit code is 0 when all that
    was asked for ran and agreed, 1 when something did not, 130 after Ctrl-C, which still writes the report.
    """
    if data is not None and rows is not None:
        raise click.UsageError("--data and --rows exclude each other: rows are generated only without data")
    experiment = Experiment(
        providers=tuple(dict.fromkeys(providers)) or tuple(PROVIDERS),
        data=str(data.resolve()) if data else None,
        rows=rows or ROWS,
        repetitions=repetitions,
        seed=seed,
    )
    sys.exit(_bench(experiment, output, as_json=as_json))


@click.command(epilog="Example: polyfaas report 20261124T035512Z-3f2a")
@click.argument("run")
@RESULTS
@JSON
def report(run: str, output: Path, *, as_json: bool) -> None:
    """Print a run's table again and write its report.html anew, from its results.jsonl.

    RUN is a run's id, its folder or its results file; one that was interrupted will do.
    """
    path = Path(run) if Path(run).exists() else output / run
    _outcome(path if path.is_dir() or not path.exists() else path.parent, as_json=as_json)


def _bench(experiment: Experiment, output: Path, *, as_json: bool) -> int:
    from bench.results import FILE_NAME
    from bench.runner import run_id

    folder = output / run_id()
    finished = _run(experiment, folder)
    if not finished and not (folder / FILE_NAME).exists():
        click.echo("interrupted before the first call", err=True)
        return INTERRUPTED
    summary = _outcome(folder, as_json=as_json)
    if not finished:
        return INTERRUPTED
    return 0 if summary.agreement and not summary.unavailable else 1


def _run(experiment: Experiment, folder: Path) -> bool:
    from rich.console import Console

    from adapters.lab import interrupt, start
    from bench.progress import Display
    from bench.runner import Tools, run

    try:
        with interrupt.once() as check, Display(Console(stderr=True, highlight=False)) as display:
            run(experiment, folder, Tools(start, _generate, display, check))
    except KeyboardInterrupt:
        return False
    except PolyfaasError as error:
        raise click.ClickException(error.detail) from error
    return True


def _generate(target: Path, rows: int, seed: int) -> None:
    from core.generator import generate

    generate(str(target), rows=rows, seed=seed)


def _outcome(folder: Path, *, as_json: bool) -> "Summary":
    from bench import report as html
    from bench.results import read
    from bench.summary import document, summarise
    from bench.terminal import show, stdout

    try:
        run = read(folder)
        summary = summarise(run)
        written = html.write(run, summary, folder)
    except PolyfaasError as error:
        raise click.ClickException(error.detail) from error
    if as_json:
        click.echo(document(summary, written))
    else:
        show(summary, folder, stdout())
    return summary


COMMANDS = (bench, report)
