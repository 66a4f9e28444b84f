"""What is special about databases behind a network: connections, secrets, encryption, and what a server survives."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from adapters.lab.ports import free_port
from core import DatabaseError, DataError, engine
from core.database import connect, server
from core.services.selection import AggregateRequest, Asked
from tests import database_servers
from tests.database_rigs import TABLE, TYPES, asked, reference, selected, written
from tests.server_sessions import run
from tests.servers import UNPRIVILEGED, folder_of
from tests.test_database_contract import RECORDS, record
from tests.test_database_loading import COUNT, HALFWAY, asked_of, ids, load


@pytest.fixture
def always_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each call asks whether the connection still is one."""
    monkeypatch.setattr(server, "RESTED_S", 0.0)


def end_sessions(server_url: str) -> None:
    """End every session but the one that does it, as a server does that restarts or a proxy that gives up."""
    if server_url.startswith("postgresql"):
        run(server_url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'polyfaas'")
        return
    at = server.server(server_url, ())
    sessions = f"SELECT id FROM information_schema.processlist WHERE db = '{at.name}' AND id <> CONNECTION_ID()"
    for (number,) in run(server_url, sessions):
        run(server_url, f"KILL {number}")


@pytest.mark.usefixtures("always_asked")
def test_a_connection_that_was_dropped_while_it_rested_is_made_again(server_url: str, tmp_path: Path) -> None:
    load(server_url, [record(1)], tmp_path)
    end_sessions(server_url)
    assert ids(server_url) == [1]


@pytest.mark.parametrize("append", [False, True])
def test_a_connection_dropped_in_mid_load_leaves_the_table_as_it_was(
    server_url: str, tmp_path: Path, append: bool
) -> None:
    load(server_url, [record(1)], tmp_path)
    sources = [written([record(n + 10 * part) for n in range(9)], tmp_path, f"{part}.csv") for part in (1, 2, 3)]

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(sources[0]))
        end_sessions(server_url)
        yield from (db.sql(selected(source)) for source in sources[1:])

    with engine.session() as db, pytest.raises(DatabaseError):
        connect(server_url).load(TABLE, batches(db), append=append)
    assert ids(server_url) == [1]
    assert load(server_url, [record(2)], tmp_path, append=True) == (1, 0)


def test_an_instance_has_one_connection(server_url: str, tmp_path: Path) -> None:
    load(server_url, [record(1)], tmp_path)
    for _ in range(3):
        ids(server_url)
    at = server.server(server_url, ("schema",))
    if server_url.startswith("postgresql"):
        run(server_url, "SELECT 1")
        counted = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'polyfaas' AND state = 'idle'"
        before = run(server_url, counted)[0][0]
        connect(server_url).close()
        assert before - run(server_url, counted)[0][0] == 1
    else:
        counted = f"SELECT count(*) FROM information_schema.processlist WHERE db = '{at.name}'"
        assert run(server_url, counted) == [(2,)]  # the other one is asking


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
def test_where_nobody_listens_the_error_says_so_soon(scheme: str) -> None:
    with pytest.raises(DatabaseError, match=r"refused|lost"):
        connect(f"{scheme}://user@127.0.0.1:{free_port()}/name").columns("kinds")


@pytest.mark.parametrize("kind", list(database_servers.PRIVATE))
def test_a_server_killed_in_mid_load_has_the_old_table_when_it_is_back(kind: str, tmp_path: Path) -> None:
    private, port = database_servers.PRIVATE[kind], free_port()
    with folder_of(UNPRIVILEGED) as folder:
        private.make(folder)
        with private.running(folder, port) as url:
            load(url, [record(1)], tmp_path)
            source = written([record(n) for n in range(2, 20_000)], tmp_path, "many.csv")

            def batches(db: Any) -> Iterator[Any]:
                yield db.sql(selected(source))
                os.kill(int((folder / private.process).read_text().split()[0]), signal.SIGKILL)
                yield from (db.sql(selected(source)) for _ in range(20))

            with engine.session() as db, pytest.raises(DatabaseError):
                connect(url).load(TABLE, batches(db), append=False)
        with private.running(folder, port) as url:
            assert ids(url) == [1]
            assert load(url, [record(2)], tmp_path) == (1, 0)
            assert ids(url) == [2]
            connect(url).close()


# A full disk, as the server sees it: no file may grow beyond this.
LARGEST_FILE_BYTES = 18 << 20
SMALL = {"postgresql": (), "mysql": ("--innodb-log-file-size=4M", "--innodb-data-file-path=ibdata1:10M:autoextend")}


@pytest.mark.parametrize("kind", list(database_servers.PRIVATE))
def test_a_server_whose_disk_is_full_keeps_the_old_table(kind: str, tmp_path: Path) -> None:
    private = database_servers.PRIVATE[kind]
    with folder_of(UNPRIVILEGED) as folder:
        private.make(folder)
        # A signal that is ignored leaves the error, as a disk would give it.
        by = ["sh", "-c", f"trap '' XFSZ; exec prlimit --fsize={LARGEST_FILE_BYTES} -- \"$@\"", "sh"]
        with private.running(folder, free_port(), SMALL[kind], by) as url:
            load(url, [record(1)], tmp_path)
            texts = [record(n, **{"Text, of a kind": f"{n:0250}"}) for n in range(20_000)]
            source = written(texts, tmp_path, "many.csv")
            with engine.session() as db, pytest.raises(DatabaseError):
                connect(url).load(TABLE, (db.sql(selected(source)) for _ in range(6)), append=False)
            assert ids(url) == [1]
            connect(url).close()


def test_what_a_killed_load_left_behind_is_dropped_by_the_next(tmp_path: Path) -> None:
    url = database_servers.mysql_url()
    left = "polyfaas_" + "0" * 32
    run(url, f"CREATE TABLE {left} (x INT)", f"CREATE TABLE {left}_old (x INT)", "CREATE TABLE polyfaas_mine (x INT)")
    load(url, [record(1)], tmp_path)
    assert sorted(name for (name,) in run(url, "SHOW TABLES")) == ["kinds", "polyfaas_mine"]


def test_a_load_leaves_the_rows_of_another_that_runs(tmp_path: Path) -> None:
    url = database_servers.mysql_url()

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(written([record(1)], tmp_path)))
        other = ThreadPoolExecutor(1).submit(elsewhere, url, tmp_path)
        other.result(60)
        yield db.sql(selected(written([record(2)], tmp_path)))

    with engine.session() as db:
        assert connect(url).load(TABLE, batches(db), append=False) == (2, 0)
    assert ids(url) == [1, 2]


def elsewhere(server_url: str, folder: Path) -> None:
    """A load by another process."""
    source = written([record(9)], folder, "elsewhere.csv")
    script = HALFWAY.replace("time.sleep(600)", "pass")
    subprocess.run([sys.executable, "-c", script, server_url, str(source), "replace"], check=True, timeout=60)


def test_a_server_that_forbids_local_files_is_loaded_by_inserts(tmp_path: Path, caplog: Any) -> None:
    url = database_servers.mysql_url()
    run(url, "SET GLOBAL local_infile = 0")
    try:
        with caplog.at_level(logging.WARNING):
            assert load(url, [*RECORDS, record(1)], tmp_path) == (10, 1)
    finally:
        run(url, "SET GLOBAL local_infile = 1")
    assert "rows are inserted" in caplog.text
    every = Asked(group_by=list(TYPES), filters=[], aggregates=COUNT)
    assert asked([connect(url)], every) == [reference(RECORDS, every)]


def test_what_depends_on_a_table_keeps_it_from_being_replaced(tmp_path: Path) -> None:
    url = database_servers.postgresql_url()
    load(url, [record(1)], tmp_path)
    run(url, "CREATE VIEW seen AS SELECT id FROM kinds")
    with pytest.raises(DatabaseError, match='"mode": "append"'):
        load(url, [record(2)], tmp_path)
    assert load(url, [record(2)], tmp_path, append=True) == (1, 0)
    assert run(url, "SELECT id FROM seen ORDER BY id") == [(1,), (2,)]


def test_who_might_read_the_old_table_may_read_the_new_one(tmp_path: Path) -> None:
    url = database_servers.postgresql_url()
    load(url, [record(1)], tmp_path)
    run(url, "DROP ROLE IF EXISTS reporting", "CREATE ROLE reporting", "GRANT SELECT ON kinds TO reporting")
    load(url, [record(2)], tmp_path)
    assert run(url, "SELECT has_table_privilege('reporting', 'kinds', 'SELECT')") == [(True,)]
    run(url, "DROP OWNED BY reporting", "DROP ROLE reporting")


def test_who_began_to_read_before_a_load_is_not_shown_an_empty_table(tmp_path: Path) -> None:
    url = database_servers.postgresql_url()
    load(url, [record(1)], tmp_path)
    at = server.server(url, ("schema",))
    options = f"-c search_path={at.options['schema']}"
    with psycopg.connect(host=at.host, port=at.port, user=at.user, dbname=at.name, options=options) as db:
        db.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        db.execute("SELECT 1")  # its snapshot is taken, the table not touched yet
        load(url, [record(2), record(3)], tmp_path)
        assert db.execute("SELECT count(*) FROM kinds").fetchone() == (2,)


FOREIGN = {
    "postgresql": "CREATE TABLE texts (id integer, v varchar(9), n numeric(8,3), f real, t timestamptz, j jsonb)",
    "mysql": "CREATE TABLE texts (id INT, v VARCHAR(9) COLLATE latin1_swedish_ci, n DECIMAL(8,3), f FLOAT, "
    "t TIMESTAMP, j JSON)",
}


def test_a_table_that_another_program_made_is_queried(server_url: str) -> None:
    made = FOREIGN[server_url.partition(":")[0]]
    moment = "'2010-05-28 13:45:00'"
    run(
        server_url,
        made,
        f"INSERT INTO texts VALUES (1, 'b', 1.125, 0.5, {moment}, '{{}}'), (2, 'B ', 2, 0.25, {moment}, '[]')",
    )
    kinds = {name: kind.kind for name, kind in connect(server_url).columns("texts").items()}
    assert [kinds[name] for name in ("id", "v", "n", "f", "j")] == ["integer", "text", "decimal", "double", "text"]
    aggregates = [AggregateRequest(*each, each[1]) for each in (("sum", "n"), ("sum", "f"), ("max", "j"), ("max", "t"))]
    found = asked_of(connect(server_url), Asked(group_by=["v"], aggregates=aggregates))
    assert [each[:4] for each in found] == [("B ", Decimal("2.000"), 0.25, "[]"), ("b", Decimal("1.125"), 0.5, "{}")]
    assert all(moment.strip("'")[:10] in each[4] for each in found)


def test_infinity_cannot_be_summed() -> None:
    url = database_servers.postgresql_url()  # MySQL has none
    run(url, "CREATE TABLE texts (id bigint, x double precision)", "INSERT INTO texts VALUES (1, 'infinity')")
    with pytest.raises(DataError, match="infinity"):
        asked_of(connect(url), Asked(aggregates=[AggregateRequest("sum", "x")]))
