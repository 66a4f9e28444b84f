"""Hosts and servers: what nobody may have us speak to, and which server's database a root allows."""

from pathlib import Path

import msgspec
import pytest

from core import AccessError, RequestError, access, database, transform
from core.datasets import dataset
from core.message import LOCAL, Request
from core.runtime import handle


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYFAAS_ALLOW", raising=False)


def call(source: object, target: object) -> Request:
    return Request(path="/transform", body=msgspec.json.encode({"source": str(source), "target": str(target)}))


REACHING = (
    "http://example.org/a.csv",
    "HTTPS://example.org/a.csv",
    "ftp://h/a.csv",
    "sqlite+http://h/a",
    "http://[::1]/a",
)


@pytest.mark.parametrize("url", REACHING)
def test_what_reaches_out_is_refused_to_everybody(url: str, tmp_path: Path) -> None:
    with pytest.raises(AccessError, match="download it first"):
        transform(url, tmp_path / "clean.csv")
    with pytest.raises(AccessError, match="download it first"):
        dataset(f"{url}.toml")
    with access.limited(["*"]), pytest.raises(AccessError, match="download it first"):
        database.connect(url)
    assert handle(call(url, "x"), LOCAL).status == 403


HOSTS = (
    "169.254.169.254",
    "169.254.170.2",
    "2852039166",
    "0xa9fea9fe",
    "0XA9.254.0251.0376",
    "0251.0376.0251.0376",
    "169.254.43518",
    "169.16689662",
    "%31%36%39.254.169.254",
    "\uff11\uff16\uff19\u3002254.169.254",
    "169.254.169.254.",
    "[::ffff:169.254.169.254]",
    "[::ffff:a9fe:a9fe]",
    "[::169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[2002:a9fe:a9fe::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[FE80::1%25eth0]",
    "[febf::1]",
    "metadata.google.internal",
    "Metadata.Google.Internal.",
    "metadata",
    "instance-data",
    "168.63.129.16",
    "100.100.100.200",
    "db.example.org,169.254.169.254",
)


@pytest.mark.parametrize("host", HOSTS)
def test_a_machines_metadata_is_never_asked(host: str) -> None:
    for roots in (["*"], [f"postgresql://{host}/a"]):
        with access.limited(roots), pytest.raises(AccessError, match="never asked"):
            database.connect(f"postgresql://user@{host}:80/a")
    with pytest.raises(AccessError, match="never asked"):
        database.connect(f"mysql://{host}/a")


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "169.253.255.255", "db-1.internal", "[fec0::1]", "[::1]", "2852039167.example.org", "1", ""]
)
def test_other_hosts_are_no_metadata(host: str) -> None:
    access.check_server(f"postgresql://{host}/a")


SERVERS = (
    ("postgresql://host/db", "postgresql://host/db", True),
    ("postgresql://me:secret@host/db", "postgresql://you@host/db", True),
    ("postgresql://host:5432/db", "postgresql://HOST/db", True),
    ("postgresql://host:5433/db", "postgresql://host/db", False),
    ("postgresql://host/db2", "postgresql://host/db", False),
    ("postgresql://host/%64b", "postgresql://host/db", True),
    ("postgresql://host/db", "postgresql://host", True),
    ("postgresql://host2/db", "postgresql://host", False),
    ("postgresql://host", "postgresql://host/db", False),
    ("mysql://host/db", "postgresql://host/db", False),
    ("postgresql://host/db?password=env:PGPASSWORD&schema=s", "postgresql://host/db", True),
    ("postgresql://host/db?sslcert=/etc/key", "postgresql://host/db", False),
    ("postgresql://host/db?host=other", "postgresql://host/db", False),
    ("postgresql://host/db?sslmode=disable", "postgresql://host/db?sslmode=verify-full", False),
    ("postgresql://host/db?sslmode=require", "postgresql://host/db?sslmode=require", True),
    ("postgresql://host,other/db", "postgresql://host/db", False),
    ("postgresql://host/db/../x", "postgresql://host/db", False),
    ("dynamodb://eu-west-1/table", "dynamodb://eu-west-1", True),
    ("dynamodb://eu-west-1/table", "dynamodb://eu-west-2", False),
    ("mongodb://a,b/db", "mongodb://a,b:27017/db", True),
    ("postgresql://host/db", "*", True),
    ("postgresql://host/db", "/data", False),
)


@pytest.mark.parametrize(("url", "root", "expected"), SERVERS)
def test_a_root_allows_a_servers_database(url: str, root: str, expected: bool) -> None:
    with access.limited([root]):
        try:
            access.check_url(url)
            access.check_server(url)
        except AccessError:
            assert not expected
        else:
            assert expected


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://a@b@host/db",
        "postgresql://host\\@b/db",
        "postgresql://host/db#x",
        "mysql://h\t.b/db",
        "mysql://[::1/d",
    ],
)
def test_a_url_that_can_be_read_in_two_ways_is_refused(url: str) -> None:
    with pytest.raises(RequestError, match="two ways"):
        access.check_server(url)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host/db?password=hunter2",
        "postgresql://me:hun/ter2@host/db",
        "mysql://169.254.169.254/db?password=hunter2@x",
        "mysql://me:hunter2@169.254.169.254/db",
        "https://me:hunter2@host/a.csv?token=hunter2",
        "https://host/a.csv?token=hunter2@x",
        "s3://key:hunter2@bucket/a",
        "sqlite+s3://key:hunter2@bucket/a",
        "nothing://me:hunter2@host/a",
    ],
)
def test_no_message_tells_a_password(url: str) -> None:
    for field in ("source", "target"):
        answer = handle(call(**{"source": "/x", "target": "/y", field: url}), LOCAL)
        assert (answer.status in (400, 403), b"ter2" in answer.body) == (True, False)
    assert "ter2" not in access.shown(url)
    assert b"ter2" not in handle(Request(path="/query", body=msgspec.json.encode({"database": url})), LOCAL).body
