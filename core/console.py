"""What the commands print: results to stdout, progress to stderr."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import msgspec

from core.profiler import Profile
from core.runtime import encode

if TYPE_CHECKING:
    from rich.table import Table

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
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


def rows(found: list[dict[str, Any]], groups: int) -> None:
    """Print query rows: a table where it fits the terminal, else a block of names and values a row.

    Args:
        found: The rows.
        groups: How many columns, from the first, are the groups'.
    """
    from rich.console import Console

    if not found:
        click.echo("no rows")
        return
    console, table = Console(), _table(found, groups)
    width = console.measure(table, options=console.options.update(max_width=WIDEST)).maximum
    if groups and (width <= console.width or not console.is_terminal):
        Console(width=width).print(table)
        return
    for row in found:
        console.print(_block(row))


def _table(found: list[dict[str, Any]], groups: int) -> "Table":
    from rich.table import Table

    table = Table()
    for index, name in enumerate(found[0]):
        table.add_column(_escaped(name), justify="left" if index < groups else "right", no_wrap=True)
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
    cpu_ms = sum(float(metrics.get(f"process_cpu_{part}_ms", 0)) for part in ("user", "system"))
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
