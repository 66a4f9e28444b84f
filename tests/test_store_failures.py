"""What becomes of the things that go wrong in a store."""

import gc
import os
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from google.cloud.storage.fileio import BlobWriter

from adapters.lab.ports import free_port
from core import AccessError, NotFoundError, PolyfaasError, RequestError, StorageError, storage
from core.storage import ChangedError, clients, google
from tests import store_rigs
from tests.store_rigs import get, letters, put

PIECE = storage.PIECE_BYTES


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
        "nowhere://x/y",
        "s3://b/a\nb",
        "memory://b/" + "x" * 1025,
    ],
)
def test_a_url_that_names_no_object_is_refused(url: str) -> None:
    with pytest.raises(RequestError):
        storage.stat(url)


CONTENT = letters(1000)


@dataclass
class Told:
    """How a store answers, and how often it was asked.

    Attributes:
        status: What it answers; 200 means that it does what is asked.
        broken: How many of the next bodies end before they should.
        asked: How many requests there were.
    """

    status: int = 200
    broken: int = 0
    asked: int = 0


class Answering(BaseHTTPRequestHandler):
    """A store of one object that answers as it is told to: no server here can be made to."""

    protocol_version = "HTTP/1.1"
    told: Told

    def answer(self) -> None:
        self.told.asked += 1
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.told.status != HTTPStatus.OK:
            self.send(self.told.status, b"")
        elif "/storage/v1/" in self.path and "alt=media" not in self.path:
            self.send(200, b'{"size": "1000", "generation": "5", "name": "key", "bucket": "b"}')
        elif self.command == "HEAD":
            self.send(200, CONTENT)
        else:
            self.part(self.told.broken > 0)

    def part(self, broken: bool) -> None:
        first, _, last = self.headers["Range"].removeprefix("bytes=").partition("-")
        content = CONTENT[int(first) : int(last or len(CONTENT)) + 1]
        self.send(206, content, len(content) // 2 if broken else len(content))
        if broken:
            self.told.broken -= 1
            self.close_connection = True

    def send(self, status: int, body: bytes, sent: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"5"')
        self.send_header("Last-Modified", "Tue, 24 Nov 2026 15:00:00 GMT")
        if status == HTTPStatus.PARTIAL_CONTENT:
            first = CONTENT.index(body[:16]) if len(body) == len(CONTENT) else len(CONTENT) - len(body)
            self.send_header("Content-Range", f"bytes {first}-{first + len(body) - 1}/{len(CONTENT)}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:sent])

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer  # noqa: N815  (http.server's names)

    def log_message(self, *_: object) -> None:
        """Nobody listens."""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients that repeat what fails twice, or for half a second."""
    monkeypatch.setattr(clients, "RETRIES", {"max_retries": 2, "retry_timeout": timedelta(seconds=2)})
    monkeypatch.setattr(google, "RETRIED_S", 0.5)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture(params=["s3", "gs", "az"])
def answering(request: pytest.FixtureRequest, told: Told, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of the object."""
    request.getfixturevalue("hasty")
    handler = type("Answering", (Answering,), {"told": told})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        for variable, value in store_rigs.environment(request.param, f"http://127.0.0.1:{server.server_port}").items():
            monkeypatch.setenv(variable, value)
        yield f"{request.param}://bucket-{os.urandom(6).hex()}/key"
        server.shutdown()


ANSWERS = [
    (401, AccessError, r"access to .* was refused: check the credentials and what they allow"),
    (403, AccessError, r"access to .* was refused: check the credentials and what they allow"),
    (404, NotFoundError, r"there is nothing at .*: check the bucket and the name"),
    (412, ChangedError, r"(was changed by another writer meanwhile: read it and repeat|has changed while it was read)"),
    (429, StorageError, r"the store failed on .*: it has too much to do \(429\), try again later"),
    (500, StorageError, r"the store failed on .*: .*500"),
    (503, StorageError, r"the store failed on .*: it has too much to do \(503\), try again later"),
]


@pytest.mark.parametrize(("status", "error", "message"), ANSWERS)
def test_what_a_store_answers_becomes_one_of_our_errors(
    answering: str, told: Told, status: int, error: type[PolyfaasError], message: str
) -> None:
    told.status = status
    for act in (storage.stat, get, storage.remove, lambda url: put(url, b"x")):
        with pytest.raises(error, match=message) as raised:
            act(answering)
        assert type(raised.value) is error


def test_a_condition_that_does_not_hold_is_told_by_its_status(answering: str, told: Told) -> None:
    told.status = 412
    with (
        pytest.raises(ChangedError, match="was changed by another writer meanwhile: read it and repeat"),
        storage.sink(answering, expected="5") as target,
    ):
        target.write(b"x")


@pytest.mark.parametrize(("status", "times"), [(403, 1), (404, 1), (412, 1), (429, 3), (503, 3)])
def test_only_what_may_pass_is_asked_again_and_not_for_ever(
    answering: str, told: Told, status: int, times: int
) -> None:
    told.status = status
    with pytest.raises(PolyfaasError):
        storage.stat(answering)
    if answering.startswith("gs") and times > 1:  # Google's client counts seconds
        assert told.asked >= 1
    else:
        assert told.asked == times


def test_an_answer_that_breaks_off_is_asked_for_again(
    answering: str, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(google, "RETRIED_S", 30)
    told.broken = 1
    assert get(answering) == CONTENT
    assert told.broken == 0


def test_an_answer_that_always_breaks_off_is_an_error(answering: str, told: Told) -> None:
    told.broken = 1000
    with pytest.raises(StorageError, match=r"the store failed on .*: its answer broke off each time, try again later"):
        get(answering)
    assert told.asked < 20


@pytest.mark.usefixtures("hasty")
def test_a_store_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for rig in ("s3", "gs", "az"):
        for variable, value in store_rigs.environment(rig, f"http://127.0.0.1:{free_port()}").items():
            monkeypatch.setenv(variable, value)
        with pytest.raises(StorageError, match="the store failed on"):
            storage.stat(f"{rig}://bucket-{os.urandom(6).hex()}/key")


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


@pytest.mark.parametrize("rig", ["s3", "seaweedfs", "gs", "az"])
@pytest.mark.usefixtures("hasty")
def test_what_went_wrong_first_is_what_is_told(rig: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ExitStack() as server:
        url = store_rigs.bucket(rig, server.enter_context(store_rigs.SERVERS[rig](tmp_path)), monkeypatch)
        with pytest.raises(ZeroDivisionError), storage.sink(f"{url}/a") as target:  # noqa: PT012
            target.write(letters(2 * PIECE + 5))
            server.close()
            raise ZeroDivisionError


def test_what_could_not_be_given_up_is_not_made_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []
    monkeypatch.setattr(BlobWriter, "close", lambda _: closed.append("closed"))  # what the garbage collector calls
    with store_rigs.google(tmp_path) as endpoint:
        url = store_rigs.bucket("gs", endpoint, monkeypatch)
        monkeypatch.setattr(BlobWriter, "terminate", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError), storage.sink(f"{url}/a") as target:
            raise ZeroDivisionError
    del target
    gc.collect()
    assert closed == []
