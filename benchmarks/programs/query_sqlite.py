"""The nine metrics with hand-written SQL through sqlite3, the file open already: `query_sqlite.py FILE QUESTION`."""

import sqlite3
import sys
from contextlib import closing

from benchmarks.programs.questions import parameters, sql, timed


def main(file: str, question: str) -> None:
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA mmap_size = 1073741824")
        db.execute("PRAGMA cache_size = -32000")
        timed(lambda: db.execute(sql(question), parameters(question)).fetchall())


if __name__ == "__main__":
    main(*sys.argv[1:])
