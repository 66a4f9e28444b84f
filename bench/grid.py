"""A table on the screen: columns that say what they mean, and fewer of them where the screen is narrow."""

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 100
UNLIMITED = 10_000
MISSING = "-"

R = TypeVar("R")


class Column(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """One column of a table.

    Attributes:
        title: Its name.
        unit: The unit of its numbers; empty for words.
        meaning: How to read it, one sentence.
        text: The cell of a row.
    """

    title: str
    unit: str = ""
    meaning: str
    text: Callable[[R], str]


class Grid(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A table to show.

    Attributes:
        columns: In order; the first names the section that a row belongs to.
        rows: In order.
        right: Whether a row is as it should be; one that is not is red.
        left_out: What a narrow screen does without, a step at a time; the first step leaves out nothing.
    """

    columns: Sequence[Column[R]]
    rows: Sequence[R]
    right: Callable[[R], bool]
    left_out: Sequence[tuple[str, ...]]


def stdout() -> Console:
    """A console on stdout that is wide enough for the tables also where there is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def show(grid: Grid[R], console: Console) -> tuple[str, ...]:
    """Print a table; gives the columns that it is shown without."""
    left_out = _left_out(grid, console)
    console.print(_table(grid, left_out, console.width))
    return left_out


def number(value: float | None) -> str:
    """A measured number with three significant digits or all before the point; "-" when there is none."""
    if value is None:
        return MISSING
    digits = 0 if abs(value) >= 99.95 else 1 if abs(value) >= 9.995 else 2  # noqa: PLR2004  (after rounding)
    return f"{value:,.{digits}f}"


def _left_out(grid: Grid[R], console: Console) -> tuple[str, ...]:
    """The columns without which the table fits: a cell cut short would say something else."""
    wide = console.options.update(max_width=UNLIMITED)
    for left_out in grid.left_out:
        if console.measure(_table(grid, left_out, console.width), options=wide).maximum <= console.width:
            return left_out
    return grid.left_out[-1]


def _table(grid: Grid[R], left_out: tuple[str, ...], width: int) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 2 if width >= WIDTH else 1, 0, 0))
    columns = [column for column in grid.columns if column.title not in left_out]
    for column in columns:
        justify = "right" if column.unit else "left"
        made.add_column(f"{column.title}\n{column.unit}", justify=justify, no_wrap=True)  # type: ignore[arg-type]
    sections = [grid.columns[0].text(row) for row in grid.rows]
    for at, row in enumerate(grid.rows):
        first = at == 0 or sections[at - 1] != sections[at]
        last = at + 1 == len(sections) or sections[at + 1] != sections[at]
        cells = [column.text(row) for column in columns]
        made.add_row(cells[0] if first else "", *cells[1:], end_section=last, style="" if grid.right(row) else "red")
    return made
