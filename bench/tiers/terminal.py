"""The outcome of a comparison of databases on the screen: two tables that fit 100 columns, and the verdict."""

from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bench import grid
from bench.grid import Grid
from bench.table import totals
from bench.terminal import footer
from bench.tiers import table
from bench.tiers.agreement import describe
from bench.tiers.summary import Summary

# What a narrow terminal does without, a step at a time.
FEWER_LOADS = ((), ("service",), ("service", "n", "CPU"), ("service", "n", "CPU", "range", "peak"))
FEWER_STEPS = ((), ("p99",), ("p99", "range"), ("p99", "range", "CPU", "busy"))


def show(summary: Summary, folder: Path, console: Console) -> None:
    """Print the tables and what belongs to them.

    Args:
        summary: What the run says.
        folder: The run's folder, which the last lines point to.
        console: Where to.
    """
    left_out: set[str] = set()
    if summary.loads:
        loads = Grid(columns=table.LOADS, rows=summary.loads, right=lambda row: row.agreement, left_out=FEWER_LOADS)
        left_out.update(grid.show(loads, console))
    if summary.steps:
        steps = Grid(columns=table.STEPS, rows=summary.steps, right=lambda row: row.agreement, left_out=FEWER_STEPS)
        left_out.update(grid.show(steps, console))
    console.print(Text(summary.verdict, style="bold green" if summary.well else "bold red"))
    footer([*_notes(summary), *_hint(left_out)], folder, console)


def _notes(summary: Summary) -> Iterator[tuple[str, str]]:
    for item in summary.disagreements:
        yield "differs", describe(item)
    for tier, reason in summary.unavailable.items():
        yield "not run", f"{tier}: {reason}"
    for tier, reason in summary.kept.items():
        yield "left", f"{tier} keeps the table of this run, which could not be dropped: {reason}"
    for line in summary.lines:
        yield "verdict", f"{line.question}: {line.answer}"
    if summary.lines:
        yield "caution", summary.caution
    if summary.totals:
        yield "totals", totals(summary.totals)


def _hint(left_out: set[str]) -> Iterator[tuple[str, str]]:
    if left_out:
        yield "width", f"a wider terminal shows also: {', '.join(sorted(left_out))}"
