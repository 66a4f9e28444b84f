"""The commands of the pipeline here: data, transform, load, query, run."""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec

from core import console, library
from core.profiler import Call, Profile, span
from core.services.load import LoadResult
from core.services.transform import TransformResult

OPERATORS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}
CONDITION = re.compile(r"(?P<column>.+?)(?P<op>>=|<=|!=|=|<|>)(?P<value>.*)", re.DOTALL)

Command = TypeVar("Command", bound=Callable[..., Any])


def selection(command: Command) -> Command:
    """Add the options that say what to ask."""
    options = (
        click.option("--group-by", multiple=True, metavar="COLUMN", help="Group by this column; repeatable."),
        click.option(
            "--filter",
            "filters",
            multiple=True,
            metavar="COLUMN=VALUE",
            help="Only rows for which this holds; also != < <= > >=. Repeatable: all must hold.",
        ),
        click.option(
            "--aggregate",
            "aggregates",
            multiple=True,
            metavar="FUNCTION:COLUMN",
            help="sum, avg, min, max or count of a column; repeatable.  [default: the dataset's metrics]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group()
def data() -> None:
    """Generate data."""


@data.command(epilog="Example: polyfaas data sales --rows 1500000 --duplicates 0.01 -o sales.csv")
@click.option("--rows", type=int, default=100_000, show_default=True, help="Number of records.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed gives other records.")
@click.option("--duplicates", type=float, default=0.0, show_default=True, help="Share that repeats an Order ID.")
@click.option("-o", "--output", required=True, help="CSV to write.")
def sales(rows: int, seed: int, duplicates: float, output: str) -> None:
    """Write sales records: the same options give the same bytes."""
    from core.generator import generate

    with console.working("generating"):
        generate(output, rows=rows, seed=seed, duplicates=duplicates)
    click.echo(f"{output}: {rows:,} records", err=True)


@click.command(epilog='Example: polyfaas transform "100 Sales Records.csv" clean.csv')
@click.argument("source")
@click.argument("target")
@console.as_json
def transform(source: str, target: str, *, as_json: bool) -> None:
    """Transform the CSV at SOURCE into a CSV at TARGET."""
    with console.working("transforming"):
        result = library.transform(source, target)
    console.show(result, _transform_line(result), as_json=as_json)


@click.command(epilog="Example: polyfaas load clean.csv sqlite:///sales.db")
@click.argument("source")
@click.argument("database")
@click.option("--table", help="Name of the table.  [default: sales]")
@click.option("--append", is_flag=True, help="Add the records whose key is new, instead of replacing the table.")
@console.as_json
def load(source: str, database: str, table: str | None, *, append: bool, as_json: bool) -> None:
    """Load the transformed CSV at SOURCE into DATABASE (sqlite:///relative.db, sqlite:////absolute.db or a path)."""
    with console.working("loading"):
        result = library.load(source, database, table, mode="append" if append else "replace")
    console.show(result, _load_line(result), as_json=as_json)


@click.command(epilog='Example: polyfaas query sales.db --group-by Region --filter "Sales Channel=Offline"')
@click.argument("database")
@click.option("--table", help="Name of the table.  [default: sales]")
@selection
@console.as_json
def query(database: str, table: str | None, *, as_json: bool, **asked: Sequence[str]) -> None:
    """Aggregate the rows of a table in DATABASE."""
    rows = library.query(database, table=table, **_request(**asked))
    if as_json:
        console.document(rows)
    else:
        console.rows(rows, len(asked["group_by"]))


@click.command(epilog='Example: polyfaas run "100000 Sales Records.csv" --group-by Region')
@click.argument("source")
@click.option("--database", help="Where to load to.  [default: a temporary SQLite file]")
@selection
@console.as_json
def run(source: str, database: str | None, *, as_json: bool, **asked: Sequence[str]) -> None:
    """Run the whole pipeline on the CSV at SOURCE, here, and show what it cost."""
    with tempfile.TemporaryDirectory(prefix="polyfaas-") as folder:
        outcome = _pipeline(source, database, Path(folder), _request(**asked))
    if as_json:
        console.document(outcome)
        return
    console.rows(outcome.rows, len(asked["group_by"]))
    click.echo(_transform_line(outcome.transform))
    click.echo(_load_line(outcome.load) if database else f"loaded {outcome.load.rows_loaded:,} records")
    console.profile(outcome.profile)


COMMANDS = (data, transform, load, query, run)


class PipelineOutcome(msgspec.Struct, frozen=True):
    """What `run` prints as JSON."""

    rows: list[dict[str, Any]]
    transform: TransformResult
    load: LoadResult
    profile: Profile


def _pipeline(source: str, database: str | None, folder: Path, request: dict[str, Any]) -> PipelineOutcome:
    clean = folder / "transformed.csv"
    with Call() as call:
        with _stage("transform"):
            transformed = library.transform(source, clean)
        with _stage("load"):
            loaded = library.load(clean, database or folder / "sales.db")
        with _stage("query"):
            rows = library.query(database or folder / "sales.db", **request)
    return PipelineOutcome(rows, transformed, loaded, call.profile)


@contextmanager
def _stage(name: str) -> Iterator[None]:
    with console.working(name), span(name):
        yield


def _request(group_by: Sequence[str], filters: Sequence[str], aggregates: Sequence[str]) -> dict[str, Any]:
    return {
        "group_by": group_by,
        "filters": [_filter(text) for text in filters],
        "aggregates": [_aggregate(text) for text in aggregates] or None,
    }


def _filter(text: str) -> dict[str, str]:
    if not (match := CONDITION.fullmatch(text)):
        raise click.BadParameter(f'{text!r} is no condition: write "Region=Asia"', param_hint="--filter")
    return {"column": match["column"], "op": OPERATORS[match["op"]], "value": match["value"]}


def _aggregate(text: str) -> dict[str, str]:
    function, separator, column = text.partition(":")
    if not separator or not column:
        raise click.BadParameter(f'{text!r} is no aggregate: write "sum:Units Sold"', param_hint="--aggregate")
    return {"function": function, "column": column}


def _transform_line(result: TransformResult) -> str:
    found = f"{result.rows_in:,} records in, {result.duplicates:,} duplicates dropped, {result.rows_out:,} out"
    return f"transformed {found} ({result.bytes_out / 1e6:,.1f} MB)"


def _load_line(result: LoadResult) -> str:
    skipped = f", {result.rows_skipped:,} skipped" if result.rows_skipped else ""
    return f"loaded {result.rows_loaded:,} records{skipped} into table {result.table} of {result.database}"
