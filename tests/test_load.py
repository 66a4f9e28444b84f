import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import DatabaseError, DataError, NotFoundError, RequestError, load, query
from tests import reference
from tests.conftest import row

Sales = Callable[..., Path]


def fetched(path: Path, sql: str) -> list[Any]:
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


def test_columns_keep_their_names_and_get_types(clean: Sales, tmp_path: Path) -> None:
    load(clean(row()), tmp_path / "s.db")
    found = fetched(tmp_path / "s.db", "SELECT name, type FROM pragma_table_info('sales')")
    assert [name for name, _ in found] == [*reference.HEADER, "Order Processing Time", "Gross Margin"]
    assert dict(found)["Units Sold"] == "INTEGER"
    assert dict(found)["Total Revenue"] == "DECIMAL(15, 2)"


def test_values_are_held_as_what_they_are(clean: Sales, tmp_path: Path) -> None:
    load(clean(row(Country="Cote d'Ivoire ")), tmp_path / "s.db")
    columns = '"Country", "Order Date", "Order ID", "Units Sold", "Unit Price", "Order Processing Time", "Gross Margin"'
    expected = ("Cote d'Ivoire ", "2010-04-10", 161442649, 3322, 205.7, 32, 294295.98 / 683335.40)
    assert fetched(tmp_path / "s.db", f"SELECT {columns} FROM sales") == [expected]


def test_the_key_is_unique(clean: Sales, tmp_path: Path) -> None:
    load(clean(row()), tmp_path / "s.db")
    with closing(sqlite3.connect(tmp_path / "s.db")) as db, pytest.raises(sqlite3.IntegrityError):
        db.execute("INSERT INTO sales SELECT * FROM sales")


def test_repeating_a_load_gives_the_same_table(clean: Sales, tmp_path: Path) -> None:
    source = clean(row(Order_ID="1"), row(Order_ID="2"))
    first = load(source, tmp_path / "s.db")
    assert load(source, tmp_path / "s.db") == first
    assert fetched(tmp_path / "s.db", "SELECT count(*) FROM sales") == [(2,)]


def test_replace_puts_the_new_records_in_the_place_of_the_old(clean: Sales, tmp_path: Path) -> None:
    load(clean(row(Order_ID="1"), row(Order_ID="2")), tmp_path / "s.db")
    load(clean(row(Order_ID="3")), tmp_path / "s.db")
    assert fetched(tmp_path / "s.db", 'SELECT "Order ID" FROM sales') == [(3,)]


def test_append_adds_the_records_whose_key_is_new(clean: Sales, tmp_path: Path) -> None:
    load(clean(row(Order_ID="1", Units_Sold="1")), tmp_path / "s.db")
    source = clean(row(Order_ID="1", Units_Sold="9"), row(Order_ID="2", Units_Sold="2"))
    result = load(source, tmp_path / "s.db", mode="append")
    assert (result.rows_loaded, result.rows_skipped) == (1, 1)
    assert fetched(tmp_path / "s.db", 'SELECT "Order ID", "Units Sold" FROM sales ORDER BY 1') == [(1, 1), (2, 2)]


def test_repeating_an_append_changes_nothing(clean: Sales, tmp_path: Path) -> None:
    source = clean(row(Order_ID="1"), row(Order_ID="2"))
    counts = [load(source, tmp_path / "s.db", mode="append") for _ in range(2)]
    assert [(each.rows_loaded, each.rows_skipped) for each in counts] == [(2, 0), (0, 2)]


def test_the_first_of_records_with_one_key_is_loaded(clean: Sales, tmp_path: Path) -> None:
    source = clean(row(Order_ID="1", Units_Sold="1"))
    lines = source.read_text().splitlines()
    source.write_text("\n".join([*lines, lines[1].replace(",1,205.70", ",7,205.70"), ""]))
    result = load(source, tmp_path / "s.db")
    assert (result.rows_loaded, result.rows_skipped) == (1, 1)
    assert fetched(tmp_path / "s.db", 'SELECT "Units Sold" FROM sales') == [(1,)]


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_what_else_a_database_holds_stays(clean: Sales, tmp_path: Path, mode: Any) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        db.execute("CREATE TABLE mine (x)")
        db.execute("INSERT INTO mine VALUES (42)")
        db.commit()
    for _ in range(2):
        load(clean(row()), tmp_path / "s.db", mode=mode)
    assert fetched(tmp_path / "s.db", "SELECT x FROM mine") == [(42,)]
    assert fetched(tmp_path / "s.db", "SELECT count(*) FROM sales") == [(1,)]


def test_two_tables_live_in_one_database(clean: Sales, tmp_path: Path) -> None:
    load(clean(row(Units_Sold="1")), tmp_path / "s.db", "one")
    load(clean(row(Units_Sold="2")), tmp_path / "s.db", "two")
    found = [query(tmp_path / "s.db", table=name)[0]["Total Units Sold"] for name in ("one", "two")]
    assert found == [1, 2]


def test_a_database_in_wal_mode_is_loaded_too(clean: Sales, tmp_path: Path) -> None:
    load(clean(row(Order_ID="1")), tmp_path / "s.db")
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute('UPDATE sales SET "Units Sold" = 5')
        db.commit()
    load(clean(row(Order_ID="2"), row(Order_ID="3")), tmp_path / "s.db")
    assert fetched(tmp_path / "s.db", 'SELECT "Order ID" FROM sales ORDER BY 1') == [(2,), (3,)]


def test_append_to_a_table_with_other_columns_is_refused(clean: Sales, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "s.db")) as db:
        db.execute("CREATE TABLE sales (x)")
    with pytest.raises(RequestError, match="other columns"):
        load(clean(row()), tmp_path / "s.db", mode="append")
    assert fetched(tmp_path / "s.db", "SELECT * FROM sales") == []


def test_a_file_that_was_not_transformed_is_refused(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r'lacks "Order Processing Time", "Gross Margin": run transform'):
        load(sales([row()]), tmp_path / "s.db")
    assert not (tmp_path / "s.db").exists()


def test_a_bad_row_is_named_and_the_old_table_stays(clean: Sales, tmp_path: Path) -> None:
    load(clean(row(Units_Sold="1")), tmp_path / "s.db")
    source = clean(*(row(Order_ID=str(index)) for index in range(5000)))
    source.write_text(source.read_text().replace("4321,5/12/2010,3322", "4321,5/12/2010,lots"))
    with pytest.raises(DataError, match=r'line 4323, column "Units Sold": \'lots\' is not a whole number'):
        load(source, tmp_path / "s.db")
    assert fetched(tmp_path / "s.db", 'SELECT "Units Sold" FROM sales') == [(1,)]
    assert not list(tmp_path.glob(".*"))


def test_a_file_that_is_no_database_is_not_overwritten(clean: Sales, tmp_path: Path) -> None:
    (tmp_path / "s.db").write_text("my only copy of a letter, and long enough to be read as a header " * 20)
    before = (tmp_path / "s.db").read_bytes()
    with pytest.raises(RequestError, match="is no SQLite database"):
        load(clean(row()), tmp_path / "s.db")
    assert (tmp_path / "s.db").read_bytes() == before


@pytest.mark.parametrize(
    "table", ["", "a b", 'x"; DROP TABLE sales; --', "1st", "é", "t" * 64, "sqlite_x", "SQLite_stat1"]
)
def test_a_table_name_is_letters_digits_and_underscores(clean: Sales, tmp_path: Path, table: str) -> None:
    source = clean(row())
    with pytest.raises(RequestError):
        load(source, tmp_path / "s.db", table or " ")


@pytest.mark.parametrize("url", ["postgres://x/y", "sqlite://", "sqlite:///", "sqlite://relative.db", ""])
def test_a_url_of_no_known_database_is_refused(clean: Sales, url: str) -> None:
    with pytest.raises(RequestError, match=r"write sqlite:///relative\.db"):
        load(clean(row()), url)


def test_a_missing_folder_is_not_found(clean: Sales, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="folder does not exist"):
        load(clean(row()), tmp_path / "none" / "s.db")


def test_an_absolute_and_a_relative_url_name_the_same_file(
    clean: Sales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    load(clean(row(Units_Sold="8")), f"sqlite:///{tmp_path}/s.db")
    assert query("sqlite:///s.db")[0]["Total Units Sold"] == 8


def test_readers_see_the_old_table_or_the_new_one(clean: Sales, tmp_path: Path) -> None:
    old, new = clean(row(Order_ID="1"), name="a.csv"), clean(row(Order_ID="1"), row(Order_ID="2"), name="b.csv")
    load(old, tmp_path / "s.db")
    seen: set[int] = set()
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.add(query(tmp_path / "s.db")[0]["Number of Orders"])

    reader = threading.Thread(target=read)
    reader.start()
    for source in (new, old) * 5:
        load(source, tmp_path / "s.db")
    stop.set()
    reader.join()
    assert seen <= {1, 2}


def test_a_busy_database_is_left_alone(clean: Sales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.database import sqlite

    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    load(clean(row(Units_Sold="1")), tmp_path / "s.db")
    with closing(sqlite3.connect(tmp_path / "s.db", isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseError, match="locked"):
            load(clean(row(Units_Sold="2")), tmp_path / "s.db")
    assert query(tmp_path / "s.db")[0]["Total Units Sold"] == 1


@pytest.mark.parametrize("other_table", [False, True])
def test_a_load_that_is_killed_leaves_the_old_table(clean: Sales, tmp_path: Path, other_table: bool) -> None:
    database = tmp_path / "s.db"
    load(clean(row(Units_Sold="1")), database)
    if other_table:
        with closing(sqlite3.connect(database)) as db:
            db.execute("CREATE TABLE mine (x)")
    source = clean(*(row(Order_ID=str(index)) for index in range(40_000)))
    program = f"from core import load\nprint('ready', flush=True)\nload({str(source)!r}, {str(database)!r})"
    for delay_s in (0.2, 0.35, 0.5, 0.65):
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as loader:
            assert loader.stdout is not None
            loader.stdout.readline()
            time.sleep(delay_s)  # how far the loader gets is the machine's choice: any point must do
            os.kill(loader.pid, signal.SIGKILL)
        assert query(database)[0]["Total Units Sold"] in (1, 40_000 * 3322)
    assert load(source, database).rows_loaded == 40_000
    assert fetched(database, "PRAGMA integrity_check") == [("ok",)]


def killed_in_an_update(database: Path) -> None:
    """Leave a hot journal, as a process does that is killed after its cache has spilled into the file."""
    program = (
        "import os, sqlite3\n"
        f"db = sqlite3.connect({str(database)!r}, isolation_level=None)\n"
        "db.execute('PRAGMA cache_size = 1')\ndb.execute('BEGIN')\n"
        "db.execute('UPDATE sales SET \"Units Sold\" = 0')\n"
        "os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=False)
    assert database.with_name(f"{database.name}-journal").exists()


def test_what_a_killed_writer_left_is_rolled_back_before_the_file_is_replaced(clean: Sales, tmp_path: Path) -> None:
    database = tmp_path / "s.db"
    load(clean(*(row(Order_ID=str(index)) for index in range(3000))), database)
    killed_in_an_update(database)
    load(clean(row(Units_Sold="5")), database)
    assert fetched(database, "PRAGMA integrity_check") == [("ok",)]
    assert query(database)[0]["Total Units Sold"] == 5


def test_a_reader_rolls_back_what_a_killed_writer_left(clean: Sales, tmp_path: Path) -> None:
    database = tmp_path / "s.db"
    load(clean(*(row(Order_ID=str(index), Units_Sold="1") for index in range(3000))), database)
    killed_in_an_update(database)
    assert query(database)[0]["Total Units Sold"] == 3000


def test_money_is_exact_at_any_size(clean: Sales, tmp_path: Path) -> None:
    amounts = ["9999999999999.99", "0.01", "-9999999999999.98", "0.1", "0.2", "123456789012.34"]
    load(clean(*(row(Order_ID=str(i), Total_Revenue=a) for i, a in enumerate(amounts))), tmp_path / "s.db")
    assert query(tmp_path / "s.db")[0]["Total Revenue"] == sum(map(Decimal, amounts))
