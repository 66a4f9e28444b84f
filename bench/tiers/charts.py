"""The charts of a comparison of databases: how fast each is loaded, and what it gives more and more clients."""

from collections.abc import Callable, Mapping, Sequence

import altair as alt
import msgspec

from bench.report.drawing import GREY, INK, PALETTE, Figure, Values, chart, figure
from bench.tiers import stats
from bench.tiers.records import Run, StepRecord
from bench.tiers.summary import Summary

BAND = 34
LABEL = 78
HALF = 340
HEIGHT = 230
ROUND = [digit * 10**power for power in range(-1, 7) for digit in (1, 2, 5)]  # on a logarithmic axis
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")


def figures(run: Run, summary: Summary) -> list[Figure]:
    """The charts that the run has the numbers for."""
    drawn = (_loads(run, summary), _room(run, summary), _throughput(run), _tail(run))
    return [msgspec.structs.replace(each, half=True) for each in drawn if each is not None]


def _loads(run: Run, summary: Summary) -> Figure | None:
    medians = {row.tier: row.rows_per_s.median for row in summary.loads if row.rows_per_s}
    if not medians:
        return None
    dots = [{"tier": load.tier, "value": stats.rows_per_s(load)} for load in run.loads if load.rows]
    points = chart(dots).mark_point(size=46, strokeWidth=1.6, color=INK, filled=False, opacity=1)
    along = alt.X("value:Q", title="rows/s", axis=alt.Axis(tickCount=4, format="~s"))
    layers = alt.layer(_bars(run, medians, along), points.encode(x=along, y=_bands(list(medians))))
    note = "The bar is the median; each ring is one load, by a fresh process."
    return figure("Load: rows per second", note, layers.properties(width=HALF, height=BAND * len(medians)))


def _room(run: Run, summary: Summary) -> Figure | None:
    sizes = {row.tier: row.bytes_per_row for row in summary.loads if row.bytes_per_row}
    if not sizes:
        return None
    along = alt.X("value:Q", title="bytes per row", axis=alt.Axis(tickCount=4))
    note = "With the index, where it is stored; of a file, its whole length."
    layers = alt.layer(_bars(run, sizes, along)).properties(width=HALF, height=BAND * len(sizes))
    return figure("Load: room taken", note, layers)


def _bars(run: Run, values: Mapping[str, float], along: alt.X) -> alt.Chart:
    rows = [{"tier": name, "value": value} for name, value in values.items()]
    bars: alt.Chart = chart(rows).mark_bar(height=BAND - 14, opacity=0.75)
    return bars.encode(x=along, y=_bands(list(values)), color=_colours(run))


def _bands(names: Sequence[str]) -> alt.Y:
    return alt.Y("tier:N", sort=names, title=None, axis=alt.Axis(minExtent=LABEL))


def _throughput(run: Run) -> Figure | None:
    values = _values(run, stats.rate)
    note = (
        "By all clients together; each point is one step of one round, the line goes through their medians. Where it "
        "stops rising, more clients only wait longer."
    )
    upwards = alt.Y("value:Q", title="queries/s", axis=alt.Axis(tickCount=5, titlePadding=10))
    return _lines(run, values, ("Query: throughput by clients", note), upwards)


def _tail(run: Run) -> Figure | None:
    values = _values(run, stats.round_p95)
    note = "95 of 100 queries took no longer. The scale is logarithmic: the same way up is the same multiple."
    scale = alt.Scale(type="log", nice=False, padding=8)
    upwards = alt.Y(
        "value:Q", title="p95 in ms", scale=scale, axis=alt.Axis(values=ROUND, format=",~r", titlePadding=10)
    )
    return _lines(run, values, ("Query: p95 by clients", note), upwards)


def _lines(run: Run, values: Values, words: tuple[str, str], upwards: alt.Y) -> Figure | None:
    """A line a database over the numbers of clients, doubled at each step of the axis."""
    if not values:
        return None
    clients = list(run.header.comparison.clients)
    axis = alt.Axis(values=clients, format="d", grid=False, labelFlush=False)
    across = alt.X("clients:Q", title="clients", scale=alt.Scale(type="log", base=2, nice=False, padding=8), axis=axis)
    base = chart(values).encode(x=across, color=_colours(run, legend=True))
    lines = base.mark_line(strokeWidth=2).encode(y=_median(upwards))
    points = base.mark_point(size=36, filled=True, opacity=0.75).encode(y=upwards, shape=_shapes(run))
    return figure(*words, alt.layer(lines, points).properties(width=HALF + 20, height=HEIGHT))


def _median(upwards: alt.Y) -> alt.Y:
    found = upwards.copy()
    found.shorthand = "median(value):Q"
    return found


def _values(run: Run, value: Callable[[Run, StepRecord], float | None]) -> Values:
    found = [(step, value(run, step)) for step in run.steps]
    return [{"tier": step.tier, "clients": step.clients, "value": measured} for step, measured in found if measured]


def _colours(run: Run, *, legend: bool = False) -> alt.Color:
    names = _names(run)
    shades = [PALETTE[at] if at < len(PALETTE) else GREY for at in range(len(names))]
    shown = alt.Legend(title=None, orient="top", columns=4, columnPadding=16) if legend else None
    return alt.Color("tier:N", scale=alt.Scale(domain=names, range=shades), legend=shown)


def _shapes(run: Run) -> alt.Shape:
    names = _names(run)
    marks = [SHAPES[at % len(SHAPES)] for at in range(len(names))]
    return alt.Shape("tier:N", scale=alt.Scale(domain=names, range=marks), legend=None)


def _names(run: Run) -> Sequence[str]:
    return [tier.name for tier in run.header.comparison.tiers]
