"""Score sheets on the screen: a table of points, then every miss; it fits 100 columns."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from adapters.conformance.record import Fuzz, Miss, Score, Sheet
from core.message import Request

WIDTH = 100
LABEL = 12
# Of a text, what is shown before the place that differs, and from there on.
BEFORE, AFTER = 24, 56
BODY, COMMAND = 60, 1000
FULL, LOST, NOT_ASKED = "green", "bold red", "dim"


def stdout() -> Console:
    """A console on stdout that is wide enough for the table also where there is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=WIDTH)


def show(sheets: Sequence[Sheet], console: Console) -> None:
    """Print score sheets, those of all runtimes in one table."""
    console.print(_table(sheets))
    for sheet in sheets:
        console.print(Text.assemble((sheet.provider, "bold"), f"  {sheet.about}"), soft_wrap=True)
        for label, text in _notes(sheet):
            console.print(Text.assemble((f"{label:<{LABEL}}", "bold"), text), soft_wrap=True)
        for miss in [*sheet.misses, *([sheet.fuzz.miss] if sheet.fuzz and sheet.fuzz.miss else [])]:
            _miss(miss, console)
    console.print()


def _table(sheets: Sequence[Sheet]) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    made.add_column("group", no_wrap=True)
    for sheet in sheets:
        made.add_column(sheet.provider, justify="right", overflow="fold")
    groups = list(dict.fromkeys(score.group for sheet in sheets for score in sheet.scores))
    for group in groups:
        made.add_row(group, *(_points(_score(sheet, group)) for sheet in sheets), end_section=group == groups[-1])
    totals = (Score(group="all", passed=sheet.passed, total=sheet.total) for sheet in sheets)
    made.add_row("all", *(_points(total) for total in totals))
    return made


def _score(sheet: Sheet, group: str) -> Score:
    return next((score for score in sheet.scores if score.group == group), Score(group=group, passed=0, total=0))


def _points(score: Score) -> Text:
    if not score.total:
        return Text("-", style=NOT_ASKED)
    return Text(f"{score.passed}/{score.total}", style=FULL if score.passed == score.total else LOST)


def _notes(sheet: Sheet) -> Iterator[tuple[str, str]]:
    if sheet.substitute:
        yield "stand-in", sheet.substitute
    for group, reason in sheet.left_out.items():
        yield "left out", f"{group}: {reason}"
    if sheet.fuzz:
        yield "fuzz", _said(sheet.fuzz)


def _said(fuzz: Fuzz) -> str:
    made = f"{fuzz.asked:,} requests made up with --seed {fuzz.seed}"
    return f"{made}: all answered as in process" if fuzz.miss is None else f"{made}: one is answered otherwise"


def _miss(miss: Miss, console: Console) -> None:
    found = miss.difference
    console.print(Text.assemble(("MISS ", LOST), (f"{miss.group}: {miss.name}", "bold"), f", {found.aspect} differs"))
    lines = {
        "request": _request(miss.request),
        "expected": _excerpt(found.expected, found.at),
        "found": _excerpt(found.found, found.at),
        "first": f"character {found.at + 1:,}: {_at(found.expected, found.at)} became {_at(found.found, found.at)}",
        "repeat": visible(miss.curl) if len(miss.curl) <= COMMAND else f"{visible(miss.curl[:COMMAND])} ... (--json)",
    }
    for label, text in lines.items():
        console.print(Text.assemble((f"  {label:<{LABEL - 2}}", "bold"), text), soft_wrap=True)


def _request(request: Request) -> str:
    query = f"?{urlencode(request.query)}" if request.query else ""
    body = request.body.decode(errors="backslashreplace")
    shown = visible(body[:BODY]) + (f"... ({len(request.body):,} bytes)" if len(body) > BODY else "")
    return " ".join(filter(None, (f"{request.method} {visible(request.path)}{query}", shown)))


def _excerpt(text: str, at: int) -> str:
    start, end = max(0, at - BEFORE), at + AFTER
    return f"{'...' if start else ''}{visible(text[start:end])}{'...' if end < len(text) else ''}"


def _at(text: str, at: int) -> str:
    return repr(text[at]) if at < len(text) else "the end"


def visible(text: str) -> str:
    """A text on one line: what has no picture is shown as an escape."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
