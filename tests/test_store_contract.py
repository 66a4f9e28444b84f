"""One contract for every object store."""

import gc
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from google.cloud.storage.fileio import BlobWriter

from adapters.lab.ports import free_port
from core import (
    AccessError,
    NotFoundError,
    PolyfaasError,
    RequestError,
    StorageError,
    load,
    query,
    shard,
    storage,
    transform,
)
from core.storage import google, remote
from tests import reference, store_rigs
from tests.conftest import row

PIECE = storage.PIECE_BYTES


@pytest.fixture(scope="session")
def endpoints(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The servers, started when the first test asks for one."""
    with ExitStack() as stack:
        amazon = stack.enter_context(store_rigs.amazon(tmp_path_factory.mktemp("amazon")))
        google = stack.enter_context(store_rigs.google(tmp_path_factory.mktemp("google")))
        yield {"s3": amazon, "cos": amazon, "gs": google}


@pytest.fixture(params=store_rigs.RIGS)
def root(
    request: pytest.FixtureRequest, tmp_path: Path, endpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> str:
    """A new bucket, or folder: where the names of a test start."""
    rig: str = request.param
    if rig == "file":
        (tmp_path / "bucket").mkdir()
        return f"file://{tmp_path}/bucket"
    name = f"bucket-{uuid.uuid4().hex[:12]}"
    for variable, value in store_rigs.environment(rig, endpoints.get(rig, "")).items():
        monkeypatch.setenv(variable, value)
    if rig != "memory":
        store_rigs.make_bucket(rig, endpoints[rig], name)
    return f"{rig}://{name}"


def put(url: str, content: bytes) -> None:
    with storage.sink(url) as target:
        target.write(content)


def get(url: str) -> bytes:
    with storage.opened(url) as file:
        return file.read()


def letters(count: int) -> bytes:
    return (b"0123456789abcdef" * (count // 16 + 1))[:count]


@pytest.mark.parametrize("size", [0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5])
def test_what_was_written_is_read(root: str, size: int) -> None:
    content = letters(size)
    with storage.sink(f"{root}/a") as target:
        for start in range(0, size, 3_000_001):
            assert target.write(content[start : start + 3_000_001]) == len(content[start : start + 3_000_001])
        assert target.tell() == size
    assert get(f"{root}/a") == content
    found = storage.stat(f"{root}/a")
    assert (found.url, found.size_bytes) == (f"{root}/a", size)


@pytest.mark.parametrize("name", ["a b", "é/ü.csv", "x%20y", "a+b&c=d", "q?x", "h#x", "Region=Asia/x", "'", "~"])
def test_a_name_is_taken_letter_by_letter(root: str, name: str) -> None:
    if root.startswith("file://"):
        root = root.removeprefix("file://")  # a file:// URL is percent-decoded, a path is not
        (Path(root) / name).parent.mkdir(exist_ok=True)
    put(f"{root}/{name}", b"x")
    assert get(f"{root}/{name}") == b"x"
    assert [found.size_bytes for found in storage.listed(f"{root}/")] == [1]


def test_a_new_content_replaces_the_old_one(root: str) -> None:
    put(f"{root}/a", b"old and longer")
    before = storage.stat(f"{root}/a")
    put(f"{root}/a", b"new")
    assert get(f"{root}/a") == b"new"
    assert storage.stat(f"{root}/a").version != before.version


@pytest.mark.parametrize("size", [3, 2 * PIECE + 5])
def test_what_is_given_up_leaves_what_was_there(root: str, size: int) -> None:
    put(f"{root}/a", b"old")
    for name in ("a", "b"):
        with pytest.raises(ZeroDivisionError), storage.sink(f"{root}/{name}") as target:  # noqa: PT012
            target.write(letters(size))
            raise ZeroDivisionError
    assert get(f"{root}/a") == b"old"
    assert [found.url.rpartition("/")[2] for found in storage.listed(f"{root}/")] == ["a"]


def test_an_object_is_not_there_before_it_is_whole(root: str) -> None:
    with storage.sink(f"{root}/a") as target:
        target.write(letters(2 * PIECE + 5))
        assert not storage.exists(f"{root}/a")
        assert list(storage.listed(f"{root}/")) == []
    assert storage.exists(f"{root}/a")


def test_an_object_that_changes_while_it_is_read_is_never_a_mixture(root: str) -> None:
    put(f"{root}/a", letters(2 * PIECE))
    with storage.opened(f"{root}/a") as file:
        file.read(10)
        put(f"{root}/a", letters(2 * PIECE)[::-1])
        if root.startswith("file://"):  # an open file is the old one to its end, which is as good
            assert file.read() == letters(2 * PIECE)[10:]
            return
        with pytest.raises(StorageError, match="has changed while it was read"):
            file.read()


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(storage.stat, id="stat"),
        pytest.param(get, id="read"),
        pytest.param(lambda url: storage.copy(url, f"{url}2"), id="copy"),
        pytest.param(lambda url: storage.reading(url).__enter__(), id="copy here"),
    ],
)
def test_an_object_that_is_not_there_is_named(root: str, act: Any) -> None:
    with pytest.raises(NotFoundError, match=rf"there is nothing at {root}/none"):
        act(f"{root}/none")
    assert not storage.exists(f"{root}/none")


def test_a_bucket_that_is_not_there_is_named(root: str) -> None:
    url = f"{root}-none/a"
    if root.startswith("memory"):  # it has every bucket
        put(url, b"x")
        return
    with pytest.raises(NotFoundError):
        put(url, b"x")
    with pytest.raises(NotFoundError):
        storage.stat(url)


def test_removing_twice_is_removing_once(root: str) -> None:
    put(f"{root}/a", b"x")
    storage.remove(f"{root}/a")
    storage.remove(f"{root}/a")
    assert not storage.exists(f"{root}/a")


def test_names_are_listed_in_order_by_what_they_start_with(root: str) -> None:
    (Path(root.removeprefix("file://")) / "d").mkdir(parents=True) if root.startswith("file") else None
    names = ["d/b", "d/a", "d-1", "c", "é", "d/B"]
    for name in names:
        put(f"{root}/{name}", name.encode())
    expected = sorted(names, key=str.encode)
    for prefix in ("", "d", "d/", "d/a", "x"):
        found = [
            info.url.removeprefix(root.removeprefix("file://") if "file" in root else root)[1:]
            for info in storage.listed(f"{root}/{prefix}")
        ]
        assert found == [name for name in expected if name.startswith(prefix)], prefix


def test_a_copy_has_the_same_content(root: str) -> None:
    put(f"{root}/a", letters(PIECE + 1))
    storage.copy(f"{root}/a", f"{root}/b")
    assert get(f"{root}/b") == letters(PIECE + 1)


def test_a_copy_goes_from_store_to_store(root: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(letters(1000))
    storage.copy(str(tmp_path / "x"), f"{root}/x")
    storage.copy(f"{root}/x", str(tmp_path / "y"))
    assert (tmp_path / "y").read_bytes() == letters(1000)


def test_a_path_stands_for_an_object_both_ways(root: str) -> None:
    with storage.writing(f"{root}/a.csv") as part:
        part.write_bytes(b"abc")
    with storage.reading(f"{root}/a.csv") as path:
        assert (path.read_bytes(), path.suffix) == (b"abc", ".csv")
    with pytest.raises(ZeroDivisionError), storage.writing(f"{root}/b") as part:  # noqa: PT012
        part.write_bytes(b"abc")
        raise ZeroDivisionError
    assert not storage.exists(f"{root}/b")


def test_what_a_user_raises_inside_is_not_the_stores(root: str) -> None:
    put(f"{root}/a", b"x")
    with pytest.raises(FileNotFoundError, match="mine"), storage.opened(f"{root}/a"):
        raise FileNotFoundError("mine")


@pytest.mark.parametrize("name", ["clean.csv", "clean.csv.gz", "clean.parquet"])
@pytest.mark.parametrize("count", [50, 12_000])
def test_transform_load_and_query_give_the_same_as_with_files(root: str, tmp_path: Path, name: str, count: int) -> None:
    rows = [row(Order_ID=str(number % (count - 3)), Region=f"R{number % 7}") for number in range(count)]
    bad = row(Order_ID="1", Units_Sold="x")
    (tmp_path / "in.csv").write_bytes(reference.written([*rows, bad]))
    storage.copy(str(tmp_path / "in.csv"), f"{root}/in.csv")
    local = transform(tmp_path / "in.csv", tmp_path / name)
    there = transform(f"{root}/in.csv", f"{root}/{name}")
    assert (there.rows_out, there.duplicates, there.rejected) == (local.rows_out, local.duplicates, local.rejected)
    assert (there.bytes_in, there.bytes_out) == (local.bytes_in, local.bytes_out)
    assert get(f"{root}/{name}") == (tmp_path / name).read_bytes()
    assert get(there.rejects or "") == (tmp_path / f"{name}.rejects.jsonl").read_bytes()
    load(f"{root}/{name}", tmp_path / "there.db")
    load(tmp_path / name, tmp_path / "here.db")
    assert query(tmp_path / "there.db", ["Region"]) == query(tmp_path / "here.db", ["Region"])


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_database_can_be_an_object(root: str, tmp_path: Path, kind: str) -> None:
    if root.startswith("file://"):
        root = root.replace("file://", "memory://files")  # a file is a database as it is
    (tmp_path / "in.csv").write_bytes(reference.written([row(Order_ID=str(number)) for number in range(100)]))
    transform(tmp_path / "in.csv", f"{root}/clean.csv")
    url = f"{kind}+{root}/sales.{kind}"
    assert load(f"{root}/clean.csv", url).rows_loaded == 100
    load(f"{root}/clean.csv", tmp_path / "here.db")
    assert query(url, ["Region"]) == query(tmp_path / "here.db", ["Region"])
    assert load(f"{root}/clean.csv", url, mode="append").rows_skipped == 100
    load(f"{root}/clean.csv", url, table="other")
    assert query(url, ["Region"]) == query(url, ["Region"], table="other")


def test_a_writer_that_is_killed_leaves_the_old_object(root: str) -> None:
    rig = root.partition("://")[0]
    if rig == "memory":  # gone with its process, old and new
        return
    put(f"{root}/a", b"old")
    program = (
        "import os, signal, sys\nfrom core import storage\nwith storage.sink(sys.argv[1]) as target:\n"
        f"    target.write(bytes({2 * PIECE + 5}))\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    killed = subprocess.run([sys.executable, "-c", program, f"{root}/a"], env=variables, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert get(f"{root}/a") == b"old"


def test_shards_go_to_a_store(root: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(reference.written([row(Order_ID=str(number)) for number in range(100)]))
    storage.copy(str(tmp_path / "in.csv"), f"{root}/in.csv")
    made = shard(f"{root}/in.csv", f"{root}/part", count=3)
    assert [found.url for found in storage.listed(f"{root}/part")] == [
        each.url.removeprefix("file://") for each in made
    ]
    assert sum(each.rows for each in made) == 100


def test_the_bytes_that_were_read_are_those_of_the_source_even_where_it_is_replaced(root: str) -> None:
    content = reference.written([row(Order_ID="1"), row(Order_ID="1")])
    put(f"{root}/a.csv", content)
    result = transform(f"{root}/a.csv", f"{root}/a.csv")
    assert (result.bytes_in, result.bytes_out) == (len(content), storage.stat(f"{root}/a.csv").size_bytes)
    assert len(content) != result.bytes_out


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 8), (PIECE - 2, PIECE + 2), (PIECE, 2 * PIECE)])
def test_a_part_of_an_object_is_read_by_its_bytes(root: str, start: int, stop: int) -> None:
    put(f"{root}/a", letters(PIECE + 7))
    assert storage.read(f"{root}/a", start, stop) == letters(PIECE + 7)[start:stop]


def test_a_failed_transform_leaves_nothing(root: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(reference.written([row(Units_Sold="x")] * 3))
    storage.copy(str(tmp_path / "in.csv"), f"{root}/in.csv")
    with pytest.raises(PolyfaasError):
        transform(f"{root}/in.csv", f"{root}/out.csv", on_error="fail")
    assert [found.url.rpartition("/")[2] for found in storage.listed(f"{root}/")] == ["in.csv"]


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3://bucket",
        "s3://bucket/",
        "s3:///key",
        "s3://b/a//b",
        "s3://b/../c",
        "s3://b/./c",
        "gs://b/a/",
        "ftp://x/y",
        "s3://b/a\nb",
        "memory://b/" + "x" * 1025,
    ],
)
def test_a_url_that_names_no_object_is_refused(url: str) -> None:
    with pytest.raises(RequestError):
        storage.stat(url)


def test_cos_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COS_ENDPOINT", raising=False)
    with pytest.raises(RequestError, match="COS_ENDPOINT, COS_HMAC_ACCESS_KEY_ID and COS_HMAC_SECRET_ACCESS_KEY"):
        storage.stat("cos://bucket/key")


class Refusing(BaseHTTPRequestHandler):
    """What a store answers that cannot or will not: no server here can be told to."""

    status = 503

    def refuse(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = refuse  # noqa: N815  (http.server's names)

    def log_message(self, *_: object) -> None:
        """Nobody listens."""


@pytest.fixture(params=["s3", "gs"])
def refusing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        for variable, value in store_rigs.environment(request.param, endpoint).items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setattr(remote, "RETRIES", {"max_retries": 1, "retry_timeout": timedelta(seconds=1)})
        monkeypatch.setattr(google, "RETRIED_S", 0.5)
        yield f"{request.param}://bucket-{uuid.uuid4().hex[:12]}/key"
        server.shutdown()


@pytest.mark.parametrize(
    ("status", "error", "message"),
    [
        (403, AccessError, "access to .* was refused: check the credentials"),
        (503, StorageError, "the store failed on .*503"),
    ],
)
def test_what_a_store_answers_becomes_one_of_our_errors(
    refusing: str, monkeypatch: pytest.MonkeyPatch, status: int, error: type[PolyfaasError], message: str
) -> None:
    monkeypatch.setattr(Refusing, "status", status)
    for act in (storage.stat, get, storage.remove, lambda url: put(url, b"x")):
        with pytest.raises(error, match=message):
            act(refusing)


def test_a_store_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 1, "retry_timeout": timedelta(seconds=1)})
    monkeypatch.setattr(google, "RETRIED_S", 0.5)
    for rig in ("s3", "gs"):
        for variable, value in store_rigs.environment(rig, f"http://127.0.0.1:{free_port()}").items():
            monkeypatch.setenv(variable, value)
        with pytest.raises(StorageError, match="the store failed on"):
            storage.stat(f"{rig}://bucket-{uuid.uuid4().hex[:12]}/key")


def test_a_forked_child_is_told_what_it_cannot_do() -> None:
    put("memory://fork/a", b"x")
    reading, writing = os.pipe()
    if child := os.fork():
        os.close(writing)
        os.waitpid(child, 0)
        with os.fdopen(reading) as file:
            assert "this process was forked from one that had used obstore" in file.read()
        return
    try:
        get("memory://fork/a")
    except StorageError as error:
        os.write(writing, str(error).encode())
    finally:
        os._exit(0)


@pytest.mark.parametrize("rig", ["s3", "gs"])
def test_what_went_wrong_first_is_what_is_told(rig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "RETRIES", {"max_retries": 1, "retry_timeout": timedelta(seconds=1)})
    monkeypatch.setattr(google, "RETRIED_S", 0.5)
    running = {"s3": store_rigs.amazon, "gs": store_rigs.google}[rig](tmp_path)
    with ExitStack() as server:
        endpoint = server.enter_context(running)
        for variable, value in store_rigs.environment(rig, endpoint).items():
            monkeypatch.setenv(variable, value)
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        store_rigs.make_bucket(rig, endpoint, name)
        with pytest.raises(ZeroDivisionError), storage.sink(f"{rig}://{name}/a") as target:  # noqa: PT012
            target.write(letters(2 * PIECE + 5))
            server.close()
            raise ZeroDivisionError


def test_what_could_not_be_given_up_is_not_made_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(BlobWriter, "close", lambda _: closed.append("closed"))  # what the garbage collector calls
    with store_rigs.google(tmp_path) as endpoint:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", endpoint)
        name = f"bucket-{uuid.uuid4().hex[:12]}"
        store_rigs.make_bucket("gs", endpoint, name)
        monkeypatch.setattr(BlobWriter, "terminate", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError), storage.sink(f"gs://{name}/a") as target:
            raise ZeroDivisionError
    del target
    gc.collect()
    assert closed == []
