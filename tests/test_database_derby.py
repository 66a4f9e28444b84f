"""What is special about Derby: the Java machine, and what Derby says."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.lab.ports import free_port
from core import AccessError, DatabaseError, NotFoundError, RequestError, engine
from core.database import Table, TableColumn, connect
from core.datasets.grammar import Type
from tests import database_servers
from tests.database_rigs import TABLE, selected, written
from tests.servers import UNPRIVILEGED, folder_of
from tests.test_database_contract import record
from tests.test_database_loading import ids, load


def test_a_database_that_is_not_there_is_not_made_by_itself() -> None:
    url = database_servers.derby_url().removesuffix("?create=true")
    with pytest.raises(NotFoundError, match="create=true"):
        connect(url).columns("kinds")


def test_where_nobody_listens_the_error_says_so() -> None:
    with pytest.raises(DatabaseError, match="could not be made"):
        connect(f"derby://127.0.0.1:{free_port()}/x").columns("kinds")


@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("127.0.0.1/x?ssl=maybe", "no ssl maybe"),
        ("127.0.0.1/x?create=no", "create may only be true"),
        ("127.0.0.1/x;create=true", "no semicolon"),
        ("me:hidden-word@127.0.0.1/x", "may not hold a password"),
    ],
)
def test_a_wrong_url_is_refused(rest: str, found: str) -> None:
    with pytest.raises(RequestError, match=found) as raised:
        connect(f"derby://{rest}").columns("kinds")
    assert "hidden-word" not in str(raised.value)


def test_a_text_that_is_too_long_is_refused_and_the_old_table_stays(tmp_path: Path) -> None:
    url = database_servers.derby_url()
    load(url, [record(1)], tmp_path)
    table = Table(name="kinds", columns=(TableColumn("id", Type("integer")), TableColumn("t", Type())), key="id")
    with engine.session() as db:
        rows = db.sql("SELECT 1::BIGINT AS id, repeat('x', 32673) AS t")
        with pytest.raises(RequestError, match="at most 32,672 letters"):
            connect(url).load(table, [rows], append=False)
    assert ids(url) == [1]
    connect(url).close()


def test_what_was_left_long_ago_is_dropped(tmp_path: Path) -> None:
    url = database_servers.derby_url()
    load(url, [record(1)], tmp_path)
    old, new = (f"polyfaas_{day}T000000Z_{os.urandom(16).hex()}" for day in ("20200101", "29991231"))
    for name in (old, new):
        with engine.session() as db:
            table = Table(name=name, columns=(TableColumn("id", Type("integer")),), key="id")
            connect(url).load(table, [db.sql("SELECT 1::BIGINT AS id")], append=False)
    load(url, [record(2)], tmp_path)
    assert list(connect(url).columns(new)) == ["id"]
    with pytest.raises(NotFoundError):
        connect(url).columns(old)
    connect(url).close()


# A process that has a Java machine, and is told to end.
SIGNALLED = """
import os, signal
from core.database import derby_client
heard = []
signal.signal(signal.SIGTERM, lambda *_: heard.append("term"))
derby_client.start()
os.kill(os.getpid(), signal.SIGTERM)
try:
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
except KeyboardInterrupt:
    print(*heard, "stopped")
"""


def test_java_leaves_the_signals_to_python() -> None:
    argv = [sys.executable, "-c", SIGNALLED]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.returncode) == ("term stopped\n", 0)


def overtaken(url: str, folder: Path, others: Sequence[int]) -> None:
    """An append of record 1, while another connection puts a table of others in the old one's place."""

    def batches(db: Any) -> Iterator[Any]:
        load(url.removesuffix("?create=true"), [record(number) for number in others], folder)
        yield db.sql(selected(written([record(1)], folder)))

    with engine.session() as db, pytest.raises(DatabaseError, match="repeat"):
        connect(url).load(TABLE, batches(db), append=True)


def test_an_append_does_not_go_to_a_table_that_it_has_not_seen(tmp_path: Path) -> None:
    url = database_servers.derby_url()
    load(url, [record(1)], tmp_path)
    overtaken(url, tmp_path, [3])  # else record 1, which is skipped, would be in neither
    assert ids(url) == [3]
    assert load(url, [record(1)], tmp_path, append=True) == (1, 0)
    connect(url).close()


def test_a_first_append_does_not_replace_what_another_load_made_meanwhile(tmp_path: Path) -> None:
    url = database_servers.derby_url()
    connect(url).drop("kinds")
    overtaken(url, tmp_path, [2, 3])
    assert ids(url) == [2, 3]
    connect(url).close()


@pytest.mark.parametrize("append", [False, True])
def test_a_server_killed_in_mid_load_has_the_old_table_when_it_is_back(tmp_path: Path, append: bool) -> None:
    port = free_port()
    sources = [
        written([record(n) for n in range(start, start + 5000)], tmp_path, f"{start}.csv") for start in (2, 9000)
    ]
    with folder_of(UNPRIVILEGED) as folder:
        with database_servers.derby(folder, port) as at:
            url = f"{at}/shop?create=true"
            load(url, [record(1)], tmp_path)

            def batches(db: Any) -> Iterator[Any]:
                yield db.sql(selected(sources[0]))
                os.kill(int((folder / "process").read_text()), signal.SIGKILL)
                yield db.sql(selected(sources[1]))

            with engine.session() as db, pytest.raises(DatabaseError, match="repeat the call"):
                connect(url).load(TABLE, batches(db), append=append)
        with database_servers.derby(folder, port) as at:
            assert ids(url) == [1]
            assert load(url, [record(2)], tmp_path, append=append) == (1, 0)
            connect(url).close()


def test_who_enters_is_asked_for_the_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "right-word")
    monkeypatch.setenv("OTHER_PASSWORD", "wrong-word")
    rules = ["connection.requireAuthentication=true", "authentication.provider=BUILTIN", "user.app=right-word"]
    with folder_of(UNPRIVILEGED) as folder, database_servers.derby(folder, free_port(), *rules) as at:
        url = at.replace("//", "//app@") + "/shop?create=true&password=env:SHOP_PASSWORD"
        load(url, [record(1)], tmp_path)
        assert ids(url) == [1]
        connect(url).close()
        for wrong in (url.replace("SHOP", "OTHER"), url.replace("app@", "nobody@"), url.replace("app@", "")):
            with pytest.raises(AccessError, match="was refused") as raised:
                connect(wrong).columns("kinds")
            assert "word" not in str(raised.value).replace("password", "").replace("PASSWORD", "")


def test_the_missing_client_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import jpype

    monkeypatch.setenv("DERBY_CLASSPATH", "/no/such/derbyclient.jar")
    monkeypatch.setattr(jpype, "isJVMStarted", lambda: False)
    with pytest.raises(DatabaseError, match=r"no /no/such/derbyclient\.jar"):
        connect("derby://127.0.0.1/x").columns("kinds")
