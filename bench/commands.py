"""The commands `bench` and `report`."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from adapters import PROVIDERS
from bench.experiment import Experiment
from bench.tiers.experiment import Comparison
from bench.tiers.options import ROUNDS, comparing, comparison
from core.errors import PolyfaasError

if TYPE_CHECKING:
    from adapters.lab.instance import Instance
    from bench.progress import Display

ROWS = 100_000
REPETITIONS = 20
INTERRUPTED = 130  # what a shell gives for a command that ended by Ctrl-C
# Carries a run out, in its folder, with a display and a check for interrupts.
Work: TypeAlias = Callable[[Path, "Display", Callable[[], None]], None]
RESULTS = click.option(
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("results"),
    show_default=True,
    help="Folder of all runs.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")


@click.command(
    epilog="Example: polyfaas bench --rows 100000 --provider aws --provider gcp; "
    "polyfaas bench --database sqlite:///sales.db --database postgresql://me@localhost/shop"
)
@click.option(
    "--data",
    type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path),
    help="A CSV of sales records; without it, rows are generated.",
)
@click.option("--rows", type=click.IntRange(min=1), help=f"Rows to generate.  [default: {ROWS}]")
@click.option(
    "--repetitions",
    type=click.IntRange(min=1),
    help="Warm calls of each service on each provider; a p95 needs 20. With --database, rounds; a verdict needs 3."
    f"  [default: {REPETITIONS}; {ROUNDS} with --database]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes the rows and the order of all calls.")
@click.option(
    "--provider",
    "providers",
    type=click.Choice(list(PROVIDERS)),
    multiple=True,
    help="Measure this one; may be repeated.  [default: all]",
)
@comparing
@RESULTS
@JSON
def bench(  # noqa: PLR0913  (click hands over one argument an option)
    *,
    data: Path | None,
    rows: int | None,
    repetitions: int | None,
    seed: int,
    providers: tuple[str, ...],
    databases: tuple[str, ...],
    output: Path,
    as_json: bool,
    **own: Any,
) -> None:
    """Run transform, load and query on the providers' runtimes, and compare them with in process.

    Each service is called once in a fresh instance of each runtime, then again and again, in random order.
    Every result and file is compared with the in-process one, byte for byte. The exit code is 0 when all that
    was asked for ran and agreed, 1 when something did not, 130 after Ctrl-C, which still writes the report.

    With --database, databases are compared instead: each is loaded, then asked by more and more clients at once.
    Every answer is compared with that of the file. The table has a name of its own and is dropped in the end.
    """
    _check(data, rows, providers, databases, own)
    general: dict[str, Any] = {"data": str(data.resolve()) if data else None, "rows": rows or ROWS, "seed": seed}
    if databases:
        work = _comparing(*comparison(general, databases, repetitions, own))
    else:
        names = tuple(dict.fromkeys(providers)) or tuple(PROVIDERS)
        work = _measuring(Experiment(providers=names, repetitions=repetitions or REPETITIONS, **general))
    sys.exit(_bench(work, output, as_json=as_json))


@click.command(epilog="Example: polyfaas report 20261124T035512Z-3f2a")
@click.argument("run")
@RESULTS
@JSON
def report(run: str, output: Path, *, as_json: bool) -> None:
    """Print a run's tables again and write its report.html anew, from its results.jsonl.

    RUN is a run's id, its folder or its results file; one that was interrupted will do.
    """
    path = Path(run) if Path(run).exists() else output / run
    _outcome(path if path.is_dir() or not path.exists() else path.parent, as_json=as_json)


def _check(
    data: Path | None,
    rows: int | None,
    providers: tuple[str, ...],
    databases: tuple[str, ...],
    own: dict[str, Any],
) -> None:
    if data is not None and rows is not None:
        raise click.UsageError("--data and --rows exclude each other: rows are generated only without data")
    if providers and databases:
        raise click.UsageError("--provider and --database exclude each other: compare the ones or the others")
    for name, value in own.items():
        if value and not databases:
            option = name.removesuffix("s") if name == "questions" else name
            raise click.UsageError(f"--{option} is about databases: name them with --database")


def _bench(work: Work, output: Path, *, as_json: bool) -> int:
    from bench.journal import FILE_NAME
    from bench.runner import run_id

    folder = output / run_id()
    finished = _run(work, folder)
    if not finished and not (folder / FILE_NAME).exists():
        click.echo("interrupted before the first call", err=True)
        return INTERRUPTED
    well = _outcome(folder, as_json=as_json)
    if not finished:
        return INTERRUPTED
    return 0 if well else 1


def _run(work: Work, folder: Path) -> bool:
    from rich.console import Console

    from adapters.lab import interrupt
    from bench.progress import Display

    try:
        with interrupt.once() as check, Display(Console(stderr=True, highlight=False)) as display:
            work(folder, display, check)
    except KeyboardInterrupt:
        return False
    except PolyfaasError as error:
        raise click.ClickException(error.detail) from error
    return True


def _measuring(experiment: Experiment) -> Work:
    """Compares providers."""

    def work(folder: Path, display: "Display", check: Callable[[], None]) -> None:
        from bench.runner import Tools, run

        run(experiment, folder, Tools(_start, _generate, display, check))

    return work


def _comparing(asked: Comparison, urls: dict[str, str]) -> Work:
    """Compares databases."""

    def work(folder: Path, display: "Display", check: Callable[[], None]) -> None:
        from bench.tiers.client import ClientProcess
        from bench.tiers.runner import run
        from bench.tiers.tools import Tools
        from core.database import connect

        run(asked, urls, folder, Tools(ClientProcess, connect, _generate, display, check_interrupt=check))

    return work


def _start(provider: str, folder: Path, source: Path) -> "Instance":
    from adapters.lab import start

    return start(provider, folder, allow=[(folder / "work").absolute().as_uri(), source.as_uri()])


def _generate(target: Path, rows: int, seed: int) -> None:
    from core.generator import generate

    generate(str(target), rows=rows, seed=seed)


def _outcome(folder: Path, *, as_json: bool) -> bool:
    """Show a run and write its report; gives whether all that was asked for ran and agreed."""
    from bench import journal, outcome
    from bench.tiers import outcome as of_tiers
    from bench.tiers.records import KIND

    try:
        told = of_tiers.told if journal.kind(folder) == KIND else outcome.told
        return told(folder, as_json=as_json)
    except PolyfaasError as error:
        raise click.ClickException(error.detail) from error


COMMANDS = (bench, report)
