"""The commands of the pipeline here: data, transform, load, query, run; and what its answers mean."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from core import access, console, library, reference
from core.options import SETTINGS, reading, rejecting, spelled
from core.profiler import Call, Profile, span
from core.question import request, selection
from core.services.load import LoadResult
from core.services.transform import TransformResult

Command = TypeVar("Command", bound=Callable[..., Any])


@click.group()
def data() -> None:
    """Generate data."""


def _amounts(command: Command) -> Command:
    """Add the options of every generator."""
    options = (
        click.option("--rows", type=int, default=100_000, show_default=True, help="Number of records."),
        click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives other records."),
        click.option("--duplicates", type=float, default=0.0, show_default=True, help="Share that repeats a key."),
        click.option(
            "--rejects", type=float, default=0.0, show_default=True, help="Share that is bad, in turn by kind."
        ),
        click.option("-o", "--output", required=True, help="CSV to write."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@data.command(epilog="Example: polyfaas data sales --rows 1500000 --duplicates 0.01 -o sales.csv")
@_amounts
def sales(output: str, **asked: Any) -> None:
    """Write sales records: the same options give the same bytes."""
    _generate(output, dataset="sales", **asked)


@data.command(epilog="Example: polyfaas data payments --rows 1200000 --layout 75 -o payments.csv")
@_amounts
@click.option("--layout", type=int, default=91, show_default=True, help="Number of columns: 65, 75 or 91.")
def payments(output: str, **asked: Any) -> None:
    """Write records of Open Payments (CMS, general payments): the same options give the same bytes."""
    _generate(output, dataset="payments", **asked)


def _generate(output: str, **asked: Any) -> None:
    from core.generator import generate

    started_ns = time.perf_counter_ns()
    with _progress() as progress:
        made = generate(output, progress=progress, **asked)
    duration_s = (time.perf_counter_ns() - started_ns) / 1e9
    special = f"{made.duplicates:,} of them duplicates, {made.rejected:,} bad"
    speed = f"{made.bytes / 1e6:,.1f} MB, {made.bytes / 1e6 / duration_s:,.0f} MB/s"
    click.echo(f"{output}: {made.rows:,} records, {special}; {speed}", err=True)


@contextmanager
def _progress() -> Iterator[Callable[[float], None] | None]:
    """A bar on a terminal, which takes the part that is done; elsewhere None."""
    from rich.console import Console
    from rich.progress import Progress

    terminal = Console(stderr=True)
    if not terminal.is_terminal:
        yield None
        return
    with Progress(console=terminal, transient=True) as bar:
        task = bar.add_task("generating", total=1.0)
        yield lambda done: bar.update(task, completed=done)


@click.command(epilog='Example: polyfaas transform "100 Sales Records.csv" clean.csv')
@click.argument("source")
@click.argument("target")
@reading
@rejecting
@console.as_json
def transform(source: str, target: str, *, as_json: bool, **asked: Any) -> None:
    """Transform the CSV or Parquet file at SOURCE into one at TARGET (.csv, .csv.gz or .parquet)."""
    with console.working("transforming"):
        result = library.transform(source, target, **spelled(asked))
    console.show(result, _transform_line(result), as_json=as_json)


@click.command(epilog="Example: polyfaas shard sales.csv shards/sales --count 20")
@click.argument("source")
@click.argument("prefix")
@click.option("--count", type=int, help="How many files; a row's key decides which.")
@click.option("--bytes", type=int, help="Instead, the most bytes that a file has; rows keep their order.")
@click.option("--key", metavar="COLUMN", help="What decides, with --count.  [default: the dataset's key]")
@reading
@console.as_json
def shard(source: str, prefix: str, *, as_json: bool, **asked: Any) -> None:
    """Deal the rows of SOURCE out to several files, whose names start with PREFIX."""
    with console.working("dealing out"):
        shards = library.shard(source, prefix, **spelled(asked))
    if as_json:
        console.document(shards)
    else:
        console.rows([msgspec.structs.asdict(each) for each in shards])


@click.command(epilog="Example: polyfaas load clean.csv sqlite:///sales.db")
@click.argument("source")
@click.argument("database")
@click.option("--table", help="Name of the table.  [default: the dataset's]")
@console.dataset
@click.option("--append", is_flag=True, help="Add the records whose key is new, instead of replacing the table.")
@console.as_json
def load(source: str, database: str, *, append: bool, as_json: bool, **asked: Any) -> None:
    """Load the transformed file at SOURCE into DATABASE.

    A DATABASE is sqlite:///relative.db, sqlite:////absolute.db, duckdb:///relative.duckdb or a path.
    """
    with console.working("loading"):
        result = library.load(source, database, mode="append" if append else "replace", **asked)
    console.show(result, _load_line(result), as_json=as_json)


@click.command(epilog='Example: polyfaas query sales.db --group-by Region --filter "Sales Channel=Offline"')
@click.argument("databases", metavar="DATABASE...", nargs=-1, required=True)
@click.option("--table", help="Name of the table.  [default: the dataset's]")
@console.dataset
@selection
@console.as_csv
@console.as_json
def query(databases: Sequence[str], named: Sequence[str], *, as_csv: bool, as_json: bool, **asked: Any) -> None:
    """Aggregate the rows of a table in DATABASE, or of its parts in several.

    A DATABASE is sqlite:///relative.db, sqlite:////absolute.db, duckdb:///relative.duckdb or a path, also of a CSV or
    Parquet file.
    """
    if as_csv and (as_json or len(named) > 1):
        raise click.UsageError("--csv prints one table: leave out --json, and name one query")
    found = _answer(databases, named, asked)
    if as_json:
        console.document(found if len(named) > 1 else found[""])
    elif as_csv:
        console.csv_rows(found[""])
    else:
        for name, rows in found.items():
            console.rows(rows, name)


def _answer(databases: Sequence[str], named: Sequence[str], asked: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each query by its name, or of the only one by an empty one."""
    place = {"table": asked.pop("table"), "dataset": asked.pop("dataset")}
    where = databases[0] if len(databases) == 1 else databases
    if len(named) > 1 and not any(asked.values()):
        return library.queries(where, named, **place)
    if len(named) > 1:
        raise click.UsageError("several queries are asked by name only: leave out the other options")
    return {"": library.query(where, query=named[0] if named else None, **place, **request(**asked))}


@click.command(epilog='Example: polyfaas run "100000 Sales Records.csv" --group-by Region')
@click.argument("source")
@click.option("--database", help="Where to load to.  [default: a temporary SQLite file]")
@reading
@rejecting
@selection
@console.as_json
def run(source: str, database: str | None, *, as_json: bool, **asked: Any) -> None:
    """Run the whole pipeline on the file at SOURCE, here, and show what it cost."""
    settings = spelled({name: asked.pop(name) for name in SETTINGS})
    with tempfile.TemporaryDirectory(prefix="polyfaas-") as folder, access.also(folder):
        outcome = _pipeline(source, database or f"{folder}/loaded.db", settings, _request(**asked))
    if as_json:
        console.document(outcome)
        return
    console.rows(outcome.rows)
    click.echo(_transform_line(outcome.transform))
    click.echo(_load_line(outcome.load) if database else f"loaded {outcome.load.rows_loaded:,} records")
    console.profile(outcome.profile)


COMMANDS = (data, transform, shard, load, query, run, *reference.COMMANDS)


class PipelineOutcome(msgspec.Struct, frozen=True):
    """What `run` prints as JSON."""

    rows: list[dict[str, Any]]
    transform: TransformResult
    load: LoadResult
    profile: Profile


def _pipeline(source: str, database: str, settings: dict[str, Any], request: dict[str, Any]) -> PipelineOutcome:
    dataset = settings["dataset"]
    with tempfile.TemporaryDirectory(prefix="polyfaas-") as folder, access.also(folder), Call() as call:
        clean = f"{folder}/transformed.csv"
        with _stage("transform"):
            transformed = _kept(library.transform(source, clean, **settings), clean, source)
        with _stage("load"):
            loaded = library.load(clean, database, dataset=dataset)
        with _stage("query"):
            rows = library.query(database, dataset=dataset, **request)
    return PipelineOutcome(rows, transformed, loaded, call.profile)


def _kept(result: TransformResult, clean: str, source: str) -> TransformResult:
    """The result with its rejects, which nobody gave a name, in the working directory."""
    if result.rejects is None or not result.rejects.startswith(clean):
        return result
    kept = f"{Path(source).name}.rejects.jsonl"
    shutil.move(result.rejects, kept)
    return msgspec.structs.replace(result, rejects=kept)


@contextmanager
def _stage(name: str) -> Iterator[None]:
    with console.working(name), span(name):
        yield


def _request(named: Sequence[str], **asked: Any) -> dict[str, Any]:
    if len(named) > 1:
        raise click.UsageError("run asks one query: keep the database with --database and ask it the others")
    return {"query": named[0] if named else None, **request(**asked)}


def _transform_line(result: TransformResult) -> str:
    found = f"{result.rows_in:,} records in, {result.duplicates:,} duplicates dropped"
    rejected = f", {result.rejected:,} rejected (see {result.rejects})" if result.rejected else ""
    return f"transformed {found}{rejected}, {result.rows_out:,} out ({result.bytes_out / 1e6:,.1f} MB)"


def _load_line(result: LoadResult) -> str:
    skipped = f", {result.rows_skipped:,} skipped" if result.rows_skipped else ""
    return f"loaded {result.rows_loaded:,} records{skipped} into table {result.table} of {result.database}"
