"""One database for several tables, several names and several loads at once."""

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core import RequestError, load, query
from tests.conftest import row

Clean = Callable[..., Path]


def fetched(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def test_a_table_named_like_another_tables_index_stays(clean: Clean, tmp_path: Path) -> None:
    for name in ("sales_key", "sales", "sales_key_key"):
        load(clean(row()), tmp_path / "s.db", name)
    assert query(tmp_path / "s.db", table="sales_key")[0]["Number of Orders"] == 1


def test_append_makes_the_key_of_a_table_unique(clean: Clean, tmp_path: Path) -> None:
    source = clean(row(Order_ID="1"), row(Order_ID="2"))
    load(source, tmp_path / "s.db")
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        ((index,),) = db.execute("SELECT name FROM sqlite_schema WHERE type = 'index'").fetchall()
        db.execute(f'DROP INDEX "{index}"')
        db.execute('DELETE FROM sales WHERE "Order ID" = 2')
        db.commit()
    result = load(source, tmp_path / "s.db", mode="append")
    assert (result.rows_loaded, result.rows_skipped) == (1, 1)


def test_append_to_a_table_that_holds_a_key_twice_is_refused(clean: Clean, tmp_path: Path) -> None:
    source = clean(row())
    load(source, tmp_path / "s.db")
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        ((index,),) = db.execute("SELECT name FROM sqlite_schema WHERE type = 'index'").fetchall()
        db.execute(f'DROP INDEX "{index}"')
        db.execute("INSERT INTO sales SELECT * FROM sales")
        db.commit()
    with pytest.raises(RequestError, match='holds a "Order ID" twice'):
        load(source, tmp_path / "s.db", mode="append")
    assert fetched(tmp_path / "s.db", "SELECT count(*) FROM sales") == [(2,)]


@pytest.mark.parametrize("first", ["append", "replace"])
def test_loads_at_once_into_one_database_lose_nothing(clean: Clean, tmp_path: Path, first: Any) -> None:
    sources = [clean(row(Order_ID=str(index)), name=f"{index}.csv") for index in range(4)]
    for repetition in range(8):
        database = tmp_path / f"{repetition}.db"
        if first == "replace":  # each thread finds a database whose file a replace may swap under its lock
            load(sources[0], database)
        threads = [
            threading.Thread(target=load, args=(source, database), kwargs={"mode": mode})
            for source, mode in zip(sources, [first, "append", "append", "append"], strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert fetched(database, "PRAGMA integrity_check") == [("ok",)]
        loaded = {key for (key,) in fetched(database, 'SELECT "Order ID" FROM sales')}
        assert 0 in loaded
        assert first == "replace" or loaded == {0, 1, 2, 3}
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("name", [":memory:", "~"])
def test_every_name_of_a_database_is_a_files(
    clean: Clean, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    load(clean(row(Order_ID="1")), name)
    load(clean(row(Order_ID="2")), name, mode="append")
    assert query(name)[0]["Number of Orders"] == 2


def test_a_forked_child_transforms_with_an_engine_of_its_own(sales: Clean, tmp_path: Path) -> None:
    program = f"""
import os, sys
from core import transform
transform({str(sales([row()]))!r}, "out.parquet")
if os.fork() == 0:
    print(transform({str(sales([row()]))!r}, "again.parquet").rows_out, flush=True)
    os._exit(0)
os.wait()
"""
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, timeout=60, check=True
    )
    assert finished.stdout == "1\n"
