"""Markdown tables of what was measured."""

from collections.abc import Mapping

from benchmarks.rig.outcome import Cell, Outcome, Spread, beyond, exponent, ratios, spread, values
from benchmarks.rig.process import Run

UNITS = {"wall": "s", "slope": "s", "inside": "ms", "cpu": "CPU ms"}


def task_table(outcome: Outcome) -> str:
    """A task's title, its table and the words below it."""
    lines = [f"### {outcome.task.title}", "", *rows(outcome)]
    if outcome.task.measure == "slope" and (line := slope_line(outcome)):
        lines += ["", line]
    for name, reason in outcome.left_out.items():
        lines += ["", f"Left out: {name} ({reason})."]
    return "\n".join(lines) + "\n"


def rows(outcome: Outcome) -> list[str]:
    unit, last = UNITS[outcome.task.measure], compared_title(outcome)
    header = ["", "threads", "cap MiB", "n", f"{unit}: median (min - max)", "peak MiB", last, "answer"]
    rule = ["---", *["---:"] * 6, "---"]
    return [cells(header), cells(rule), *(cells(row(outcome, each)) for each in outcome.cells)]


def compared_title(outcome: Outcome) -> str:
    first = outcome.task.contenders[0].name
    if outcome.task.measure == "cpu":
        return f"beyond {first}"
    return "us a row" if outcome.task.measure == "slope" else f"{first} / this"


def row(outcome: Outcome, cell: Cell) -> list[str]:
    taken, peak = spread(values(cell, outcome.task.measure)), spread(peaks(cell))
    cap = str(cell.setting.memory_mib or "none")
    found = [cell.contender, str(cell.setting.threads), cap, str(taken.n if taken else 0)]
    if taken is None or peak is None:
        return [*found, f"**{cell.failure}**", "", "", ""]
    digits = 0 if outcome.task.measure == "cpu" else 2
    return [*found, shown(taken, digits), f"{peak.median:.0f}", compared(outcome, cell), judged(cell)]


def compared(outcome: Outcome, cell: Cell) -> str:
    if outcome.task.measure == "slope":
        taken = spread(values(cell, "slope"))
        return f"{taken.median / outcome.task.sizes[cell.contender] * 1e6:.2f}" if taken else ""
    if outcome.task.measure == "cpu":
        return shown(spread(beyond(outcome, cell)), 0)
    return shown(spread(ratios(outcome, cell)), 2)


def judged(cell: Cell) -> str:
    if cell.failure:
        return f"**later {cell.failure}**"
    if cell.verdict is None:
        return ""
    return f"**{cell.verdict}**" if cell.verdict else "right"


def slope_line(outcome: Outcome) -> str:
    """How time grows with rows, for each setting."""
    found: dict[int, list[tuple[float, float]]] = {}
    for cell in outcome.cells:
        if taken := spread(values(cell, "slope")):
            found.setdefault(cell.setting.threads, []).append((outcome.task.sizes[cell.contender], taken.median))
    fits = [f"{n}: rows^{exponent(points):.2f}" for n, points in sorted(found.items()) if len(points) > 1]
    return f"Time by threads, fitted to the medians: {', '.join(fits)}; rows^1.00 is a straight line." if fits else ""


def caps_table(title: str, found: Mapping[str, tuple[int | None, Run]]) -> str:
    """The smallest cap in which each contender finishes."""
    lines = [f"### {title}: the smallest cap that is enough, 1 thread", ""]
    lines += [cells(["", "cap MiB", "s there", "peak MiB"]), cells(["---", "---:", "---:", "---:"])]
    for name, (cap_mib, made) in found.items():
        if cap_mib is None:
            lines.append(cells([name, f"none of them: {made.failure}", "", ""]))
        else:
            lines.append(cells([name, str(cap_mib), f"{made.wall_ms / 1000:.2f}", f"{made.peak_mib:.0f}"]))
    return "\n".join(lines) + "\n"


def peaks(cell: Cell) -> list[float]:
    return [run.peak_mib for run in cell.runs if run.failure is None]


def shown(found: Spread | None, digits: int) -> str:
    if found is None:
        return ""
    return f"{found.median:.{digits}f} ({found.least:.{digits}f} - {found.most:.{digits}f})"


def cells(texts: list[str]) -> str:
    return f"| {' | '.join(text.replace('|', '/') for text in texts)} |"
