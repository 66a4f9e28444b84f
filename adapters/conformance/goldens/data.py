"""The golden requests that need files: results, exact decimals, and the errors of data, databases and stores.

The files are laid under a name of their own at a place that both sides may touch, and are gone afterwards.
"""

import contextlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from adapters.conformance.goldens.hand import written
from adapters.conformance.record import Golden
from core import storage
from core.message import Request

GROUP = "data"
HEADER = (
    "Region,Country,Item Type,Sales Channel,Order Priority,Order Date,Order ID,Ship Date,"
    "Units Sold,Unit Price,Unit Cost,Total Revenue,Total Cost,Total Profit"
)
RECORDS = (
    "Asia,日本 😀,Fruits,Online,H,1/2/2020,1,1/5/2020,10,9.33,6.92,9999999999999.99,69.20,24.10",
    'Europe,"Åland, ""Isles""",Snacks,Offline,L,2/28/2020,2,3/1/2020,3,152.58,97.44,457.74,292.32,165.42',
    "Asia,Japan,Fruits,Online,C,1/2/2020,1,1/9/2020,99,9.33,6.92,923.67,685.08,238.59",
    "Europe,e\u0301,Cereal,Online,M,3/3/2021,3,3/3/2021,1,205.70,117.11,0.10,117.11,-0.01",
)
SALES = "\n".join((HEADER, *RECORDS, ""))
BAD = SALES.replace("2/28/2020", "2/30/2020")
# What no double holds, and null and false; a column of Parquet may have 38 digits.
NUMBERS = """
    SELECT 'a' AS kind, 123456789012.345678901234567890::DECIMAL(30, 18) AS amount, 9007199254740993::BIGINT AS whole
    UNION ALL SELECT 'b', -999999999999.999999999999999999::DECIMAL(30, 18), NULL
"""
ROWS = 2000
KEPT_BYTES = 8192


@contextlib.contextmanager
def laid_out(scratch: str) -> Iterator[str]:
    """The files at a place; gives what their names start with.

    Args:
        scratch: URL or path of a folder, or of a place in a bucket.

    Raises:
        PolyfaasError: The place takes no files.
    """
    start = f"{scratch.rstrip('/')}/conformance-{os.urandom(8).hex()}"
    try:
        for name, content in _files().items():
            with storage.sink(f"{start}-{name}") as target:
                target.write(content)
        yield start
    finally:
        for each in list(storage.listed(start)):
            storage.remove(each.url)


def _files() -> dict[str, bytes]:
    return {
        "sales.csv": SALES.encode(),
        "bad.csv": BAD.encode(),
        "numbers.parquet": _parquet(),
        "broken.db": _broken(),
    }


def _parquet() -> bytes:
    import duckdb

    with tempfile.TemporaryDirectory(prefix="polyfaas-") as folder:
        path = Path(folder) / "numbers.parquet"
        with duckdb.connect() as engine:
            engine.execute(f"COPY ({NUMBERS}) TO '{path}' (FORMAT parquet)")
        return path.read_bytes()


def _broken() -> bytes:
    """The beginning of an SQLite database: its table is there, and most of the rows are not."""
    with contextlib.closing(sqlite3.connect(":memory:")) as made:
        made.execute("CREATE TABLE sales (kind TEXT)")
        made.executemany("INSERT INTO sales VALUES (?)", [("k" * 100,)] * ROWS)
        made.commit()
        return made.serialize()[:KEPT_BYTES]


def goldens(start: str) -> list[Golden]:
    """The requests, in the order in which they must be sent: some use what others made.

    Args:
        start: What the names of the files start with.
    """
    clean, database, numbers = f"{start}-clean.csv", f"{start}-sales.db", f"{start}-numbers.parquet"
    transform = {"source": f"{start}-sales.csv", "target": clean}
    load = {"source": clean, "database": database}
    bad = {"source": f"{start}-bad.csv", "target": f"{start}-x.csv"}
    amounts = {"database": numbers, "group_by": ["kind"], "aggregates": [{"function": "max", "column": "amount"}]}
    wholes = {"database": numbers, "group_by": ["whole"], "aggregates": [{"function": "count"}]}
    kinds = {"group_by": ["kind"], "aggregates": [{"function": "count"}]}
    revenue = [{"function": "sum", "column": "Total Revenue"}, {"function": "min", "column": "Total Profit"}]
    return [
        _golden("transform, no rejects", "transform", transform),
        _golden("load", "load", load, _result(rows_loaded=3, rows_skipped=0, database=database, table="sales")),
        _golden("load, the same again", "load", {**load, "mode": "append"}),
        _golden("query, every metric", "query", {"database": database, "group_by": ["Region", "Country"]}),
        _golden("query, exact sums", "query", {"database": database, "aggregates": revenue}, EXACT_SUMS),
        _golden("query, 30 digits", "query", amounts, EXACT_AMOUNTS),
        _golden("query, null and 2^53 + 1", "query", wholes, WHOLES),
        _golden("shard", "shard", {"source": f"{start}-sales.csv", "prefix": f"{start}-shard-", "count": 2}),
        _golden("404, no such file", "transform", {**transform, "source": f"{start}-none.csv"}, status=404),
        _golden("404, no such database", "query", {"database": f"{start}-none.db"}, status=404),
        _golden("404, no such table", "query", {"database": database, "table": "nope"}, status=404),
        _golden("400, no such column", "query", {"database": database, "group_by": ["größe"]}, status=400),
        _golden("422, a day that there is not", "transform", {**bad, "on_error": "fail"}, status=422),
        _golden("422, not transformed yet", "load", {**load, "source": f"{start}-sales.csv"}, status=422),
        _golden("502, a broken database", "query", {"database": f"{start}-broken.db", **kinds}, status=502),
    ]


def _golden(
    name: str, service: str, parameters: dict[str, Any], outcome: str | None = None, status: int = 200
) -> Golden:
    by_hand = {"status": str(status), "service": written(service)}
    if outcome is not None:
        by_hand["outcome"] = outcome
    request = Request(path=f"/{service}", body=written(parameters).encode())
    return Golden(name=name, group=GROUP, requests=(request,), by_hand=by_hand)


def _result(**members: Any) -> str:
    return f"result {written(members)}"


# Digits as the files have them: Python's json would round them.
EXACT_SUMS = 'result {"rows":[{"sum(Total Revenue)":10000000000457.83,"min(Total Profit)":-0.01}],"row_count":1}'
EXACT_AMOUNTS = (
    'result {"rows":[{"kind":"a","max(amount)":123456789012.345678901234567890},'
    '{"kind":"b","max(amount)":-999999999999.999999999999999999}],"row_count":2}'
)
WHOLES = 'result {"rows":[{"whole":9007199254740993,"count(*)":1},{"whole":null,"count(*)":1}],"row_count":2}'
