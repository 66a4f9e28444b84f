"""What calls may touch: POLYFAAS_ALLOW, enforced by the ports of stores, databases and datasets."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core import AccessError, PolyfaasError, RequestError, access, database, load, query, storage, transform
from core.message import LOCAL, Request
from core.runtime import handle
from core.storage.location import located
from tests.conftest import row

CURE = "set POLYFAAS_ALLOW"


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYFAAS_ALLOW", raising=False)


def answered(service: str, **parameters: Any) -> dict[str, Any]:
    body = msgspec.json.encode(parameters)
    answer: dict[str, Any] = msgspec.json.decode(handle(Request(path=f"/{service}", body=body), LOCAL).body)
    return answer


def allowed(url: str, *roots: str) -> bool:
    """Whether a URL of an object may be touched under these roots; a malformed one may not."""
    with access.limited(roots):
        try:
            located(url)
        except (AccessError, RequestError):
            return False
    return True


def test_a_call_is_allowed_nothing_unless_its_operator_says_so(sales: Callable[..., Path], tmp_path: Path) -> None:
    source, target = sales([row()]), tmp_path / "clean.csv"
    answer = answered("transform", source=str(source), target=str(target))
    assert (answer["status"], answer["error"]["title"], CURE in answer["error"]["detail"]) == (403, "Forbidden", True)
    assert not target.exists()


def test_a_call_touches_what_was_allowed(sales: Callable[..., Path], allowed_here: Path) -> None:
    source, database_ = sales([row()]), f"sqlite:///{allowed_here}/sales.db"
    clean = f"{allowed_here}/clean.csv"
    answers = [
        answered("transform", source=str(source), target=clean),
        answered("load", source=clean, database=database_),
        answered("query", database=database_),
        answered("shard", source=str(source), prefix=f"{allowed_here}/shard", count=2),
    ]
    assert [answer["status"] for answer in answers] == [200] * 4


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_files_of_our_own_need_no_permission(
    sales: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    source, clean = "memory://ours/sales.csv", f"memory://ours/clean{ending}"
    storage.copy(str(sales([row(), row(Order_ID="7", Units_Sold="many")])), source)
    monkeypatch.setenv("POLYFAAS_ALLOW", "memory://ours")
    answers = [
        answered("transform", source=source, target=clean),
        answered("load", source=clean, database=f"duckdb+memory://ours/loaded{ending}"),
        answered("query", database=f"duckdb+memory://ours/loaded{ending}"),
        answered("shard", source=source, prefix="memory://ours/shard", count=2),
    ]
    assert ([answer["status"] for answer in answers], answers[0]["result"]["rejected"]) == ([200] * 4, 1)


def test_the_library_is_free_where_nothing_was_said(sales: Callable[..., Path], tmp_path: Path) -> None:
    transform(sales([row()]), tmp_path / "clean.csv")
    load(tmp_path / "clean.csv", tmp_path / "sales.db")
    assert query(tmp_path / "sales.db")[0]["Number of Orders"] == 1


def test_the_library_keeps_to_what_was_said(sales: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source = sales([row()])
    monkeypatch.setenv("POLYFAAS_ALLOW", "/nowhere")
    with pytest.raises(AccessError, match="lies outside"):
        transform(source, source.with_name("clean.csv"))


def test_a_star_allows_every_place(sales: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    source = sales([row()])
    monkeypatch.setenv("POLYFAAS_ALLOW", "*")
    assert answered("transform", source=str(source), target=f"{source}.clean.csv")["status"] == 200


def test_an_empty_list_allows_nothing(sales: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYFAAS_ALLOW", "")
    with pytest.raises(AccessError, match=CURE):
        transform(sales([row()]), "clean.csv")


FIELDS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("transform", "$.source", {"source": "/etc/hostname", "target": "{}/a.csv"}),
    ("transform", "$.target", {"source": "{}/sales.csv", "target": "/var/tmp/polyfaas.csv"}),
    ("transform", "$.rejects", {"source": "{}/sales.csv", "target": "{}/a.csv", "rejects": "/var/tmp/r.jsonl"}),
    ("transform", "$.dataset", {"source": "{}/sales.csv", "target": "{}/a.csv", "dataset": "/etc/polyfaas.toml"}),
    ("load", "$.source", {"source": "/etc/hostname", "database": "{}/a.db"}),
    ("load", "$.database", {"source": "{}/sales.csv", "database": "sqlite:////var/tmp/polyfaas.db"}),
    ("query", "$.database", {"database": "/etc/hostname.csv"}),
    ("query", "$.database", {"database": "duckdb:////etc/hostname"}),
    ("query", "$.database", {"database": "sqlite+s3://bucket/a.db"}),
    ("query", "$.database", {"database": "postgresql://postgres@127.0.0.1/postgres"}),
    ("query", "$.database[1]", {"database": ["{}/a.csv", "/etc/hostname.csv"]}),
    ("shard", "$.source", {"source": "/etc/hostname", "prefix": "{}/a", "count": 2}),
    ("shard", "$.prefix", {"source": "{}/sales.csv", "prefix": "/var/tmp/polyfaas", "count": 2}),
)


@pytest.mark.parametrize(("service", "path", "parameters"), FIELDS)
def test_what_lies_outside_is_refused_with_the_field_that_names_it(
    sales: Callable[..., Path], allowed_here: Path, service: str, path: str, parameters: dict[str, Any]
) -> None:
    sales([row()])
    (allowed_here / "a.csv").write_text("Region\nAsia\n")
    here = msgspec.json.decode(msgspec.json.encode(parameters).replace(b"{}", str(allowed_here).encode()))
    answer = answered(service, **here)
    assert (answer["status"], answer["error"]["errors"][0]["path"]) == (403, path)


def test_what_is_there_and_what_is_not_is_refused_in_the_same_words(allowed_here: Path) -> None:
    there, not_there = (answered("query", database=f"/etc/{name}.csv") for name in ("hostname", "nothing"))
    assert there["error"]["detail"].replace("hostname", "nothing") == not_there["error"]["detail"]
    assert str(allowed_here) not in there["error"]["detail"]


TOUCHING: dict[str, Callable[[str], Any]] = {
    "stat": storage.stat,
    "exists": storage.exists,
    "check": storage.check,
    "read": lambda url: storage.read(url, 0, 1),
    "opened": lambda url: storage.opened(url).__enter__(),
    "content": lambda url: storage.content(url).__enter__(),
    "fetch": lambda url: storage.fetch(url, Path("/dev/null")),
    "reading": lambda url: storage.reading(url).__enter__(),
    "sink": lambda url: storage.sink(url).__enter__(),
    "writing": lambda url: storage.writing(url).__enter__(),
    "listed": storage.listed,
    "remove": storage.remove,
    "copy from": lambda url: storage.copy(url, "memory://allowed/x"),
    "same": lambda url: storage.same("memory://allowed/x", url),
    "put": lambda url: storage.put(Path("/dev/null"), url, expected=""),
    "copy to": lambda url: storage.copy("memory://allowed/x", url),
    "connect": database.connect,
    "connect to its object": lambda url: database.connect(url if url.startswith("/") else f"sqlite+{url}"),
}


# What opens nothing: it makes a name, measures a disk, or is told a path that was checked.
HARMLESS = {"beside", "check_room", "check_writable"}


def test_each_function_of_the_store_that_takes_a_url_is_among_these() -> None:
    functions = {name: found for name in storage.__all__ if inspect.isfunction(found := getattr(storage, name))}
    takes = {name for name, found in functions.items() if {"url", "prefix"} & set(inspect.signature(found).parameters)}
    assert takes - HARMLESS == {name.partition(" ")[0] for name in TOUCHING if not name.startswith("connect")}


@pytest.mark.parametrize("url", ["/etc/hostname", "memory://other/etc/hostname"])
@pytest.mark.parametrize("name", TOUCHING)
def test_no_way_into_a_port_is_open(name: str, url: str) -> None:
    with access.limited(["memory://allowed"]), pytest.raises(AccessError, match="lies outside"):
        TOUCHING[name](url)


@pytest.mark.parametrize(
    ("url", "root", "expected"),
    [
        ("s3://bucket/a", "s3://bucket", True),
        ("s3://bucket/a/x", "s3://bucket/a", True),
        ("s3://bucket/a", "s3://bucket/a", True),
        ("s3://bucket/ab", "s3://bucket/a", False),
        ("s3://bucket/a", "s3://bucket/a/", False),
        ("s3://bucket/a/x", "s3://bucket/a/", True),
        ("s3://bucket2/a", "s3://bucket", False),
        ("s3://Bucket/a", "s3://bucket", False),
        ("S3://bucket/a", "s3://bucket", True),
        ("gs://bucket/a", "s3://bucket", False),
        ("cos://bucket/a", "s3://bucket", False),
        ("s3://bucket/a/../b", "s3://bucket", False),
        ("s3://bucket/a/%2e%2e/b", "s3://bucket/a", True),  # a name of six letters, no parent: names are literal
        ("s3://bucket/%61/x", "s3://bucket/a", False),
        ("s3://bucket/a", "sqlite+s3://bucket", True),
        ("s3://evil.example#/a", "*", False),
        ("s3://evil.example?x/a", "*", False),
        ("s3://user@bucket/a", "*", False),
        ("s3://169.254.169.254/latest", "*", False),
        ("s3://bucket/a", "bucket", False),
        ("s3://bucket/a", "s3://", False),
        ("/etc/hostname", "file://", False),
        ("/etc/hostname", "file://host/etc", False),
        ("/etc/hostname", "FILE:///etc", True),
        ("/etc/hostname", "sqlite:////etc", True),
        ("file:///etc/hostname", "/etc", True),
        ("file:///%65tc/hostname", "/etc", True),
        ("file:///usr/%2e%2e/etc/hostname", "/usr", False),
        ("/usr/../etc/hostname", "/usr", False),
        ("/etc/hostname", "/", True),
    ],
)
def test_a_root_allows_itself_and_what_lies_below(url: str, root: str, expected: bool) -> None:
    assert allowed(url, root) == expected


def test_what_names_start_with_is_allowed_only_where_all_of_them_are(tmp_path: Path) -> None:
    def may_list(prefix: str) -> bool:
        try:
            storage.listed(prefix)
        except AccessError:
            return False
        return True

    with access.limited(["memory://b/a", str(tmp_path)]):
        found = [may_list(prefix) for prefix in ("memory://b/a/", "memory://b/a/x", "memory://b/a", "memory://b/")]
        files = [may_list(prefix) for prefix in (f"{tmp_path}/", f"{tmp_path}/x", f"{tmp_path}", f"{tmp_path.parent}/")]
    assert (found, files) == ([True, True, False, False], [True, True, False, False])


def test_the_kinds_of_database_files_are_those_that_the_databases_know() -> None:
    assert set(database.KINDS) == access.FILES


def test_no_error_of_the_port_is_an_accident() -> None:
    for url in ("file:///a%00b", "s3://", "://", "*", "", "\0", "file://"):
        with access.limited(["file:///%00", "://", "s3://", " "]), pytest.raises(PolyfaasError):
            located(url)
