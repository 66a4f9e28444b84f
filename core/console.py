"""What the commands print: results to stdout, progress to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import msgspec

from core.datasets.project import project
from core.profiler import Profile
from core.runtime import encode

if TYPE_CHECKING:
    from rich.table import Table

dataset = click.option(
    "--dataset",
    default=lambda: project().dataset,
    help="Name of the dataset, or path of its TOML file.  [default: polyfaas.toml's, else sales]",
)
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
as_csv = click.option("--csv", "as_csv", is_flag=True, help="Print CSV (RFC 4180) with a header and nothing else.")
STAGES = ("transform", "load", "query")
WIDEST = 10_000


def document(value: object) -> None:
    """Print one JSON document."""
    click.echo(msgspec.json.format(encode(value)).decode())


def show(result: object, line: str, *, as_json: bool) -> None:
    """Print a result: one JSON document, or the line that says the same."""
    if as_json:
        document(result)
    else:
        click.echo(line)


@contextmanager
def working(on: str) -> Iterator[None]:
    """Say what is being done, on a terminal only, as long as it lasts."""
    from rich.console import Console

    with Console(stderr=True).status(f"{on} ..."):
        yield


def csv_rows(found: list[dict[str, Any]]) -> None:
    """Print query rows as CSV (RFC 4180) with a header; nothing where there are no rows."""
    import csv
    import io

    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows(list(row) for row in found[:1])
    writer.writerows(list(row.values()) for row in found)
    click.echo(text.getvalue().encode(), nl=False)


def rows(found: list[dict[str, Any]], title: str = "") -> None:
    """Print query rows: a table where it fits the terminal, else a block of names and values a row.

    Args:
        found: The rows.
        title: Stands above them.
    """
    from rich.console import Console

    if title:
        click.echo(title)
    if not found:
        click.echo("no rows")
        return
    console, table = Console(), _table(found)
    width = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    only_totals = len(found) == 1 and not any(isinstance(value, str) for value in found[0].values())
    if not only_totals and (width <= console.width or not console.is_terminal):
        Console(width=width).print(table)
        return
    for row in found:
        console.print(_block(row))


def _table(found: list[dict[str, Any]]) -> "Table":
    from rich.table import Table

    table = Table()
    for name in found[0]:
        texts = any(isinstance(row[name], str) for row in found)
        table.add_column(_escaped(name), justify="left" if texts else "right", no_wrap=True)
    for row in found:
        table.add_row(*map(_shown, row.values()))
    return table


def _block(row: dict[str, Any]) -> "Table":
    from rich.table import Table

    table = Table(show_header=False, box=None)
    for name, value in row.items():
        table.add_row(_escaped(name), f"[bold]{_shown(value)}[/bold]")
    return table


def profile(found: Profile) -> None:
    """Print what a call cost."""
    stages = "  ".join(f"{span.name} {span.duration_ms:,.0f} ms" for span in found.spans if span.name in STAGES)
    metrics = found.metrics
    cpu_ms = float(metrics.get("cpu_ms", 0))
    peak_mib = metrics.get("peak_rss_mib")
    memory = f", peak memory {peak_mib:,.0f} MiB" if isinstance(peak_mib, float) else ""
    click.echo(f"took {found.duration_ms:,.0f} ms ({stages}), CPU {cpu_ms:,.0f} ms{memory}")


def _shown(value: object) -> str:
    """A value for people: thousands apart, averages to four places."""
    if isinstance(value, int | Decimal):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.4f}"
    return "" if value is None else _escaped(str(value))


def _escaped(text: str) -> str:
    from rich.markup import escape

    return escape(text)
