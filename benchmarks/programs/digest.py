"""What a contender made of the sales records, in a few numbers: `digest.py KIND FILE`, printed as JSON.

KIND is `truth` (computed from the source by the slow, obvious way), `csv`, `parquet`, `sqlite`, `duckdb` or
`postgres` (FILE is then the socket's folder, and the path of psql may follow).
"""

import csv
import json
import math
import sqlite3
import subprocess
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

COLUMNS = ("Order ID", "Order Priority", "Units Sold", "Total Revenue", "Order Processing Time", "Gross Margin")
SELECTED = ", ".join(f'"{column}"' for column in COLUMNS)
WORDS = {"L": "Low", "M": "Medium", "H": "High", "C": "Critical"}


def main(kind: str, file: str, psql: str = "psql") -> None:
    readers = {"truth": truth, "csv": from_csv, "parquet": parquet, "sqlite": sqlite, "duckdb": duckdb}
    json.dump(postgres(file, psql) if kind == "postgres" else readers[kind](file), sys.stdout)


def digest(rows: Iterable[Sequence[Any]]) -> dict[str, Any]:
    """Row by row: the key, the priority, units sold, revenue, days, margin."""
    count = days = revenue = chosen = 0
    order = 0
    priorities: Counter[str] = Counter()
    margins: list[float] = []
    for key, priority, units, amount, processing, margin in rows:
        count += 1
        days += int(float(processing))
        cents = round(float(amount) * 100)
        revenue += cents
        record = f"{int(key)} {int(units)} {cents}".encode()
        chosen = (chosen + zlib.crc32(record)) % (1 << 63)
        order = zlib.crc32(record, order)
        priorities[priority] += 1
        margins.append(float(margin) if margin not in (None, "") else 0.0)
    return {
        "rows": count,
        "days": days,
        "revenue in cents": revenue,
        "which duplicate stays": chosen,
        "order of the rows": order,
        "priorities": dict(priorities),
        "margins": math.fsum(margins),
    }


def truth(source: str) -> dict[str, Any]:
    with Path(source).open(newline="", encoding="utf-8") as file:
        found = digest(obvious(csv.DictReader(file)))
    return {**found, "a unique key": True, "numbers as numbers": True}


def obvious(rows: Iterable[dict[str, str]]) -> Iterator[Sequence[Any]]:
    seen = set()
    for row in rows:
        if int(row["Order ID"]) in seen:
            continue
        seen.add(int(row["Order ID"]))
        days = (day(row["Ship Date"]) - day(row["Order Date"])).days
        revenue, profit = row["Total Revenue"], row["Total Profit"]
        margin = float(profit) / float(revenue) if float(revenue) else None
        yield row["Order ID"], WORDS[row["Order Priority"]], row["Units Sold"], revenue, days, margin


def day(text: str) -> date:
    month, number, year = map(int, text.split("/"))
    return date(year, month, number)


def from_csv(source: str) -> dict[str, Any]:
    with Path(source).open(newline="", encoding="utf-8") as file:
        return digest(picked(file))


def picked(file: Iterable[str]) -> Iterator[Sequence[str]]:
    rows = csv.reader(file)
    header = next(rows)
    places = [header.index(column) for column in COLUMNS]
    for row in rows:
        yield [row[place] for place in places]


def parquet(source: str) -> dict[str, Any]:
    import duckdb as engine

    return digest(batches(engine.execute(f"SELECT {SELECTED} FROM read_parquet('{source}')")))


def batches(rows: Any) -> Iterator[Sequence[Any]]:
    while batch := rows.fetchmany(10_000):
        yield from batch


def duckdb(file: str) -> dict[str, Any]:
    import duckdb as engine

    with engine.connect(file, read_only=True) as db:
        found = digest(batches(db.execute(f"SELECT {SELECTED} FROM sales")))
        (kind,) = db.execute('SELECT DISTINCT typeof("Units Sold") FROM sales').fetchone() or ("",)
    return {**found, "numbers as numbers": kind not in ("", "VARCHAR")}


def sqlite(file: str) -> dict[str, Any]:
    with closing(sqlite3.connect(file)) as db:
        found = digest(db.execute(f"SELECT {SELECTED} FROM sales ORDER BY rowid"))
        kinds = db.execute('SELECT DISTINCT typeof("Units Sold") FROM sales').fetchall()
        unique = db.execute("SELECT count(*) FROM pragma_index_list('sales') WHERE \"unique\"").fetchone()
    return {**found, "a unique key": unique[0] > 0, "numbers as numbers": kinds == [("integer",)]}


def postgres(socket: str, psql: str) -> dict[str, Any]:
    copy = f"COPY (SELECT {SELECTED} FROM sales) TO STDOUT (FORMAT csv, HEADER)"
    command = (psql, "-h", socket, "-U", "postgres", "-d", "postgres", "-qc", copy)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = digest(picked(process.stdout))
    del found["order of the rows"]  # a table of a server promises none
    return found


if __name__ == "__main__":
    main(*sys.argv[1:])
