"""What the delivery to a collector costs a call: a good one, a bad one, and none."""

import importlib
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from core import Request, Service, handle, registry, span
from core.export.otlp import delivery
from core.message import Context
from tests.otlp_receiver import Receiver, delivering

HERE = Context(platform="AWS Lambda", function="sales")


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with delivering(monkeypatch) as running:
        yield running


class Add(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    a: int


def add(request: Add) -> int:
    with span("sum"):
        return request.a


SERVICES = registry([Service(name="add", request=Add, run=add)])


def called() -> dict[str, Any]:
    response = handle(Request(path="/add", body=b'{"a": 2}'), HERE, SERVICES)
    answer: dict[str, Any] = msgspec.json.decode(response.body)
    assert answer["status"] == 200
    return answer


def test_a_call_has_been_delivered_when_it_is_answered(receiver: Receiver) -> None:
    profile = called()["profile"]
    assert receiver.span("sales").span_id.hex() == profile["trace"]["span_id"]
    assert [sent.name for _, sent in receiver.spans] == ["sales", "decode", "add", "sum", "encode"]
    assert receiver.metric("faas.invocations").sum.data_points[0].as_int == 1


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


@pytest.fixture
def elapsed_s(caplog: pytest.LogCaptureFixture) -> Callable[[], float]:
    def measure() -> float:
        began_s = time.monotonic()
        with caplog.at_level(logging.WARNING):
            called()
        return time.monotonic() - began_s

    return measure


def test_a_collector_that_does_not_answer_holds_a_call_no_longer_than_the_bound(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    elapsed_s: Callable[[], float],
) -> None:
    called()  # the packages are there now, and the connection
    monkeypatch.setenv(delivery.TIMEOUT, "0.2")
    receiver.open.clear()
    assert 0.2 <= elapsed_s() < 5  # not the 20 s that the receiver would have it wait
    assert sum(elapsed_s() for _ in range(20)) < 20 * 0.2  # none waits while the first one's delivery does
    (said,) = warnings(caplog)
    assert said == (
        "the exporter otlp failed, and will not say so again: the collector took longer than 0.2 s: "
        "set OTEL_EXPORTER_OTLP_TIMEOUT, or look after it"
    )


def test_where_nobody_listens_only_the_first_call_waits_and_it_is_told_once(
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    elapsed_s: Callable[[], float],
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")  # the discard port: nobody's
    monkeypatch.setenv(delivery.TIMEOUT, "0.5")
    took_s = [elapsed_s() for _ in range(20)]
    assert sum(took_s[1:]) < 19 * 0.5  # none of them tried
    (said,) = warnings(caplog)
    assert "the exporter otlp failed, and will not say so again: no collector took the call (" in said
    assert said.endswith("): OTEL_EXPORTER_OTLP_ENDPOINT says where it listens")
    assert receiver.posts == 0


def test_calls_during_the_pause_after_a_failure_are_counted_when_it_is_over(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    called()
    receiver.status = 400
    called()
    failed = receiver.posts
    called()
    assert receiver.posts == failed
    receiver.status = 200
    now_s = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now_s + delivery.PAUSE_S)
    called()
    assert receiver.metric("faas.invocations").sum.data_points[0].as_int == 4
    assert len([sent for _, sent in receiver.spans if sent.name == "sales"]) == 2


@pytest.mark.parametrize("module", ["opentelemetry.sdk.metrics", "opentelemetry.exporter.otlp.proto.http"])
def test_without_the_package_a_call_is_answered_and_the_cure_told_once(
    module: str, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in [name for name in sys.modules if name.startswith("core.export.otlp.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    anew = importlib.import_module("core.export.otlp.delivery")
    monkeypatch.setattr(anew, "PAUSE_S", 0.0)
    with caplog.at_level(logging.WARNING):
        called()
        called()
    (said,) = warnings(caplog)
    assert said.endswith(": pip install 'polyfaas[otel]'")
    assert receiver.posts == 0


@pytest.mark.parametrize(
    ("setting", "cure"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT=soon", "OTEL_EXPORTER_OTLP_TIMEOUT is 'soon': give seconds, such as 0.5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT=inf", "OTEL_EXPORTER_OTLP_TIMEOUT is 'inf': give seconds, such as 0.5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT=-1", "OTEL_EXPORTER_OTLP_TIMEOUT is '-1': give seconds, such as 0.5"),
        ("OTEL_METRICS_EXEMPLAR_FILTER=some", "see its OTEL_ variables"),
    ],
)
def test_a_wrong_setting_hurts_no_call_and_is_told_once(
    setting: str,
    cure: str,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(*setting.split("="))
    with caplog.at_level(logging.WARNING):
        called()
        called()
    (said,) = warnings(caplog)
    assert said.endswith(cure)
    assert receiver.posts == 0


def test_too_many_deliveries_under_way_are_dropped_and_told(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "UNDER_WAY", 1)
    with caplog.at_level(logging.WARNING):
        called()
    (said,) = warnings(caplog)
    assert said == (
        "the exporter otlp failed, and will not say so again: 1 deliveries are under way: "
        "the collector is too slow for this many calls"
    )
    assert receiver.posts == 1


def test_a_forked_child_does_not_use_its_parents_connection(receiver: Receiver) -> None:
    called()
    child = os.fork()
    if child == 0:
        os._exit(0 if delivery._couriers and called()["profile"]["cold"] else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    instances = {told["faas.instance"] for told, sent in receiver.spans if sent.name == "sales"}
    assert len(instances) == 2
