"""What encodes a call's signals and posts them: OpenTelemetry's own exporters, told by its OTEL_ variables."""

import logging
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from opentelemetry.exporter.otlp.proto.http import metric_exporter, trace_exporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricExportResult, MetricsData, PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import SpanExportResult

from core.export.otlp.figures import Figures
from core.export.otlp.resource import resource
from core.export.otlp.spans import sampled, spans
from core.export.record import ExportError, Finished


class Pipeline:
    """An instance's exporters.

    Args:
        finished: Any of its calls.
        timeout_s: How long an exporter tries.
    """

    def __init__(self, finished: Finished, timeout_s: float) -> None:
        for name in LOGGERS:
            logging.getLogger(name).addFilter(heard)
        self._resource = resource(finished)
        self._tracing = trace_exporter.OTLPSpanExporter(timeout=timeout_s)
        self._metering = Watched(timeout=timeout_s)
        # Collects when it is told to, and never by itself: that would need a thread that a frozen instance has not.
        self._reader = PeriodicExportingMetricReader(self._metering, export_interval_millis=math.inf)
        provider = MeterProvider([self._reader], self._resource, shutdown_on_exit=False)
        self._figures = Figures(provider.get_meter("polyfaas"))

    def spans(self, finished: Finished) -> None:
        """Send a call's spans, if its caller lets its trace be recorded.

        Raises:
            ExportError: The collector did not take them.
        """
        if sampled(finished):
            with heard.listening() as said:
                result = self._tracing.export(spans(finished, self._resource))
            _check(result is SpanExportResult.SUCCESS, said)

    def record(self, finished: Finished) -> None:
        """Add a call to the metrics; the next ones that are sent count it."""
        self._figures.record(finished)

    def metrics(self, finished: Finished) -> None:
        """Add a call to the metrics and send them as they are now.

        Raises:
            ExportError: The collector did not take them; the next ones count the call.
        """
        self.record(finished)
        with heard.listening() as said:
            self._reader.collect()
        _check(self._metering.result is MetricExportResult.SUCCESS, said)


class Watched(metric_exporter.OTLPMetricExporter):
    """The exporter of metrics, whose reader keeps what came of an export to itself.

    Attributes:
        result: What came of the last one.
    """

    result: MetricExportResult = MetricExportResult.FAILURE

    def export(self, metrics_data: MetricsData, timeout_millis: float | None = None, **more: Any) -> MetricExportResult:
        """Send metrics."""
        self.result = MetricExportResult.FAILURE
        self.result = super().export(metrics_data, timeout_millis, **more)
        return self.result


class Heard(logging.Filter):
    """Takes what the exporters log in a delivery's thread: it is told once, and not at every call."""

    def __init__(self) -> None:
        super().__init__()
        self._here = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep a record from the log and its text for who listens."""
        said: list[str] | None = getattr(self._here, "said", None)
        if said is not None:
            said.append(record.getMessage())
        return said is None

    @contextmanager
    def listening(self) -> Iterator[list[str]]:
        """What is logged in this thread meanwhile."""
        said: list[str] = []
        self._here.said = said
        try:
            yield said
        finally:
            del self._here.said


heard = Heard()
LOGGERS = (trace_exporter.__name__, metric_exporter.__name__, "opentelemetry.sdk.metrics._internal.export")


def _check(taken: bool, said: list[str]) -> None:
    if not taken:
        reason = said[0] if said else "it gave no reason"
        raise ExportError(f"no collector took the call ({reason}): OTEL_EXPORTER_OTLP_ENDPOINT says where it listens")
