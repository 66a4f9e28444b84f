"""Who enters MongoDB and how, and what a server survives, at the one that stands for MongoDB's own."""

import logging
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.lab.ports import free_port
from core import AccessError, DatabaseError, RequestError, engine, handle
from core.database import connect, mongodb_lease, server
from core.message import LOCAL, Request
from tests import mongodb_server
from tests.conftest import row
from tests.database_rigs import TABLE, selected, written
from tests.mongodb_server import looking, private
from tests.servers import run as run_program
from tests.test_database_contract import record
from tests.test_database_loading import ids, load

SECRET = "correct-horse-battery"  # a password of this test's own servers


@pytest.mark.parametrize("append", [False, True])
def test_a_server_killed_in_mid_load_has_the_old_table_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, append: bool
) -> None:
    monkeypatch.setattr(server, "CONNECT_TIMEOUT_S", 1)
    monkeypatch.setattr(mongodb_lease, "CLEANUP_S", 0.5)
    source = written([record(n) for n in range(2, 2000)], tmp_path, "many.csv")
    with private(tmp_path) as url:
        load(url, [record(1)], tmp_path)

        def batches(db: Any) -> Iterator[Any]:
            yield db.sql(selected(source))
            mongodb_server.kill(tmp_path)
            yield from (db.sql(selected(source)) for _ in range(5))

        with engine.session() as db, pytest.raises(DatabaseError, match="repeat the call"):
            connect(url).load(TABLE, batches(db), append=append)
    with private(tmp_path) as url:
        assert ids(url) == [1]
        assert load(url, [record(2)], tmp_path) == (1, 0)
        assert ids(url) == [2]


def test_where_nobody_listens_the_error_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECT_TIMEOUT_S", 1)
    with pytest.raises(DatabaseError, match="refused"):
        connect(f"mongodb://127.0.0.1:{free_port()}/name").columns("kinds")


@pytest.mark.parametrize("scheme", ["mongodb", "mongodb+srv"])
@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("user:hidden-word@host/name", "may not hold a password"),
        ("user@host/name?password=hidden-word", "only say where it is"),
        ("user@host/name?password=env:NO_SUCH_PASSWORD", "NO_SUCH_PASSWORD is not set"),
        ("user@host/name", "password is required"),
        ("user@host", "names no database"),
        ("user@host/a/b", "names no database"),
        ("user@host/a.b", "does not take it|cannot be used"),
        ("user@host/name?ssl=x", 'no option "ssl"'),
        ("user@host/name?tls=perhaps", "tls"),
        ("user@host/name?tlsCAFile=/no/such/file", "tlsCAFile|No such file"),
        ("user@host/name?authMechanism=none", "authMechanism|authmechanism"),
    ],
)
def test_a_wrong_url_is_refused_and_no_secret_shown(scheme: str, rest: str, found: str) -> None:
    with pytest.raises(RequestError, match=found) as raised:
        connect(f"{scheme}://{rest}").columns("kinds")
    assert b"hidden-word" not in msgspec.json.encode(raised.value.problem("/query"))


def test_a_name_that_stands_for_servers_has_no_port() -> None:
    with pytest.raises(RequestError, match="takes no port"):
        connect("mongodb+srv://user@host:1/name").columns("kinds")


def test_without_the_client_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymongo.errors", None)
    with pytest.raises(DatabaseError, match=r"install polyfaas\[mongodb\]"):
        connect("mongodb://127.0.0.1/name").columns("kinds")


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for a password, with one user who may do all and one who may only read."""
    folder = tmp_path_factory.mktemp("guarded")
    with private(folder) as url, looking(url) as db:
        for name, role in (("writer", "readWrite"), ("reader", "read")):
            db.command("createUser", name, pwd=SECRET, roles=[{"role": role, "db": "private"}])
    with private(folder, "--auth") as url:
        yield url.replace("mongodb://", "mongodb://writer@") + "?password=env:TEST_DB_PASSWORD"


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DB_PASSWORD", SECRET)


@pytest.mark.usefixtures("password")
def test_a_password_is_found_where_the_url_says(guarded: str, tmp_path: Path) -> None:
    load(guarded, [record(1)], tmp_path)
    assert ids(guarded) == [1]
    assert load(guarded, [record(2)], tmp_path, append=True) == (1, 0)
    assert connect(guarded).stored_bytes("kinds") > 0
    connect(guarded).close()


@pytest.mark.usefixtures("password")
def test_who_may_only_read_reads_and_is_refused_a_load(guarded: str, tmp_path: Path) -> None:
    load(guarded, [record(1)], tmp_path)
    reader = guarded.replace("writer@", "reader@")
    assert ids(reader) == [1]
    with pytest.raises(AccessError, match="refused"):
        load(reader, [record(2)], tmp_path)
    for each in (guarded, reader):
        connect(each).close()


def test_a_wrong_password_is_refused(guarded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DB_PASSWORD", "wrong-horse")
    with pytest.raises(AccessError, match="refused") as raised:
        connect(guarded).columns("kinds")
    assert "wrong-horse" not in str(raised.value)


def test_a_secret_is_in_no_answer_and_no_log(
    guarded: str, clean: Any, allowed_here: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("TEST_DB_PASSWORD", SECRET)
    monkeypatch.setenv("POLYFAAS_ALLOW", f"{allowed_here}\n{guarded}")
    body = msgspec.json.encode({"source": str(clean(row())), "database": guarded})
    with caplog.at_level(logging.DEBUG):
        good = handle(Request(method="POST", path="/load", body=body), LOCAL)
        monkeypatch.setenv("TEST_DB_PASSWORD", f"{SECRET}-wrong")
        connect(guarded).close()
        bad = handle(Request(method="POST", path="/load", body=body), LOCAL)
    assert (good.status, bad.status) == (200, 403)
    assert SECRET not in good.body.decode() + bad.body.decode() + caplog.text


HOST = "db.example.com"


def test_what_is_said_to_another_machine_is_encrypted_and_its_name_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **named: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith("example.com") else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.setattr(server, "CONNECT_TIMEOUT_S", 2)
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    run_program([*made, "-keyout", str(key), "-out", str(certificate)], tmp_path)
    direct = "directConnection=true"
    with private(tmp_path, f"--tls-cert-file={certificate}", f"--tls-key-file={key}", "--standalone") as url:
        remote = url.replace("127.0.0.1", HOST)
        trusted = f"{remote}?tlsCAFile={certificate}&{direct}"
        load(trusted, [record(1)], tmp_path)
        assert ids(trusted) == [1]
        connect(trusted).close()
        other = trusted.replace(HOST, "other.example.com")
        for refused in (f"{remote}?{direct}", other, f"{remote}?tls=false&{direct}"):
            with pytest.raises(DatabaseError, match=r"certificate|SSL|closed|reset"):
                ids(refused)


def test_what_is_said_to_another_machine_in_the_clear_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **named: Any) -> Any:
        return real("127.0.0.1" if host == HOST else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    monkeypatch.setattr(server, "CONNECT_TIMEOUT_S", 2)
    with private(tmp_path, "--standalone") as url:
        remote = url.replace("127.0.0.1", HOST)
        with pytest.raises(DatabaseError, match="could not be made"):
            ids(remote)
        load(f"{remote}?tls=false", [record(1)], tmp_path)
        connect(f"{remote}?tls=false").close()
