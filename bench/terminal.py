"""The outcome of a run on the screen: one table that fits 100 columns, and the lines below it."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench import grid, table
from bench.agreement import Disagreement
from bench.grid import WIDTH, Grid
from bench.journal import FILE_NAME, REPORT_NAME
from bench.summary import Summary

# What a narrow terminal does without, a step at a time.
LEFT_OUT = ((), ("p95",), ("p95", "peak"), ("p95", "peak", "CPU", "95 % interval"))


def show(summary: Summary, folder: Path, console: Console) -> None:
    """Print the table and what belongs to it.

    Args:
        summary: What the run says.
        folder: The run's folder, which the last lines point to.
        console: Where to.
    """
    left_out: tuple[str, ...] = ()
    if summary.rows:
        rows = Grid(columns=table.COLUMNS, rows=summary.rows, right=lambda row: row.agreement, left_out=LEFT_OUT)
        left_out = grid.show(rows, console)
    console.print(Text(summary.verdict, style="bold green" if summary.agreement else "bold red"))
    footer([*_notes(summary), *_hint(left_out)], folder, console)


def footer(notes: Sequence[tuple[str, str]], folder: Path, console: Console) -> None:
    """Print labelled lines and where the run's files are."""
    lines = Table.grid(padding=(0, 2, 0, 0))
    lines.add_column(style="bold", no_wrap=True, min_width=8)
    lines.add_column(overflow="fold")
    for label, text in notes:
        lines.add_row(label, Text(text))
    console.print(lines)
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


def _hint(left_out: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if left_out:
        yield "width", f"a terminal of {WIDTH} columns shows also: {', '.join(left_out)}"


def _notes(summary: Summary) -> Iterator[tuple[str, str]]:
    for item in summary.disagreements:
        yield "differs", describe(item)
    for provider, reason in summary.unavailable.items():
        yield "not run", f"{table.name(provider)}: {reason}"
    for provider, what in summary.substitutes.items():
        yield "stand-in", f"{table.name(provider)}: {what}"
    for provider, verdict in summary.calibrations.items():
        yield "probes", f"{table.name(provider)}: {verdict.sentence}"
    if summary.totals:
        yield "totals", table.totals(summary.totals)
    yield "calls", _calls(summary)


def _calls(summary: Summary) -> str:
    warm = sorted({row.n for row in summary.rows})
    each = "-".join(str(n) for n in (warm[:1] + warm[-1:] if len(warm) > 1 else warm))
    errors = sum(row.errors for row in summary.rows)
    return f"{each or 0} warm a row, 1 cold; {errors} without a result"
