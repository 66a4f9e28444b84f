"""The report's charts, drawn to SVG here so that the page needs neither script nor network."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import altair as alt

from adapters import PROVIDERS
from bench import stats, table
from bench.experiment import SERVICES
from bench.report.drawing import GREY, INK, PALETTE, SHOWN_CALLS, WIDE, Figure, Values, chart, figure
from bench.results import Run
from bench.stats import Row
from bench.summary import Summary

PARTS = ("#3f8fd2", "#9cc8ec", "#1fa187", "#93d6c8", "#e08a1e", "#f3c88f", "#b65fc4", "#dcb3e3")
OVERHEAD = "#d1495b"

THIRD = 190
BAND = 26
LABEL = 68
TICKS, FEW_TICKS = alt.Axis(tickCount=8), alt.Axis(tickCount=4)

Panel: TypeAlias = alt.Chart | alt.LayerChart | alt.FacetChart


def figures(run: Run, summary: Summary) -> list[Figure]:
    """The charts that the run has the numbers for."""
    drawn = (_warm(run, summary), _cold(summary), _time(run), _memory(summary))
    return [each for each in drawn if each is not None]


def _warm(run: Run, summary: Summary) -> Figure | None:
    panels = [_warm_panel(run, rows, service) for service, rows in _by_service(summary, lambda row: row.median_ms)]
    note = (
        "Each dot is one call, the first at the top of its band and the last at the bottom. The upright bar "
        "is the median, the line through it its 95 % interval. Each service has a scale of its own, which "
        "need not begin at zero."
    )
    return figure("Warm run time", note, alt.vconcat(*panels, spacing=20)) if panels else None


def _cold(summary: Summary) -> Figure | None:
    panels = [_cold_panel(rows, service) for service, rows in _by_service(summary, lambda row: row.cold_ms)]
    note = (
        "Hollow: the first call of a fresh instance, the start of its process included; one call each. "
        "Filled: the median warm call. The line between them is what a cold start costs."
    )
    return figure("Cold against warm", note, alt.hconcat(*panels, spacing=24)) if panels else None


def _time(run: Run) -> Figure | None:
    values = {service: _part_values(run, service) for service in SERVICES}
    panels = [_time_panel(service, values[service]) for service in SERVICES if values[service]]
    note = (
        "The middle one of the warm calls, a real call: its spans, what the function did outside of them "
        "(other) and the runtime with the adapter add up to what the client measured. The upright mark is "
        "the CPU time of the same call; beyond the end of the bar, several cores were at work."
    )
    if not panels:
        return None
    stacked = alt.vconcat(*panels, spacing=20).resolve_scale(color="independent")
    return figure("Where the time goes", note, stacked)


def _memory(summary: Summary) -> Figure | None:
    panels = [_memory_panel(rows, service) for service, rows in _by_service(summary, lambda row: row.peak_mib)]
    note = "Of the process that runs the function, after the first call of a fresh instance."
    return figure("Peak memory", note, alt.hconcat(*panels, spacing=24)) if panels else None


def _by_service(summary: Summary, value: Callable[[Row], float | None]) -> list[tuple[str, list[Row]]]:
    rows = {service: [row for row in summary.rows if row.service == service] for service in SERVICES}
    kept = {service: [row for row in rows[service] if value(row) is not None] for service in SERVICES}
    return [(service, kept[service]) for service in SERVICES if kept[service]]


def _warm_panel(run: Run, rows: list[Row], service: str) -> Panel:
    names = [table.name(row.provider) for row in rows]
    dots = chart([dot for row in rows for dot in _dots(run, row.provider, service)]).encode(
        x=alt.X("ms:Q", title="ms", axis=TICKS, scale=alt.Scale(zero=False)),
        y=_bands(names),
        yOffset=alt.YOffset("at:Q", scale=alt.Scale(domain=[0, 1], range=[3, BAND - 3])),
        color=_colours(names),
    )
    base = chart(_medians(rows)).encode(y=_bands(names))
    line = base.mark_rule(strokeWidth=1.5, color=INK).encode(x="low:Q", x2="high:Q")
    bar = base.mark_tick(thickness=3, size=BAND - 8, color=INK).encode(x="median:Q")
    panel = alt.layer(dots.mark_circle(size=26, opacity=0.5), line, bar)
    return panel.properties(title=service, width=WIDE, height=BAND * len(names))


def _cold_panel(rows: list[Row], service: str) -> Panel:
    names = [table.name(row.provider) for row in rows]
    base = chart(_medians(rows)).encode(y=_bands(names), color=_colours(names))
    line = base.mark_rule(strokeWidth=2, opacity=0.6).encode(
        x=alt.X("median:Q", title="ms", axis=FEW_TICKS), x2="cold:Q"
    )
    warm = base.mark_circle(size=80, opacity=1).encode(x="median:Q")
    cold = base.mark_point(size=70, strokeWidth=2, filled=False, opacity=1).encode(x="cold:Q")
    panel = alt.layer(line, warm, cold)
    return panel.properties(title=service, width=THIRD, height=BAND * len(names))


def _time_panel(service: str, values: Values) -> Panel:
    names = list(dict.fromkeys(value["provider"] for value in values))
    spans = [name for name in dict.fromkeys(value["part"] for value in values) if name not in stats.REST]
    shades = [PARTS[at % len(PARTS)] for at in range(len(spans))]
    colours = alt.Scale(domain=[*spans, *stats.REST], range=[*shades, GREY, OVERHEAD])
    legend = alt.Legend(title=None, orient="top", columns=8, columnPadding=24)
    base = chart(values).encode(y=_bands(names))
    bars = base.mark_bar(height=BAND - 10).encode(
        x=alt.X("ms:Q", title="ms", axis=TICKS, stack="zero"),
        color=alt.Color("part:N", scale=colours, legend=legend),
        order="at:O",
    )
    mark = base.mark_tick(thickness=3, size=BAND - 4, color=INK).encode(x="max(cpu):Q")
    return alt.layer(bars, mark).properties(title=service, width=WIDE, height=BAND * len(names))


def _memory_panel(rows: list[Row], service: str) -> Panel:
    names = [table.name(row.provider) for row in rows]
    values = [{"provider": table.name(row.provider), "mib": row.peak_mib} for row in rows]
    base = chart(values).encode(x=alt.X("mib:Q", title="MiB", axis=FEW_TICKS), y=_bands(names), color=_colours(names))
    bars: Panel = base.mark_bar(height=BAND - 12)
    return bars.properties(title=service, width=THIRD, height=BAND * len(names))


def _dots(run: Run, provider: str, service: str) -> Values:
    calls = stats.warm(run, provider, service)
    last = max(1, len(calls) - 1)
    step = len(calls) // SHOWN_CALLS + 1
    return [
        {"provider": table.name(provider), "ms": call.elapsed_ms, "at": at / last}
        for at, call in enumerate(calls)
        if at % step == 0
    ]


def _medians(rows: list[Row]) -> Values:
    return [
        {
            "provider": table.name(row.provider),
            "median": row.median_ms,
            "low": row.median_low_ms,
            "high": row.median_high_ms,
            "cold": row.cold_ms,
        }
        for row in rows
    ]


def _part_values(run: Run, service: str) -> Values:
    middle = {provider: stats.typical(stats.warm(run, provider, service)) for provider in run.runtimes}
    return [
        {
            "provider": table.name(provider),
            "part": part.name,
            "ms": part.duration_ms,
            "at": at,
            "cpu": stats.cpu(call),
        }
        for provider, call in middle.items()
        if call is not None
        for at, part in enumerate(stats.parts(call))
    ]


def _bands(names: Sequence[str]) -> alt.Y:
    scale = alt.Scale(paddingInner=0, paddingOuter=0)
    return alt.Y("provider:N", sort=list(names), title=None, scale=scale, axis=alt.Axis(minExtent=LABEL))


def _colours(names: Sequence[str]) -> alt.Color:
    # By all providers there are, so that one keeps its colour from report to report.
    shades = {name: PALETTE[at % len(PALETTE)] for at, name in enumerate(PROVIDERS)}
    scale = alt.Scale(domain=list(names), range=[shades.get(name, GREY) for name in names])
    return alt.Color("provider:N", scale=scale, legend=None)
