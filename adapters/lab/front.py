"""The HTTP side of the runtimes that bring none: HTTP/1.1, one thread a connection, one write a response."""

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

from core.message import Request, Response


class Server(ThreadingTCPServer):
    """Takes connections, a thread for each; unlike `HTTPServer` it does not ask for this machine's name."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


def serve(port: int, answer: Callable[[Request], Response]) -> None:
    """Answer every request on the port, until the process is ended."""
    server(port, answer).serve_forever()


def server(port: int, answer: Callable[[Request], Response]) -> Server:
    """A server that listens on the port and answers once it is told to serve."""

    class Handler(Front):
        """This server's requests."""

        def answer(self, request: Request) -> Response:
            """What the caller's function says."""
            return answer(request)

    return Server(("127.0.0.1", port), Handler)


class Front(BaseHTTPRequestHandler):
    """Turns HTTP requests of any method into neutral ones."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, request: Request) -> Response:
        """The response to a request."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):
            return self._respond
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Write no access log: it would count in every call."""

    def _respond(self) -> None:
        if "transfer-encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED)
            return
        response = self.answer(self._request())
        lines = [f"HTTP/1.1 {response.status} {_reason(response.status)}"]
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        lines += [f"content-length: {len(response.body)}", "", ""]
        body = b"" if self.command == "HEAD" else response.body
        self.wfile.write("\r\n".join(lines).encode("latin-1") + body)

    def _request(self) -> Request:
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=unquote(path),
            headers={name.lower(): value for name, value in self.headers.items()},
            query=dict(parse_qsl(query, keep_blank_values=True)),
            body=self.rfile.read(int(self.headers.get("content-length", 0))),
        )


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
