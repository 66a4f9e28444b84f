"""The delivery of a call to the collector, before its answer and for no longer than a bound.

An instance may be frozen once it has answered, so nothing is kept for later. Both signals travel in threads of
their own: not even a name server that does not answer can hold a call longer.
"""

import math
import os
import threading
import time
from typing import TYPE_CHECKING

from core.export.record import ExportError, Finished

if TYPE_CHECKING:
    from core.export.otlp.pipeline import Pipeline

SIGNALS = ("spans", "metrics")
# OpenTelemetry's own variable, in seconds; its default of 10 is long for a caller who waits.
TIMEOUT = "OTEL_EXPORTER_OTLP_TIMEOUT"
TIMEOUT_S = 1.0
# After a failure the next calls do not wait for a collector that is not there.
PAUSE_S = 30.0
# Deliveries of calls that overlap: more than that are dropped.
UNDER_WAY = 32


def send(finished: Finished) -> None:
    """Deliver a call's spans and metrics.

    Raises:
        ExportError: The collector did not take them in time, opentelemetry is missing or its settings are wrong.
    """
    # A forked child has another id, and must not speak over its parent's connections.
    courier = _couriers.setdefault(finished.profile.instance_id, Courier())
    courier.send(finished)


class Courier:
    """This instance's way to the collector."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._resumes_s = 0.0
        self._late: list[Delivery] = []
        self._places = threading.BoundedSemaphore(UNDER_WAY)

    def send(self, finished: Finished) -> None:
        """Deliver both signals, and wait for them until the bound.

        Raises:
            ExportError: One of them could not be delivered, or not yet.
        """
        if self._pauses():
            self._count(finished)
            return
        timeout_s = _timeout_s()
        deadline_s = time.monotonic() + timeout_s
        deliveries = [each for signal in SIGNALS if (each := self._started(signal, finished)) is not None]
        for delivery in deliveries:
            delivery.join(max(deadline_s - time.monotonic(), 0))
        self._late += [delivery for delivery in deliveries if delivery.is_alive()]
        self._check(deliveries, timeout_s)

    def deliver(self, signal: str, finished: Finished) -> None:
        """Deliver one signal, however long that takes.

        Raises:
            ExportError: The collector did not take it.
        """
        try:
            getattr(self._ready(finished), signal)(finished)
        except ExportError:
            self._resumes_s = time.monotonic() + PAUSE_S
            raise
        finally:
            self._places.release()

    def _pauses(self) -> bool:
        """Whether a collector that failed, or keeps an earlier call's delivery waiting, is let alone."""
        self._late = [delivery for delivery in self._late if delivery.is_alive()]
        return bool(self._late) or time.monotonic() < self._resumes_s

    def _count(self, finished: Finished) -> None:
        if self._pipeline is not None:
            self._pipeline.record(finished)

    def _started(self, signal: str, finished: Finished) -> "Delivery | None":
        """A delivery under way; None where there are too many."""
        if not self._places.acquire(blocking=False):
            return None
        delivery = Delivery(self, signal, finished)
        try:
            delivery.start()
        except RuntimeError as error:
            self._places.release()
            raise ExportError(f"no thread could be started ({error}): allow this function more of them") from error
        return delivery

    def _check(self, deliveries: list["Delivery"], timeout_s: float) -> None:
        for delivery in deliveries:
            if delivery.error is not None:
                raise delivery.error
        if any(delivery.is_alive() for delivery in deliveries):
            slow = "the import of OpenTelemetry" if self._pipeline is None else "the collector"
            raise ExportError(f"{slow} took longer than {timeout_s:g} s: set {TIMEOUT}, or look after it")
        if len(deliveries) < len(SIGNALS):
            raise ExportError(f"{UNDER_WAY} deliveries are under way: the collector is too slow for this many calls")

    def _ready(self, finished: Finished) -> "Pipeline":
        with self._lock:
            if self._pipeline is None:
                self._pipeline = _pipeline(finished)
            return self._pipeline


class Delivery(threading.Thread):
    """A signal of one call on its way.

    Attributes:
        error: Why it could not be delivered.
    """

    def __init__(self, courier: Courier, signal: str, finished: Finished) -> None:
        super().__init__(name=f"polyfaas {signal}", daemon=True)
        self.error: ExportError | None = None
        self._courier, self._signal, self._finished = courier, signal, finished

    def run(self) -> None:
        """Deliver it."""
        try:
            self._courier.deliver(self._signal, self._finished)
        except ExportError as error:
            self.error = error


_couriers: dict[str, Courier] = {}


def _timeout_s() -> float:
    told = os.environ.get(TIMEOUT) or str(TIMEOUT_S)
    try:
        timeout_s = float(told)
    except ValueError:
        timeout_s = math.nan
    if not 0 <= timeout_s <= threading.TIMEOUT_MAX:
        raise ExportError(f"{TIMEOUT} is {told!r}: give seconds, such as 0.5")
    return timeout_s


def _pipeline(finished: Finished) -> "Pipeline":
    try:
        from core.export.otlp.pipeline import Pipeline

        return Pipeline(finished, _timeout_s())
    except ImportError as error:
        raise ExportError(f"{error}: pip install 'polyfaas[otel]'") from error
    except (OSError, ValueError) as error:
        raise ExportError(f"OpenTelemetry refuses its settings ({error}): see its OTEL_ variables") from error
