"""The HTTP front of the stand-ins, and the connection that calls all runtimes."""

import http.client
import socket
import threading
from collections.abc import Iterator

import msgspec
import pytest

from adapters.connection import Connection
from adapters.lab.front import Server, server
from core.message import Request, Response

MIRRORED = ("method", "path", "query", "body")


def mirror(request: Request) -> Response:
    seen = {name: getattr(request, name) for name in MIRRORED}
    headers = {"content-type": "application/json", "x-seen": request.headers.get("x-mine", "")}
    return Response(status=int(request.query.get("status", 200)), headers=headers, body=msgspec.json.encode(seen))


@pytest.fixture
def front() -> Iterator[Server]:
    with server(0, mirror) as started:
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield started
        started.shutdown()
        thread.join()


@pytest.fixture
def connection(front: Server) -> Iterator[Connection]:
    made = Connection(front.server_address[1])
    yield made
    made.close()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_a_request_of_any_method_arrives_whole(connection: Connection, method: str) -> None:
    request = Request(method=method, path="/a b/größe", query={"a": "1&2", "b": "ß"}, body=b"\x00\xff")
    seen = msgspec.json.decode(connection.exchange(request).response.body, type=Request)
    assert seen == request


def test_headers_go_both_ways(connection: Connection) -> None:
    response = connection.exchange(Request(headers={"X-Mine": "yes"})).response
    assert response.headers["x-seen"] == "yes"


@pytest.mark.parametrize("status", [200, 404, 418, 599])
def test_any_status_comes_through(connection: Connection, status: int) -> None:
    assert connection.exchange(Request(query={"status": str(status)})).response.status == status


def test_head_gets_the_length_and_no_body(connection: Connection) -> None:
    head = connection.exchange(Request(method="HEAD")).response
    post = connection.exchange(Request(method="POST")).response
    assert (head.body, int(head.headers["content-length"])) == (b"", len(post.body))


def test_a_chunked_body_is_refused(front: Server) -> None:
    client = http.client.HTTPConnection("127.0.0.1", front.server_address[1])
    client.request("POST", "/", iter([b"{}"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    with client.getresponse() as answer:
        assert answer.status == 411
    client.close()


def test_calls_share_one_connection(connection: Connection) -> None:
    connection.exchange(Request())
    first = connection._http.sock
    connection.exchange(Request())
    assert connection._http.sock is first


def test_a_connection_that_the_server_may_have_dropped_is_not_used_again(connection: Connection) -> None:
    connection.exchange(Request())
    first = connection._http.sock
    connection._used_s -= 3600
    status = connection.exchange(Request()).response.status
    assert (status, connection._http.sock is first) == (200, False)


def test_a_server_that_is_not_there_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        Connection(port).exchange(Request())


def hang_up(silent: socket.socket) -> None:
    connection, _ = silent.accept()
    connection.close()


def test_a_server_that_hangs_up_is_an_os_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        connection = Connection(silent.getsockname()[1])
        thread = threading.Thread(target=hang_up, args=[silent])
        thread.start()
        with pytest.raises(ConnectionError):
            connection.exchange(Request())
        thread.join()
