"""The columns of the comparison: what each is called, what it means and how its values read."""

from typing import Any

from bench.experiment import LOCAL
from bench.grid import MISSING, Column, number
from bench.stats import Row

__all__ = ["COLUMNS", "TOTALS", "name", "number", "total", "totals"]

# The totals that a user knows of the data, by metric.
TOTALS = {
    "Number of Orders": "orders",
    "Total Units Sold": "units",
    "Total Revenue": "revenue",
    "Total Profit": "profit",
}


def name(provider: str) -> str:
    """How a provider is called in front of people."""
    return "in process" if provider == LOCAL else provider


def total(value: Any) -> str:
    """A total with every digit."""
    return f"{value:,}" if value is not None else MISSING


def totals(found: dict[str, Any]) -> str:
    """The totals in one line, to be checked against what is known of the data; empty without any."""
    return ", ".join(f"{label} {total(found[metric])}" for metric, label in TOTALS.items() if metric in found)


def _interval(row: Row) -> str:
    if row.median_low_ms is None or row.median_high_ms is None:
        return MISSING
    return f"{number(row.median_low_ms)} to {number(row.median_high_ms)}"


def _agrees(row: Row) -> str:
    return "yes" if row.agreement else "NO"


COLUMNS: tuple[Column[Row], ...] = (
    Column(title="service", meaning="What was called.", text=lambda row: row.service),
    Column(
        title="provider",
        meaning="Whose runtime carried the call; in process: the service called straight, without a runtime.",
        text=lambda row: name(row.provider),
    ),
    Column(
        title="cold",
        unit="ms",
        meaning="From before the process was spawned to its first answer, once, in a fresh instance.",
        text=lambda row: number(row.cold_ms),
    ),
    Column(
        title="median",
        unit="ms",
        meaning="Median of the warm calls, as the client measured them.",
        text=lambda row: number(row.median_ms),
    ),
    Column(
        title="95 % interval",
        unit="ms",
        meaning="Where the true median lies with 95 % confidence, whatever the distribution (binomial test "
        "on order statistics); from 6 calls on. Where intervals overlap, no difference is shown.",
        text=_interval,
    ),
    Column(
        title="p95",
        unit="ms",
        meaning="95 of 100 warm calls took no longer; from 20 calls on.",
        text=lambda row: number(row.p95_ms),
    ),
    Column(
        title="CPU",
        unit="ms",
        meaning="Median CPU time, user and system, of the function's process over a warm call; "
        "above the median where the engine uses several cores.",
        text=lambda row: number(row.cpu_ms),
    ),
    Column(
        title="peak",
        unit="MiB",
        meaning="Peak memory of the function's process in a fresh instance that ran this service once.",
        text=lambda row: number(row.peak_mib),
    ),
    Column(
        title="overhead",
        unit="ms",
        meaning="Runtime, adapter and transport: what the client measured of a warm call less what the "
        "function measured of the same call; the median of that. Within one call the noise of the work "
        "itself cancels out. In process it is the profiler and the encoding of the answer, which all pay.",
        text=lambda row: number(row.overhead_ms),
    ),
    Column(
        title="agrees",
        meaning="Every call, cold and warm, gave the in-process result byte for byte, and the files it left "
        "have the same content.",
        text=_agrees,
    ),
)
