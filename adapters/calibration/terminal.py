"""A calibration on the screen: a table that fits 100 columns, and a line on the profiler itself."""

from collections.abc import Iterator

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.calibration import numbers
from adapters.calibration.record import Calibration
from adapters.calibration.verdict import Line, Verdict

WIDTH = 100
STYLES = {"right": "green", "neighbour's": "yellow", "off": "bold red", "absent": "dim"}
TITLES = ("beside", "figure", "of the", "unit", "truth", "measured", "error", "worst", "")
NUMBERS = frozenset({"truth", "measured", "error", "worst"})
# What a narrow terminal does without, a step at a time.
LEFT_OUT = ((), ("unit",), ("unit", "of the"), ("unit", "of the", "truth", "measured", "worst"))
UNLIMITED = 10_000


def stdout() -> Console:
    """A console on stdout that is wide enough for the table also where there is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def show(calibration: Calibration, verdict: Verdict, console: Console) -> None:
    """Print a calibration."""
    console.print(Text.assemble((calibration.provider, "bold"), f"  {calibration.about}"), soft_wrap=True)
    if verdict.lines:
        console.print(_fitting(verdict.lines, console))
    for text in _notes(calibration, verdict):
        console.print(text, soft_wrap=True)
    console.print()


def _fitting(lines: list[Line], console: Console) -> Table:
    """The table with as many columns as fit: a cell cut short would say something else."""
    wide = console.options.update(max_width=UNLIMITED)
    tables = (_table(lines, left_out) for left_out in LEFT_OUT[:-1])
    fitting = (table for table in tables if console.measure(table, options=wide).maximum <= console.width)
    return next(fitting, _table(lines, LEFT_OUT[-1]))


def _table(lines: list[Line], left_out: tuple[str, ...]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=0)
    for title in TITLES:
        if title not in left_out:
            made.add_column(title, justify="right" if title in NUMBERS else "left", no_wrap=True)
    for at, line in enumerate(lines):
        first = at == 0 or lines[at - 1].probe != line.probe
        last = at + 1 == len(lines) or lines[at + 1].probe != line.probe
        cells = zip(TITLES, _cells(line, first=first), strict=True)
        made.add_row(*(cell for title, cell in cells if title not in left_out), end_section=last)
    return made


def _cells(line: Line, *, first: bool) -> Iterator[str | Text]:
    yield line.probe if first else ""
    yield from (line.figure, line.scope, line.unit)
    yield from (numbers.amount(line.truth, line.unit), numbers.amount(line.measured, line.unit))
    yield from (numbers.error(line.error, line.unit), numbers.error(line.worst, line.unit))
    yield Text(line.word, style=STYLES[line.word])


def _notes(calibration: Calibration, verdict: Verdict) -> Iterator[Text]:
    if verdict.overhead_us is not None:
        taken = f"{verdict.overhead_us:,.0f} µs a call, {verdict.most_overhead_us:,.0f} at most"
        yield Text.assemble(("profiler  ", "bold"), f"{taken} (of the calls that do nothing)")
    if calibration.substitute:
        yield Text.assemble(("stand-in  ", "bold"), calibration.substitute)
    for name, reason in calibration.absent.items():
        yield Text.assemble(("absent    ", "bold"), f"{name}: {reason}")
    for name, reason in calibration.failed.items():
        yield Text.assemble(("not run   ", "bold"), f"{name}: {reason}")
