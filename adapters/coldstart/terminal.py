"""Cold starts on the screen: a waterfall that fits 80 columns, and what it adds up to."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from adapters.coldstart import words
from adapters.coldstart.record import ColdStart, Part, Row
from adapters.coldstart.timeline import summarised

WIDTH = 80
NUMBER, TITLES = 8, ("least", "median", "most")
# Of the columns that the numbers leave, what the names get.
NAMES = 0.55
EIGHTHS = " ▏▎▍▌▋▊▉█"
FULL, GAP = "█", "░"
STYLES = {"gap": "dim", "import": "cyan", "call": "green", "phase": "blue"}


def stdout() -> Console:
    """A console on stdout that is wide enough also where there is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def show(found: ColdStart, console: Console, least_ms: float = 0.0) -> None:
    """Print cold starts, without the imports that took less than this."""
    summary = summarised(found)
    console.print(Text.assemble((found.provider, "bold"), f"  {found.about}"), soft_wrap=True)
    for line in _waterfall(words.shown(summary.rows, least_ms), console.width):
        console.print(line, no_wrap=True, overflow="crop")
    for label, text in words.notes(found, summary):
        console.print(Text.assemble((f"{label:<10}", "bold"), text), soft_wrap=True)


def _waterfall(rows: Sequence[Row], width: int) -> Iterator[Text]:
    left = width - NUMBER * len(TITLES) - 1
    names = int(left * NAMES)
    end_ms = max(row.part.end_ms for row in rows)
    axis = f"0{f'{words.number(end_ms)} ms':>{left - names - 1}}"
    heading = "".join(f"{title:>{NUMBER}}" for title in TITLES)
    yield Text(f"{'ms':<{names}}{heading} {axis}", style="bold")
    for row in rows:
        style = STYLES[words.kind(row.part)]
        numbers = "".join(f"{text:>{NUMBER}}" for text in words.spread(row))
        yield Text.assemble(f"{_name(row.part, names)}{numbers} ", (_bar(row.part, end_ms, left - names), style))


def _name(part: Part, width: int) -> str:
    """The name, indented; of one that is too long the end, which tells modules of one package apart."""
    indent, name = " " * part.depth, words.name(part)
    room = width - len(indent)
    return f"{indent}{name if len(name) <= room else f'…{name[1 - room :]}':<{room}}"


def _bar(part: Part, end_ms: float, width: int) -> str:
    """The part on an axis from 0 to the end; one of almost no duration is still seen."""
    first, last = part.start_ms / end_ms * width, part.end_ms / end_ms * width
    at = min(int(first), width - 1)
    if part.gap:
        return " " * at + GAP * max(1, round(last) - at)
    whole, rest = divmod(last - at, 1)
    tip = EIGHTHS[round(rest * (len(EIGHTHS) - 1))]
    return " " * at + ((FULL * int(whole) + tip).rstrip() or EIGHTHS[1])
