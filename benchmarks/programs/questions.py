"""What the query contenders are asked, and the form in which their answers can be compared."""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from statistics import median
from time import perf_counter_ns
from typing import Any

METRICS = (
    'avg("Order Processing Time")',
    'avg("Gross Margin")',
    'avg("Units Sold")',
    'max("Units Sold")',
    'min("Units Sold")',
    'sum("Units Sold")',
    'sum("Total Revenue")',
    'sum("Total Profit")',
    'count("Order ID")',
)
AMOUNTS = (-3, -2)  # where the two sums of money stand in a row
THREE = {"Region": "Australia and Oceania", "Item Type": "Office Supplies", "Sales Channel": "Offline"}
QUESTIONS: dict[str, tuple[list[str], dict[str, str]]] = {
    "all": ([], {}),
    "by region": (["Region"], {}),
    "one country": ([], {"Country": "Fiji"}),
    "three filters": ([], THREE),
}
CALLS = 5


def sql(question: str, table: str = "sales") -> str:
    """The nine metrics as one writes them by hand, with a parameter for each filter."""
    group_by, filters = QUESTIONS[question]
    groups = [f'"{column}"' for column in group_by]
    text = f"SELECT {', '.join([*groups, *METRICS])} FROM {table}"
    if filters:
        text += " WHERE " + " AND ".join(f'"{column}" = ?' for column in filters)
    return text + (f" GROUP BY {', '.join(groups)} ORDER BY {', '.join(groups)}" if groups else "")


def parameters(question: str) -> list[str]:
    return list(QUESTIONS[question][1].values())


def canonical(rows: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Rows with their amounts in cents, as whole numbers where they are whole."""
    found = [list(row) for row in rows]
    for row in found:
        for at in AMOUNTS:
            row[at] = cents(row[at])
    return found


def cents(amount: Any) -> int | None:
    """An amount in whole cents, the nearest to it."""
    return None if amount is None else round(Decimal(str(amount)) * 100)


def timed(ask: Callable[[], Iterable[Sequence[Any]]]) -> None:
    """Ask once to warm up and then CALLS times; print the median in ms and the answer as JSON."""
    rows, taken_ms = ask(), []
    for _ in range(CALLS):
        started_ns = perf_counter_ns()
        rows = ask()
        taken_ms.append((perf_counter_ns() - started_ns) / 1e6)
    json.dump({"ms": median(taken_ms), "answer": {"rows": canonical(rows)}}, sys.stdout)
