"""The outcome of a run on the screen: one table that fits 100 columns, and the lines below it."""

from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench import table
from bench.agreement import Disagreement
from bench.results import FILE_NAME, REPORT_NAME
from bench.summary import Summary

WIDTH = 100
UNLIMITED = 10_000

# What a narrow terminal does without, a step at a time.
LEFT_OUT = ((), ("p95",), ("p95", "peak"), ("p95", "peak", "CPU", "95 % interval"))


def stdout() -> Console:
    """A console on stdout that is wide enough for the table also where there is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def show(summary: Summary, folder: Path, console: Console) -> None:
    """Print the table and what belongs to it.

    Args:
        summary: What the run says.
        folder: The run's folder, which the last lines point to.
        console: Where to.
    """
    left_out: tuple[str, ...] = ()
    if summary.rows:
        left_out = _left_out(summary, console)
        console.print(_table(summary, left_out, console.width))
    console.print(Text(summary.verdict, style="bold green" if summary.agreement else "bold red"))
    notes = Table.grid(padding=(0, 2, 0, 0))
    notes.add_column(style="bold", no_wrap=True, min_width=8)
    notes.add_column(overflow="fold")
    for label, text in (*_notes(summary), *_hint(left_out)):
        notes.add_row(label, Text(text))
    console.print(notes)
    for label, name in (("report", REPORT_NAME), ("results", FILE_NAME)):
        # Not in the grid: a path that is broken over two lines cannot be copied.
        console.print(Text.assemble((label.ljust(10), "bold"), str(folder / name)), soft_wrap=True)


def describe(item: Disagreement) -> str:
    """A disagreement in words, with both values."""
    where = f"{table.name(item.provider)} {item.service} ({item.where})"
    if item.difference is None:
        return f"{where}: {item.error}"
    difference = item.difference
    return f"{where}: {difference.place} is {difference.found}, in process {difference.expected}"


def _left_out(summary: Summary, console: Console) -> tuple[str, ...]:
    """The columns without which the table fits: a cell cut short would say something else."""
    wide = console.options.update(max_width=UNLIMITED)
    for left_out in LEFT_OUT:
        if console.measure(_table(summary, left_out, console.width), options=wide).maximum <= console.width:
            return left_out
    return LEFT_OUT[-1]


def _hint(left_out: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if left_out:
        yield "width", f"a terminal of {WIDTH} columns shows also: {', '.join(left_out)}"


def _table(summary: Summary, left_out: tuple[str, ...], width: int) -> Table:
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2 if width >= WIDTH else 1, 0, 0))
    columns = [column for column in table.COLUMNS if column.title not in left_out]
    for column in columns:
        justify = "right" if column.unit else "left"
        grid.add_column(f"{column.title}\n{column.unit}", justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for at, row in enumerate(summary.rows):
        first = at == 0 or summary.rows[at - 1].service != row.service
        last = at + 1 == len(summary.rows) or summary.rows[at + 1].service != row.service
        cells = [column.text(row) for column in columns]
        style = "" if row.agreement else "red"
        grid.add_row(cells[0] if first else "", *cells[1:], end_section=last, style=style)
    return grid


def _notes(summary: Summary) -> Iterator[tuple[str, str]]:
    for item in summary.disagreements:
        yield "differs", describe(item)
    for provider, reason in summary.unavailable.items():
        yield "not run", f"{table.name(provider)}: {reason}"
    for provider, what in summary.substitutes.items():
        yield "stand-in", f"{table.name(provider)}: {what}"
    if summary.totals:
        yield "totals", table.totals(summary.totals)
    yield "calls", _calls(summary)


def _calls(summary: Summary) -> str:
    warm = sorted({row.n for row in summary.rows})
    each = "-".join(str(n) for n in (warm[:1] + warm[-1:] if len(warm) > 1 else warm))
    errors = sum(row.errors for row in summary.rows)
    return f"{each or 0} warm a row, 1 cold; {errors} without a result"
