"""The four payments queries with the csv module, in one pass, exact: `payments_csv.py SOURCE`, also the yardstick."""

import csv
import sys
from collections import Counter
from pathlib import Path

from benchmarks.programs.payments_columns import AMOUNT, NATURE, NO_SPECIALTY, OVER_USD, SPECIALTY, TOP, say


def main(source: str) -> None:
    over: list[Counter[str]] = [Counter() for _ in OVER_USD]
    count: Counter[str] = Counter()
    total: Counter[str] = Counter()
    with Path(source).open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        header = next(rows)
        amount, nature, specialty = map(header.index, (AMOUNT, NATURE, SPECIALTY))
        for row in rows:
            cents = round(float(row[amount]) * 100)
            count[row[specialty]] += 1
            total[row[specialty]] += cents
            for limit, found in zip(OVER_USD, over, strict=True):
                if cents > limit * 100:
                    found[row[nature]] += 1
    del total[NO_SPECIALTY]
    top = sorted(total.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    say([*(found.items() for found in over), count.items(), top])


if __name__ == "__main__":
    main(*sys.argv[1:])
