"""The transform's chart: time and peak memory, a bar a contender and number of threads.

python -m benchmarks.rig.chart TARGET < OUTCOME, as JSON
"""

import sys
from pathlib import Path
from typing import Any, TypeAlias

import altair as alt
import msgspec

from benchmarks.rig.outcome import Cell, Outcome, spread, values
from benchmarks.rig.table import peaks

INK, PAPER, GRID = "#24292f", "#ffffff", "#d8dee4"
SHADES = ("#3f8fd2", "#9cc8ec", "#1fa187", "#93d6c8")  # by number of threads
WIDE, BAND = 330, 34
Panel: TypeAlias = alt.LayerChart | alt.FacetChart


def svg(outcome: Outcome) -> str:
    """The chart as SVG, readable on a light and on a dark page."""
    import vl_convert

    bars = [bar(outcome, cell) for cell in shown(outcome) if values(cell, outcome.task.measure)]
    names = list(dict.fromkeys(each["contender"] for each in sorted(bars, key=lambda each: each["median"])))
    panels = alt.hconcat(panel(bars, names, "median", "seconds"), panel(bars, names, "mib", "peak memory, MiB"))
    styled = panels.properties(title=outcome.task.title).configure(background=PAPER, padding=12)
    styled = styled.configure_axis(labelColor=INK, titleColor=INK, gridColor=GRID, domain=False, labelLimit=200)
    styled = styled.configure_view(stroke=None).configure_title(color=INK, anchor="start")
    drawn: str = vl_convert.vegalite_to_svg(styled.configure_legend(labelColor=INK, titleColor=INK).to_dict())
    return drawn


def shown(outcome: Outcome) -> list[Cell]:
    """The cells of one cap, the largest: several would lie on each other."""
    most = max((cell.setting.memory_mib or float("inf") for cell in outcome.cells), default=None)
    return [cell for cell in outcome.cells if (cell.setting.memory_mib or float("inf")) == most]


def bar(outcome: Outcome, cell: Cell) -> dict[str, Any]:
    taken, peak = spread(values(cell, outcome.task.measure)), spread(peaks(cell))
    assert taken
    assert peak
    threads = f"{cell.setting.threads} thread{'s' if cell.setting.threads > 1 else ''}"
    return {
        "contender": cell.contender,
        "threads": threads,
        "median": taken.median,
        "least": taken.least,
        "most": taken.most,
        "mib": peak.median,
    }


def panel(bars: list[dict[str, Any]], names: list[str], field: str, title: str) -> Panel:
    threads = sorted({each["threads"] for each in bars})
    base = alt.Chart(alt.InlineData(values=bars)).encode(
        y=alt.Y("contender:N", sort=names, title=None), yOffset=alt.YOffset("threads:N", sort=threads)
    )
    colour = alt.Color("threads:N", scale=alt.Scale(domain=threads, range=SHADES[: len(threads)]), title=None)
    layers = [base.mark_bar().encode(x=alt.X(f"{field}:Q", title=title), color=colour)]
    beside = "most:Q" if field == "median" else f"{field}:Q"
    layers.append(base.mark_text(align="left", dx=4, color=INK).encode(x=beside, text=number(field)))
    if field == "median":
        layers.append(base.mark_rule(color=INK).encode(x="least:Q", x2="most:Q"))
    whole: Panel = alt.layer(*layers)
    return whole.properties(width=WIDE, height=alt.Step(BAND / max(1, len(threads))))


def number(field: str) -> alt.Text:
    return alt.Text(f"{field}:Q", format=".2f" if field == "median" else ".0f")


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(svg(msgspec.json.decode(sys.stdin.buffer.read(), type=Outcome)), encoding="utf-8")
