"""Two functions in one trace, end to end: one here that calls another in Google's own runtime.

Once their telemetry goes straight to a receiver of the test's, which is no collector, and once through Rotel, a
collector (https://rotel.dev), which passes on what it has understood.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import Request as Http
from urllib.request import urlopen

import msgspec
import pytest

from adapters.lab import start
from adapters.lab.ports import free_port
from core import Request, Service, handle, registry
from core.export.otlp import delivery
from core.message import Context
from core.profiler import traceparent
from tests import services
from tests.otlp_receiver import Receiver, attributes, receiving
from tests.servers import server

HERE = Context(platform="AWS Lambda", function="shop", region="eu-west-1")


class Ask(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    url: str


def ask(request: Ask) -> int:
    headers = {"content-type": "application/json", "traceparent": str(traceparent())}
    call = Http(request.url, data=b'{"kind": "idle"}', headers=headers)
    with urlopen(call, timeout=60) as answer:
        status: int = answer.status
        return status


SERVICES = registry([Service(name="ask", request=Ask, run=ask)])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture(params=["straight", "rotel"])
def endpoint(request: pytest.FixtureRequest, receiver: Receiver, tmp_path: Path) -> Iterator[str]:
    """Where functions send their telemetry, which ends at the receiver."""
    with ExitStack() as stack:
        yield receiver.url if request.param == "straight" else stack.enter_context(rotel(receiver, tmp_path))


def rotel(receiver: Receiver, folder: Path):  # type: ignore[no-untyped-def]  # what `server` gives
    port = free_port()
    argv = [
        *(str(services.program("rotel-agent")), "start", "--batch-timeout", "50ms"),
        *("--otlp-http-endpoint", f"127.0.0.1:{port}", "--otlp-grpc-endpoint", f"127.0.0.1:{free_port()}"),
        *("--exporter", "otlp", "--otlp-exporter-endpoint", receiver.url, "--otlp-exporter-protocol", "http"),
        *("--otlp-exporter-compression", "none"),
    ]
    return server(argv, port, folder)


def test_a_function_that_is_called_joins_its_callers_trace(
    endpoint: str, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {
        "POLYFAAS_EXPORT": "otlp",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "20",
    }
    monkeypatch.setattr(delivery, "_couriers", {})
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with start("gcp", tmp_path / "gcp", environment=variables) as called:
        body = msgspec.json.encode({"url": f"{called.url}/probe"})
        answer = msgspec.json.decode(handle(Request(path="/ask", body=body), HERE, SERVICES).body)
    assert answer["result"] == 200
    receiver.wait(spans=8, metrics=10)
    caller, callee = receiver.span("shop"), receiver.span("polyfaas")
    assert callee.trace_id == caller.trace_id == bytes.fromhex(answer["profile"]["trace"]["trace_id"])
    assert (caller.parent_span_id, callee.parent_span_id) == (b"", caller.span_id)
    below = {span.name for _, span in receiver.spans if span.parent_span_id == callee.span_id}
    assert below >= {"decode", "probe", "encode"}
    assert {span.trace_id for _, span in receiver.spans} == {caller.trace_id}
    told = next(told for told, span in receiver.spans if span.name == "polyfaas")
    assert (told["cloud.platform"], told["faas.name"], told["faas.max_memory"]) == (
        *("gcp_cloud_functions", "polyfaas"),
        1024 << 20,
    )
    platforms = {told["cloud.platform"] for told, metric in receiver.metrics if metric.name == "faas.invocations"}
    assert platforms == {"aws_lambda", "gcp_cloud_functions"}
    assert attributes(callee.attributes)["faas.coldstart"] is True
