"""What stands between a client and the emulator of DynamoDB, and does to it what a network and a busy service do."""

import json
import socket
import threading
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

Body: TypeAlias = dict[str, Any]
CUT = 0


class Proxy:
    """Passes requests on, unless a test says otherwise.

    Args:
        server: Where the emulator is.

    Attributes:
        url: Where this is.
        asked: How often each operation was asked for.
        before: Given an operation and its request, which it may change, may answer in the emulator's place; the
            status CUT ends the connection without an answer.
        after: May change the emulator's answer, given its operation, its request and it, or give another status.
        one_at_a_time: Whether each request waits for the answer of the one before.
    """

    def __init__(self, server: str) -> None:
        self.server = server
        self.url = ""
        self.asked: Counter[str] = Counter()
        self.before: Callable[[str, Body], tuple[int, Body] | None] = lambda _, __: None
        self.after: Callable[[str, Body, Body], int | None] = lambda _, __, ___: None
        self.one_at_a_time = False
        self.lock = threading.RLock()


def failure(code: str, message: str = "") -> tuple[int, Body]:
    """An answer that says no, as DynamoDB says it."""
    return 400, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}


@contextmanager
def proxy(server: str) -> Iterator[Proxy]:
    """A proxy before an emulator, as long as the context lasts."""
    between = Proxy(server)

    class Handler(_Handler):
        proxy = between

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listener:
        between.url = f"http://127.0.0.1:{listener.server_port}"
        thread = threading.Thread(target=listener.serve_forever)
        thread.start()
        try:
            yield between
        finally:
            listener.shutdown()
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: Proxy

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation, request = self.headers["X-Amz-Target"].partition(".")[2], json.loads(body)
        with self.proxy.lock if self.proxy.one_at_a_time else nullcontext():
            status, answer = self._answered(operation, request)
        if status == CUT:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        told = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _answered(self, operation: str, request: Body) -> tuple[int, Body]:
        with self.proxy.lock:
            self.proxy.asked[operation] += 1
            told = self.proxy.before(operation, request)
        if told is not None:
            return told
        status, answer = self._passed(json.dumps(request).encode())
        if status == 200:
            with self.proxy.lock:
                changed = self.proxy.after(operation, request, answer)
            status = status if changed is None else changed
        return status, answer

    def _passed(self, body: bytes) -> tuple[int, Body]:
        kept = ("X-Amz-Target", "Authorization", "Content-Type", "X-Amz-Date")
        headers = {name: self.headers[name] for name in kept if name in self.headers}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.proxy.server, body, headers), timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the base's name)
        """Say nothing."""
