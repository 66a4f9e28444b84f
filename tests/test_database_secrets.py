"""Who may enter a database behind a network, how its password is found, and what is encrypted."""

import logging
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

import polyfaas
from adapters import PROVIDERS
from adapters.lab.ports import free_port
from core import AccessError, DatabaseError, RequestError, handle
from core.database import connect, server
from core.message import LOCAL, Request
from tests import database_servers, store_rigs
from tests.conftest import row
from tests.server_sessions import run
from tests.servers import UNPRIVILEGED, folder_of
from tests.servers import run as run_program
from tests.test_database_contract import record
from tests.test_database_loading import ids, load

SECRET = "correct-horse-battery"  # a password of this test's own servers


@pytest.mark.parametrize("scheme", ["postgresql", "mysql"])
@pytest.mark.parametrize(
    ("rest", "found"),
    [
        ("user:hidden-word@host/name", "may not hold a password"),
        ("user@host/name?password=hidden-word", "only say where it is"),
        ("user@host/name?password=env:HOME", "only say where it is"),
        ("user@host/name?password=env:NO_SUCH_PASSWORD", "NO_SUCH_PASSWORD is not set"),
        ("user@host", "names no database"),
        ("user@host/a/b", "names no database"),
        ("user@host:port/name", "(no URL of a database|two ways)"),
        ("user@host/name?sslmod=x", 'no option "sslmod"'),
    ],
)
def test_a_wrong_url_is_refused_and_no_secret_shown(scheme: str, rest: str, found: str) -> None:
    with pytest.raises(RequestError, match=found) as raised:
        connect(f"{scheme}://{rest}").columns("kinds")
    assert b"hidden-word" not in msgspec.json.encode(raised.value.problem("/query"))


@pytest.fixture
def with_password(server_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a user who has a password, which is in a variable of the environment."""
    monkeypatch.setenv("TEST_DB_PASSWORD", SECRET)
    at = server.server(server_url, ("schema",))
    if server_url.startswith("mysql"):
        run(server_url, f"CREATE OR REPLACE USER guarded@localhost IDENTIFIED BY '{SECRET}'")
        run(server_url, f"GRANT ALL ON {at.name}.* TO guarded@localhost")
        return server_url.replace("root@", "guarded@") + "?password=env:TEST_DB_PASSWORD"
    run(server_url, "DO $$BEGIN CREATE ROLE guarded LOGIN SUPERUSER; EXCEPTION WHEN duplicate_object THEN NULL; END$$")
    run(server_url, f"ALTER ROLE guarded PASSWORD '{SECRET}'")
    return server_url.replace("postgres@", "guarded@") + "&password=env:TEST_DB_PASSWORD"


def test_a_password_is_found_where_the_url_says(with_password: str, tmp_path: Path) -> None:
    load(with_password, [record(1)], tmp_path)
    assert ids(with_password) == [1]
    connect(with_password).close()


def test_a_wrong_password_is_refused(with_password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DB_PASSWORD", "wrong-horse")
    with pytest.raises(AccessError, match="refused") as raised:
        connect(with_password).columns("kinds")
    assert "wrong-horse" not in str(raised.value)


def test_a_secret_is_in_no_answer_and_no_log(
    with_password: str, clean: Any, allowed_here: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setenv("POLYFAAS_ALLOW", f"{allowed_here}\n{with_password.replace('%', '%25')}")
    body = msgspec.json.encode({"source": str(clean(row())), "database": with_password})
    request = Request(method="POST", path="/load", body=body)
    with caplog.at_level(logging.DEBUG):
        good = handle(request, LOCAL)
        monkeypatch.setenv("TEST_DB_PASSWORD", f"{SECRET}-wrong")
        connect(with_password).close()
        bad = handle(request, LOCAL)
    assert (good.status, bad.status) == (200, 403)
    assert SECRET not in good.body.decode() + bad.body.decode() + caplog.text


def test_a_password_is_found_in_a_secret_store(
    with_password: str, store_servers: store_rigs.Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    for name, value in store_rigs.environment("s3", store_servers.endpoint("s3")).items():
        monkeypatch.setenv(name.replace("_S3", ""), value)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"database-{tmp_path.name}"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=f'{{"word": "{SECRET}"}}')
    url = with_password.replace("env:TEST_DB_PASSWORD", f"aws-secretsmanager:{name}%23word")
    load(url, [record(1)], tmp_path)
    assert ids(url) == [1]
    connect(url).close()
    with pytest.raises(RequestError, match="no JSON object with the field"):
        ids(url.replace("%23word", "%23other"))
    with pytest.raises(AccessError, match="cannot be read"):
        ids(url.replace(name, "no-such-secret"))


HOST = "db.example.com"


@pytest.fixture
def certificate(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A key and a certificate for `HOST`, which a server that is not root may read."""
    with folder_of(UNPRIVILEGED) as folder:
        key, certificate = folder / "key.pem", folder / "certificate.pem"
        names = ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
        run_program([*made, "-keyout", str(key), "-out", str(certificate)], tmp_path)
        for path in (key, certificate):
            if os.geteuid() == 0:
                shutil.chown(path, UNPRIVILEGED)
            path.chmod(0o600)
        yield key, certificate


def encrypted(kind: str, key: Path, certificate: Path) -> list[str]:
    if kind == "mysql":
        return [f"--ssl-key={key}", f"--ssl-cert={certificate}"]
    return ["ssl=on", f"ssl_key_file={key}", f"ssl_cert_file={certificate}"]


TRUST = {"postgresql": "sslrootcert", "mysql": "ssl_ca"}
LESS = {"postgresql": "sslmode=require", "mysql": "ssl_mode=required"}
OFF = {"postgresql": "sslmode=disable", "mysql": "ssl_mode=disabled"}


@pytest.mark.parametrize("kind", list(TRUST))
def test_what_is_said_to_another_machine_is_encrypted_and_its_name_is_checked(
    kind: str, certificate: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **named: Any) -> Any:
        return real("127.0.0.1" if str(host).endswith("example.com") else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", here)  # PyMySQL's way to an address
    monkeypatch.setenv("PGHOSTADDR", "127.0.0.1")  # libpq's
    private, port = database_servers.PRIVATE[kind], free_port()
    with folder_of(UNPRIVILEGED) as folder:
        private.make(folder)
        with private.running(folder, port, encrypted(kind, *certificate)) as url:
            load(url, [record(1)], tmp_path)
            connect(url).close()
            remote = url.replace("127.0.0.1", HOST)
            for wanted in (
                f"{remote}?{TRUST[kind]}={certificate[1]}",
                f"{remote}?{LESS[kind]}",
                f"{remote}?{OFF[kind]}",
            ):
                assert ids(wanted) == [1]
                connect(wanted).close()
            other = url.replace("127.0.0.1", "other.example.com")
            for refused in (remote, f"{other}?{TRUST[kind]}={certificate[1]}"):
                with pytest.raises(DatabaseError, match=r"certificate|verif|SSL"):
                    ids(refused)
        with private.running(folder, port, ["ssl=off"] if kind == "postgresql" else ["--skip-ssl"]):
            with pytest.raises(DatabaseError, match="SSL"):
                ids(remote)
            assert ids(f"{remote}?{OFF[kind]}") == [1]
            connect(f"{remote}?{OFF[kind]}").close()


@pytest.mark.parametrize("provider", ["local", *PROVIDERS])
def test_a_runtime_that_is_told_the_variable_asks_a_server(provider: str, with_password: str, clean: Any) -> None:
    body = {"source": str(clean(row())), "database": with_password}
    asked_for = [
        "call",
        "load",
        msgspec.json.encode(body).decode(),
        "--allow",
        body["source"],
        "--allow",
        with_password,
    ]
    if provider != "local":
        asked_for += ["--provider", provider, "--env", "TEST_DB_PASSWORD"]
    result = CliRunner().invoke(polyfaas.command(), asked_for)
    assert result.exit_code == 0, result.output
    assert msgspec.json.decode(result.stdout)["result"]["rows_loaded"] == 1
    assert SECRET not in result.output


def test_a_variable_that_is_not_there_is_named() -> None:
    result = CliRunner().invoke(polyfaas.command(), ["serve", "ibm", "--env", "NO_SUCH_PASSWORD"])
    assert (result.exit_code, "no variable NO_SUCH_PASSWORD" in result.output) == (2, True)
