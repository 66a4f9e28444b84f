"""The nine metrics with polyfaas: `query_polyfaas.py DATABASE QUESTION`."""

import sys
from collections.abc import Sequence
from typing import Any

from benchmarks.programs.questions import QUESTIONS, timed
from core import query


def main(database: str, question: str) -> None:
    group_by, filters = QUESTIONS[question]

    def ask() -> list[Sequence[Any]]:
        return [tuple(row.values()) for row in query(database, group_by=group_by, filters=filters)]

    timed(ask)


if __name__ == "__main__":
    main(*sys.argv[1:])
