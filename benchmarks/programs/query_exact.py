"""The nine metrics by plain Python from the transformed CSV, exact: `query_exact.py CSV QUESTION`, the yardstick."""

import csv
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.programs.questions import QUESTIONS, cents


def main(source: str, question: str) -> None:
    group_by, filters = QUESTIONS[question]
    groups: dict[tuple[str, ...], list[Any]] = {}
    with Path(source).open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if all(row[column] == value for column, value in filters.items()):
                add(groups.setdefault(tuple(row[column] for column in group_by), [0, 0, [], 0, 0, 0]), row)
    rows = [[*group, *finished(groups[group])] for group in sorted(groups)]
    json.dump({"rows": rows}, sys.stdout)


def add(totals: list[Any], row: dict[str, str]) -> None:
    totals[0] += 1
    totals[1] += int(row["Order Processing Time"])
    totals[2].append(float(row["Gross Margin"]))
    units = int(row["Units Sold"])
    totals[3] = (
        (min(totals[3][0], units), max(totals[3][1], units), totals[3][2] + units) if totals[3] else (units,) * 3
    )
    totals[4] += cents(row["Total Revenue"])
    totals[5] += cents(row["Total Profit"])


def finished(totals: list[Any]) -> list[Any]:
    count, days, margins, (least, most, units), revenue, profit = totals
    margin = sum(map(Fraction, margins)) / count
    return [days / count, float(margin), units / count, most, least, units, revenue, profit, count]


if __name__ == "__main__":
    main(*sys.argv[1:])
