"""One HTTP connection to an instance, kept alive, and the time that an exchange on it takes."""

import http.client
import threading
from time import monotonic, perf_counter_ns
from urllib.parse import quote, urlencode

from adapters.base import Reply
from core.message import Request, Response

# No provider lets a synchronous call run longer than this.
TIMEOUT_S = 900

# gunicorn drops a connection after 2 s without a request; a request sent at that moment would be lost.
IDLE_S = 1.0


class Connection:
    """A `Channel` over HTTP/1.1.

    Args:
        port: Loopback port of the instance.
    """

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
        self._lock = threading.Lock()
        self._used_s = monotonic()

    def exchange(self, request: Request) -> Reply:
        """Send a request and wait for its answer; connecting, when needed, is not part of the elapsed time.

        Raises:
            OSError: The instance could not be reached, broke off or spoke no HTTP.
        """
        target = quote(request.path) + (f"?{urlencode(request.query)}" if request.query else "")
        headers = {"content-type": "application/json", **request.headers}
        with self._lock:
            try:
                self._connect()
                return self._exchange(request, target, headers)
            except http.client.HTTPException as error:
                self.close()
                raise ConnectionError(f"the instance broke off: {error!r}") from error
            except OSError:
                self.close()
                raise
            finally:
                self._used_s = monotonic()

    def close(self) -> None:
        """Drop the connection; the next exchange makes a new one."""
        self._http.close()

    def _connect(self) -> None:
        if monotonic() - self._used_s > IDLE_S:
            self._http.close()
        if self._http.sock is None:
            self._http.connect()

    def _exchange(self, request: Request, target: str, headers: dict[str, str]) -> Reply:
        started_ns = perf_counter_ns()
        self._http.request(request.method, target, request.body, headers)
        # Closed here: a response that closes itself when it is collected clears a Ctrl-C that comes meanwhile.
        with self._http.getresponse() as answer:
            body = answer.read()
            elapsed_ms = (perf_counter_ns() - started_ns) / 1e6
            received = {name.lower(): value for name, value in answer.getheaders()}
            response = Response(status=answer.status, headers=received, body=body)
        return Reply(response=response, elapsed_ms=elapsed_ms)
