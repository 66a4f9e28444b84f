"""A slow, obvious TLQ pipeline (csv, Decimal, datetime) that the engine is compared with."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction

HEADER = [
    "Region",
    "Country",
    "Item Type",
    "Sales Channel",
    "Order Priority",
    "Order Date",
    "Order ID",
    "Ship Date",
    "Units Sold",
    "Unit Price",
    "Unit Cost",
    "Total Revenue",
    "Total Cost",
    "Total Profit",
]
PRIORITIES = {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}


def written(rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER, line_end: str = "\n") -> bytes:
    """The rows as CSV."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


def day(text: str) -> date:
    month, of_month, year = map(int, text.split("/"))
    return date(year, month, of_month)


def transformed(rows: Iterable[Sequence[str]], header: Sequence[str] = HEADER) -> list[list[object]]:
    """What transform must write, without its header: days as int, margin as float or None."""
    seen: set[int] = set()
    result: list[list[object]] = []
    for row in rows:
        record = dict(zip(header, row, strict=True))
        if int(record["Order ID"]) in seen:
            continue
        seen.add(int(record["Order ID"]))
        days = (day(record["Ship Date"]) - day(record["Order Date"])).days
        revenue = Decimal(record["Total Revenue"])
        margin = float(Decimal(record["Total Profit"])) / float(revenue) if revenue else None
        mapped = {**record, "Order Priority": PRIORITIES[record["Order Priority"]]}
        result.append([*(mapped[name] for name in header), days, margin])
    return result


def read(path: str) -> list[list[object]]:
    """What transform wrote, as `transformed` gives it."""
    with open(path, encoding="utf-8", newline="") as file:  # noqa: PTH123
        rows = list(csv.reader(file, strict=True))
    return [[*row[:-2], int(row[-2]), float(row[-1]) if row[-1] else None] for row in rows[1:]]


def average(values: Iterable[int | Decimal | float]) -> float | None:
    """The double nearest to the exact mean."""
    exact = [Fraction(value) for value in values]
    return float(sum(exact) / len(exact)) if exact else None
