"""DuckDB files: a load is one visible step, the key stays unique, and other programs are told apart."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from core import DatabaseError, NotFoundError, RequestError, engine, query
from core.database import Table, TableColumn, connect
from core.datasets.grammar import Type
from core.services.selection import AggregateRequest, Asked
from tests.database_rigs import asked

COLUMNS = (
    TableColumn("id", Type("integer")),
    TableColumn("day", Type("date")),
    TableColumn("amount", Type("decimal", scale=2)),
)
TABLE = Table(name="kinds", columns=COLUMNS, key="id")
SUMS = Asked(aggregates=[AggregateRequest("count"), AggregateRequest("sum", "id")])


def load(
    path: Path, rows: Sequence[tuple[int, float]], *, append: bool = False, table: Table = TABLE
) -> tuple[int, int]:
    with engine.session() as db:
        batches = (
            db.sql(f"SELECT {key}::BIGINT AS id, '2010-05-28' AS day, {amount}::DOUBLE AS amount")
            for key, amount in rows
        )
        return connect(str(path)).load(table, batches, append=append)


def fetched(path: Path, sql: str) -> list[Any]:
    with duckdb.connect(str(path), read_only=True) as db:
        return db.execute(sql).fetchall()


def program(code: str, path: Path) -> "subprocess.Popen[str]":
    """Another process that has run the code on the open database and waits for its standard input to end."""
    text = (
        f"import duckdb, sys\ndb = duckdb.connect({str(path)!r})\n{code}\nprint('ready', flush=True)\nsys.stdin.read()"
    )
    started = subprocess.Popen([sys.executable, "-c", text], stdin=-1, stdout=-1, text=True)
    assert started.stdout is not None
    started.stdout.readline()
    return started


def test_columns_have_the_types_of_the_dataset(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 9.5)])
    found = fetched(tmp_path / "x.duckdb", "SELECT column_name, data_type FROM duckdb_columns() WHERE NOT internal")
    assert found == [("id", "BIGINT"), ("day", "DATE"), ("amount", "DECIMAL(15,2)")]


def test_an_amount_is_exact_at_any_size(tmp_path: Path) -> None:
    amounts = ["0.07", "9999999999999.99", "-9999999999999.98", "1.15", "1234567890123.45", "0.29"]
    load(tmp_path / "x.duckdb", [(index, float(amount)) for index, amount in enumerate(amounts)])
    found = fetched(tmp_path / "x.duckdb", "SELECT amount::VARCHAR FROM kinds ORDER BY id")
    assert [text for (text,) in found] == amounts


def test_the_first_of_records_with_one_key_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path / "x.duckdb", [(1, 1.0), (2, 2.0), (1, 3.0)]) == (2, 1)
    assert fetched(tmp_path / "x.duckdb", "SELECT amount::DOUBLE FROM kinds ORDER BY 1") == [(1.0,), (2.0,)]


def test_replace_puts_the_new_records_in_the_place_of_the_old(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0), (2, 2.0)])
    load(tmp_path / "x.duckdb", [(3, 3.0)])
    assert fetched(tmp_path / "x.duckdb", "SELECT id FROM kinds") == [(3,)]


def test_append_adds_the_records_whose_key_is_new(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    assert load(tmp_path / "x.duckdb", [(1, 9.0), (2, 2.0)], append=True) == (1, 1)
    found = fetched(tmp_path / "x.duckdb", "SELECT id, amount::DOUBLE FROM kinds ORDER BY 1")
    assert found == [(1, 1.0), (2, 2.0)]


def test_append_makes_what_is_not_there(tmp_path: Path) -> None:
    assert load(tmp_path / "x.duckdb", [(1, 1.0)], append=True) == (1, 0)


@pytest.mark.parametrize("append", [False, True])
def test_what_else_a_database_holds_stays(tmp_path: Path, append: bool) -> None:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as db:
        db.execute("CREATE TABLE mine AS SELECT 42 AS x")
        db.execute("CREATE VIEW seen AS SELECT x FROM mine")
    for _ in range(2):
        load(tmp_path / "x.duckdb", [(1, 1.0)], append=append)
    assert fetched(tmp_path / "x.duckdb", "SELECT x, id FROM seen, kinds") == [(42, 1)]


def test_append_to_a_table_with_other_columns_is_refused(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "x.duckdb")) as db:
        db.execute("CREATE TABLE kinds (id BIGINT, day DATE, amount DECIMAL(15, 3))")
    with pytest.raises(RequestError, match=r"other columns \(amount\)"):
        load(tmp_path / "x.duckdb", [(1, 1.0)], append=True)
    assert fetched(tmp_path / "x.duckdb", "SELECT * FROM kinds") == []


def test_append_to_a_table_that_holds_a_key_twice_is_refused(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    with duckdb.connect(str(tmp_path / "x.duckdb")) as db:
        db.execute("INSERT INTO kinds SELECT * FROM kinds")
    with pytest.raises(RequestError, match='holds a "id" twice'):
        load(tmp_path / "x.duckdb", [(2, 1.0)], append=True)


def test_a_load_leaves_no_other_file(tmp_path: Path) -> None:
    for append in (False, False, True):
        load(tmp_path / "x.duckdb", [(1, 1.0)], append=append)
    assert [path.name for path in tmp_path.iterdir()] == ["x.duckdb"]


def test_a_file_that_is_no_database_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "x.duckdb").write_text("my only copy of a letter")
    with pytest.raises(RequestError, match="is no DuckDB database"):
        load(tmp_path / "x.duckdb", [(1, 1.0)])
    assert (tmp_path / "x.duckdb").read_text() == "my only copy of a letter"


def test_a_missing_database_is_not_found_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="load it first"):
        connect(str(tmp_path / "x.duckdb")).columns("kinds")
    assert not list(tmp_path.iterdir())


def test_a_missing_table_is_not_found(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    with pytest.raises(NotFoundError, match="has no table 'other'"):
        connect(str(tmp_path / "x.duckdb")).columns("other")


def test_a_database_that_another_program_writes_is_named_and_left_alone(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    with program("", tmp_path / "x.duckdb") as other:
        with pytest.raises(DatabaseError, match=r"another program has .* open"):
            load(tmp_path / "x.duckdb", [(2, 1.0)])
        with pytest.raises(DatabaseError, match=r"another program has .* open"):
            asked([connect(str(tmp_path / "x.duckdb"))], SUMS)
        other.communicate("")
    assert asked([connect(str(tmp_path / "x.duckdb"))], SUMS) == [[(1, 1)]]


def test_what_a_killed_writer_left_is_read_and_not_overwritten(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    with program("db.execute('UPDATE kinds SET id = 5')", tmp_path / "x.duckdb") as other:
        os.kill(other.pid, signal.SIGKILL)
        other.communicate()
    assert asked([connect(str(tmp_path / "x.duckdb"))], SUMS) == [[(1, 5)]]
    with pytest.raises(DatabaseError, match="was not closed by its last writer"):
        load(tmp_path / "x.duckdb", [(2, 1.0)])


def test_a_query_that_runs_while_a_load_replaces_the_file_answers_from_one_of_the_two(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    groups = connect(str(tmp_path / "x.duckdb"))
    seen, stop = [], threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.extend(asked([groups], SUMS)[0])

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(20):
        load(tmp_path / "x.duckdb", [(1, 1.0), (2, 1.0)] if number % 2 else [(1, 1.0)])
    stop.set()
    reader.join()
    assert set(seen) <= {(1, 1), (2, 3)}


def test_loads_at_once_into_one_database_lose_nothing(tmp_path: Path) -> None:
    threads = [
        threading.Thread(target=load, args=(tmp_path / "x.duckdb", [(number, 1.0)]), kwargs={"append": True})
        for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked([connect(str(tmp_path / "x.duckdb"))], SUMS) == [[(8, 28)]]


def test_a_url_names_the_file_that_its_path_names(tmp_path: Path) -> None:
    load(tmp_path / "x.duckdb", [(1, 1.0)])
    assert asked([connect(f"duckdb:///{tmp_path}/x.duckdb")], SUMS) == [[(1, 1)]]


def test_a_view_is_no_table_since_it_could_read_any_file_of_the_machine(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden")
    with duckdb.connect(str(tmp_path / "s.duckdb")) as db:
        db.execute(f"CREATE VIEW sales AS SELECT content AS \"Region\" FROM read_text('{tmp_path}/secret')")
    with pytest.raises(NotFoundError, match="has no table 'sales'"):
        query(tmp_path / "s.duckdb", group_by=["Region"], aggregates=[{"function": "count"}])
