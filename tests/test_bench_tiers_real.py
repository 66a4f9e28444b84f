"""Databases compared for real, by the command: files, and servers of the test run. No database is a stand-in here."""

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters.lab.ports import free_port
from bench.tiers.records import read
from core.database import connect
from tests import database_servers, server_sessions

COMMAND = (sys.executable, "-c", "import polyfaas; polyfaas.main()", "bench")
NAMES = ["sqlite", "duckdb", "postgresql", "mysql"]
ROWS = 2000


def benched(folder: Path, urls: Sequence[str], *arguments: str) -> "subprocess.CompletedProcess[str]":
    databases = [word for url in urls for word in ("--database", url)]
    command = (*COMMAND, *databases, "--seconds", "0.5", "--clients", "1,2", *arguments)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with blanks")


@pytest.fixture(scope="module")
def urls() -> list[str]:
    """Two files in the working directory, and two servers."""
    servers = [database_servers.postgresql_url(), database_servers.mysql_url()]
    return ["sqlite:///x.db", "x.duckdb", *servers]


@pytest.fixture(scope="module")
def document(folder: Path, urls: list[str]) -> Any:
    """What `polyfaas bench --database ... --json` prints for 2,000 rows, one round; the SQLite file has a table."""
    with closing(sqlite3.connect(folder / "x.db")) as db, db:
        db.execute("CREATE TABLE sales (mine)")
        db.execute("INSERT INTO sales VALUES (1)")
    finished = benched(folder, urls, "--rows", str(ROWS), "--repetitions", "1", "--json")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return json.loads(finished.stdout, parse_float=Decimal)


def test_all_databases_agree_with_the_file(document: Any) -> None:
    assert (document["agreement"], document["unavailable"], document["disagreements"]) == (True, {}, [])
    assert document["verdict"] == "4 of 4 databases answer as the file does, byte for byte"
    assert document["totals"]["Number of Orders"] == ROWS


def test_every_database_has_its_numbers(document: Any) -> None:
    assert [row["tier"] for row in document["loads"]] == NAMES
    for row in document["loads"]:
        assert row["rows_per_s"]["median"] > 0
        assert row["bytes_per_row"] > 20
        assert row["peak_mib"] > 20
        assert row["cpu_s"] > 0
    assert [(row["clients"], row["tier"]) for row in document["steps"]] == [(n, name) for n in (1, 2) for name in NAMES]
    for row in document["steps"]:
        assert row["n"] >= 20
        assert row["per_s"]["median"] > 0
        assert row["p95_ms"] >= row["median_ms"] > 0
        assert 0 < row["client_share"] < 1.2
        assert row["errors"] == 0


def test_the_results_are_raw_and_can_be_read(document: Any, folder: Path) -> None:
    found = read(folder / "results" / document["run"])
    assert (len(found.loads), len(found.steps), found.complete) == (4, 8, True)
    for step in found.steps:
        mine = [each for each in found.clients if (each.tier, each.clients) == (step.tier, step.clients)]
        assert [each.client for each in mine] == list(range(1, step.clients + 1))
        answered = sum(len(each.samples) for each in mine)
        last = max(sample.start_ms + sample.elapsed_ms for each in mine for sample in each.samples)
        assert answered >= 20
        assert step.span_ms > last - 0.001 > 0
    assert {first.tier for first in found.firsts} == set(NAMES)


def test_a_report_is_left_and_can_be_made_again(document: Any, folder: Path) -> None:
    path = folder / document["report"]
    first = path.read_text()
    command = (*COMMAND[:-1], "report", document["run"], "--json")
    again = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(again.stdout, parse_float=Decimal) == document
    assert (path.read_text(), first.count("<svg")) == (first, 4)
    assert {each.name for each in path.parent.iterdir()} == {"results.jsonl", "report.html"}


def test_no_table_is_left_and_no_other_is_touched(document: Any, folder: Path, urls: list[str]) -> None:
    table = read(folder / "results" / document["run"]).header.table
    assert re.fullmatch(r"polyfaas_bench_\w+", table)
    with closing(sqlite3.connect(folder / "x.db")) as db:
        assert db.execute("SELECT name FROM sqlite_schema").fetchall() == [("sales",)]
        assert db.execute("SELECT mine FROM sales").fetchall() == [(1,)]
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = "
    assert server_sessions.run(urls[2], f"{tables} current_schema()") == []
    assert server_sessions.run(urls[3], f"{tables} DATABASE()") == []
    assert connect(str(folder / "x.duckdb")).drop(table) is False


def test_a_database_that_nobody_serves_is_named_and_the_others_measured(tmp_path: Path) -> None:
    closed = f"postgresql://me@127.0.0.1:{free_port()}/shop"
    finished = benched(tmp_path, ["sqlite:///x.db", closed], "--rows", "500", "--repetitions", "1", "--json")
    document = json.loads(finished.stdout)
    assert (finished.returncode, list(document["unavailable"])) == (1, ["postgresql"])
    assert "PostgreSQL failed on" in document["unavailable"]["postgresql"]
    assert {row["tier"] for row in document["steps"]} == {row["tier"] for row in document["loads"]} == {"sqlite"}
    assert "not: postgresql" in document["verdict"]


def test_a_url_with_a_password_is_refused_and_the_password_told_nowhere(tmp_path: Path) -> None:
    wrong = "postgresql://me:geheim@127.0.0.1/shop"
    finished = benched(tmp_path, ["sqlite:///x.db", wrong], "--rows", "500", "--repetitions", "1", "--json")
    told = finished.stdout + finished.stderr + "".join(path.read_text() for path in tmp_path.rglob("results/*/*"))
    assert (finished.returncode, "it may not hold a password" in told, "geheim" in told) == (1, True, False)


@pytest.mark.parametrize("phase", ["load", "client"])
def test_ctrl_c_drops_the_tables_and_still_reports(phase: str, tmp_path: Path) -> None:
    url = database_servers.postgresql_url()
    repetitions, waited = ("500", b'"kind":"load"') if phase == "load" else ("1", b'"kind":"first"')
    databases = ["--database", "sqlite:///x.db", "--database", url]
    arguments = ["--rows", "500", "--repetitions", repetitions, "--clients", "1,2", "--seconds", "60"]
    with subprocess.Popen(
        [*COMMAND, *databases, *arguments], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as bench:
        while not any(waited in path.read_bytes() for path in tmp_path.glob("results/*/results.jsonl")):
            assert bench.poll() is None
        bench.send_signal(signal.SIGINT)
        try:
            bench.communicate(timeout=60)
        finally:
            bench.kill()
    assert bench.returncode == 130
    (run,) = (tmp_path / "results").iterdir()
    found = read(run)
    assert (found.complete, found.kept, bool(found.loads), (run / "report.html").exists()) == (False, {}, True, True)
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()"
    assert server_sessions.run(url, tables) == []
    assert connect(str(tmp_path / "x.db")).drop(found.header.table) is False
    assert processes_in(tmp_path) == []


def processes_in(folder: Path) -> list[str]:
    """The processes whose working directory lies in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink().is_relative_to(folder):
                found.append(path.name)
        except OSError:
            continue
    return found
