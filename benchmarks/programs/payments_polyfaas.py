"""The four payments queries with polyfaas, straight from the CSV, read once: `payments_polyfaas.py SOURCE`."""

import sys

from benchmarks.programs.payments_columns import say
from core.datasets import dataset
from core.library import queries


def main(source: str) -> None:
    names = [each.name for each in dataset("payments").queries]
    say([tuple(row.values()) for row in rows] for rows in queries(source, names, dataset="payments").values())


if __name__ == "__main__":
    main(*sys.argv[1:])
