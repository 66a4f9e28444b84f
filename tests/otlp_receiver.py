"""A receiver of OTLP/HTTP for tests: it decodes with OpenTelemetry's own messages and keeps what came.

It is no collector: it takes what is well-formed, and passes nothing on. `tests/test_export_collector.py` has one.
"""

import gzip
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from core.export import exporters
from core.export.otlp import delivery

WAIT_S = 20.0


class Receiver(ThreadingHTTPServer):
    """Takes spans and metrics on a free port of the loopback.

    Attributes:
        status: What it answers.
        spans: Each with its resource's attributes.
        metrics: The same.
        posts: Number of requests.
        open: Answers wait until it is set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.spans: list[tuple[dict[str, Any], Span]] = []
        self.metrics: list[tuple[dict[str, Any], Metric]] = []
        self.posts = 0
        self.open = threading.Event()
        self.open.set()
        self._came = threading.Condition()

    @property
    def url(self) -> str:
        """What OTEL_EXPORTER_OTLP_ENDPOINT must say."""
        return f"http://127.0.0.1:{self.server_port}"

    def take(self, path: str, body: bytes) -> None:
        """Keep what was posted."""
        with self._came:
            self.posts += 1
            if path == "/v1/traces":
                traces = ExportTraceServiceRequest.FromString(body)
                for each in traces.resource_spans:
                    spans = [span for scope in each.scope_spans for span in scope.spans]
                    self.spans += [(attributes(each.resource.attributes), span) for span in spans]
            else:
                figures = ExportMetricsServiceRequest.FromString(body)
                for part in figures.resource_metrics:
                    metrics = [metric for scope in part.scope_metrics for metric in scope.metrics]
                    self.metrics += [(attributes(part.resource.attributes), metric) for metric in metrics]
            self._came.notify_all()

    def wait(self, spans: int, metrics: int = 0) -> None:
        """Wait until that many have come."""
        with self._came:
            came = self._came.wait_for(lambda: len(self.spans) >= spans and len(self.metrics) >= metrics, WAIT_S)
        assert came, f"{len(self.spans)} spans and {len(self.metrics)} metrics came, not {spans} and {metrics}"

    def span(self, name: str) -> Span:
        """The span of that name; there must be one."""
        (found,) = [span for _, span in self.spans if span.name == name]
        return found

    def metric(self, name: str) -> Metric:
        """The latest state of a metric."""
        return [metric for _, metric in self.metrics if metric.name == name][-1]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        assert self.headers["content-type"] == "application/x-protobuf"
        if self.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        self.server.open.wait(WAIT_S)
        if self.server.status == 200:
            self.server.take(self.path, body)
        else:
            self.server.posts += 1
        self.send_response(self.server.status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (its name in the base class)
        """Say nothing."""


def attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    """Attributes by name, their values as Python's."""
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in pairs}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that runs meanwhile."""
    with Receiver() as receiver:
        thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.open.set()
            receiver.shutdown()
            thread.join()


@contextmanager
def delivering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver that this instance sends to, as one that has delivered nothing yet; no delivery is left behind."""
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(exporters, "_told", set())
    monkeypatch.setattr(delivery, "_couriers", {})
    monkeypatch.setenv(exporters.VARIABLE, "otlp")
    monkeypatch.setenv(delivery.TIMEOUT, str(WAIT_S))  # a slow machine is no slow collector
    with receiving() as running:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", running.url)
        yield running
    for thread in threading.enumerate():
        if isinstance(thread, delivery.Delivery):
            thread.join(WAIT_S)
            assert not thread.is_alive()
