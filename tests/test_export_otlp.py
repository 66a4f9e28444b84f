"""Profiles as OpenTelemetry spans and metrics, as a receiver decodes them."""

from collections.abc import Iterator

import msgspec
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from opentelemetry.semconv._incubating.attributes import cloud_attributes, faas_attributes
from opentelemetry.semconv._incubating.metrics import faas_metrics

from core.export.otlp import delivery
from core.export.otlp.figures import COUNTS, DISTRIBUTIONS
from core.export.otlp.resource import CLOUDS
from core.export.record import Finished
from core.message import Context
from core.profiler.record import Profile, Span, Trace
from tests.otlp_receiver import Receiver, attributes, delivering

HERE = Context(platform="AWS Lambda", function="sales", region="eu-west-1", memory_mib=512, request_id="r-1")
TRACE = Trace(trace_id="0af7651916cd43dd8448eb211c80319c", span_id="00f067aa0ba902b7", parent_id="b7ad6b7169203331")
STARTED_NS = 1_795_521_600_250_000_000
PROFILE = Profile(
    version=2,
    instance_id="ab" * 16,
    invocation=1,
    cold=True,
    started_at="2026-11-24T12:00:00.250000+00:00",
    duration_ms=20.0,
    spans=[
        Span("init", -500.0, 400.0),
        Span("imports", -450.0, 300.0),
        Span("load", 1.0, 19.0),
        Span("read", 2.0, 8.0),
        Span("parse", 5.5, 14.5, failed=True),
        Span("again", 11.0, 1.0),
    ],
    metrics={"cpu_ms": 3.0, "peak_rss_mib": 20.0, "net_received_bytes": 100, "net_sent_bytes": 20, "gc_ms": 4.0},
    boot_id="boot",
    trace=TRACE,
    error="KeyError",
    phase="parse",
)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    with delivering(monkeypatch) as running:
        yield running


def finished(profile: Profile = PROFILE, context: Context = HERE) -> Finished:
    return Finished(profile=profile, context=context, service="query", status=500)


def test_a_calls_span_has_the_ids_that_its_callers_know(receiver: Receiver) -> None:
    delivery.send(finished())
    sent = receiver.span("sales")
    assert (sent.trace_id.hex(), sent.span_id.hex()) == (TRACE.trace_id, TRACE.span_id)
    assert (sent.parent_span_id.hex(), sent.kind) == (TRACE.parent_id, Sent.SPAN_KIND_SERVER)


def test_a_call_that_nobody_called_is_a_root(receiver: Receiver) -> None:
    trace = msgspec.structs.replace(TRACE, parent_id=None)
    delivery.send(finished(msgspec.structs.replace(PROFILE, trace=trace)))
    assert receiver.span("sales").parent_span_id == b""


def test_a_calls_span_says_what_the_convention_asks_and_every_metric(receiver: Receiver) -> None:
    delivery.send(finished())
    assert attributes(receiver.span("sales").attributes) == {
        "faas.invocation_id": "r-1",
        "faas.coldstart": True,
        "http.response.status_code": 500,
        "error.type": "KeyError",
        "polyfaas.service": "query",
        "polyfaas.phase": "parse",
        "polyfaas.invocation": 1,
        "polyfaas.restored": False,
        "polyfaas.boot_id": "boot",
        "polyfaas.cpu_ms": 3.0,
        "polyfaas.peak_rss_mib": 20.0,
        "polyfaas.net_received_bytes": 100,
        "polyfaas.net_sent_bytes": 20,
        "polyfaas.gc_ms": 4.0,
    }


def test_the_function_is_the_resource(receiver: Receiver) -> None:
    delivery.send(finished())
    told = {key: value for key, value in receiver.spans[0][0].items() if not key.startswith("telemetry.sdk")}
    assert told == {
        "service.name": "sales",
        "service.instance.id": "ab" * 16,
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": "eu-west-1",
        "faas.name": "sales",
        "faas.instance": "ab" * 16,
        "faas.max_memory": 512 * 1024 * 1024,
    }
    assert receiver.metrics[0][0] == receiver.spans[0][0]


def test_opentelemetrys_own_variables_name_the_service(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test,cloud.region=moon")
    delivery.send(finished())
    told = receiver.spans[0][0]
    assert [told[key] for key in ("service.name", "deployment.environment.name", "cloud.region", "faas.name")] == [
        *("shop", "test", "moon", "sales")
    ]


def test_a_call_outside_every_provider_names_no_cloud(receiver: Receiver) -> None:
    delivery.send(finished(context=Context(platform="local")))
    told = receiver.spans[0][0]
    assert (told["service.name"], [key for key in told if key.startswith(("cloud.", "faas.max"))]) == ("polyfaas", [])


def test_times_are_the_start_by_the_wall_clock_and_monotonic_durations(receiver: Receiver) -> None:
    delivery.send(finished())
    times = {span.name: (span.start_time_unix_nano, span.end_time_unix_nano) for _, span in receiver.spans}
    ms = 1_000_000
    assert times == {
        "sales": (STARTED_NS, STARTED_NS + 20 * ms),
        "init": (STARTED_NS - 500 * ms, STARTED_NS - 100 * ms),
        "imports": (STARTED_NS - 450 * ms, STARTED_NS - 150 * ms),
        "load": (STARTED_NS + ms, STARTED_NS + 20 * ms),
        "read": (STARTED_NS + 2 * ms, STARTED_NS + 10 * ms),
        "parse": (STARTED_NS + 5_500_000, STARTED_NS + 20 * ms),
        "again": (STARTED_NS + 11 * ms, STARTED_NS + 12 * ms),
    }


def test_a_part_is_below_the_one_that_it_lies_in(receiver: Receiver) -> None:
    delivery.send(finished())
    names = {span.span_id: span.name for _, span in receiver.spans}
    above = {span.name: names[span.parent_span_id] for _, span in receiver.spans if span.name != "sales"}
    assert above == {
        "init": "sales",
        "imports": "init",
        "load": "sales",
        "read": "load",
        "parse": "load",  # it overlaps with read, in another thread, and lies in load
        "again": "parse",
    }
    assert {span.kind for _, span in receiver.spans if span.name != "sales"} == {Sent.SPAN_KIND_INTERNAL}
    assert {span.trace_id.hex() for _, span in receiver.spans} == {TRACE.trace_id}
    assert len(names) == 7


def test_an_error_is_the_status_of_the_call_and_of_the_part_that_it_left(receiver: Receiver) -> None:
    delivery.send(finished())
    failed = {
        span.name: span.status.message for _, span in receiver.spans if span.status.code == Status.STATUS_CODE_ERROR
    }
    assert failed == {"sales": "KeyError in parse", "parse": ""}


def test_a_trace_that_its_caller_does_not_record_is_counted_but_not_sent(receiver: Receiver) -> None:
    trace = msgspec.structs.replace(TRACE, flags="00")
    delivery.send(finished(msgspec.structs.replace(PROFILE, trace=trace)))
    assert (receiver.spans, receiver.metric("faas.errors").sum.data_points[0].as_int) == ([], 1)


def points(receiver: Receiver) -> dict[str, tuple[str, float]]:
    """Unit and sum of each metric's only point."""
    found = {}
    for name in {metric.name for _, metric in receiver.metrics}:
        metric = receiver.metric(name)
        (point,) = metric.histogram.data_points or metric.sum.data_points
        found[name] = (metric.unit, float(getattr(point, "sum", 0) or getattr(point, "as_int", 0)))
    return found


def test_metrics_have_the_conventions_names_and_units(receiver: Receiver) -> None:
    delivery.send(finished())
    assert points(receiver) == {
        "faas.invoke_duration": ("s", 0.02),
        "faas.init_duration": ("s", 0.4),
        "faas.cpu_usage": ("s", 0.003),
        "faas.mem_usage": ("By", 20 * 1024 * 1024),
        "faas.net_io": ("By", 120),
        "polyfaas.gc": ("s", 0.004),
        "faas.errors": ("{error}", 1),
        "faas.coldstarts": ("{coldstart}", 1),
    }
    (point,) = receiver.metric("faas.errors").sum.data_points
    assert attributes(point.attributes) == {"polyfaas.service": "query", "error.type": "KeyError"}


def test_the_start_of_an_instance_does_not_count_its_waiting_for_a_call(receiver: Receiver) -> None:
    start = [
        Span("start/interpreter", -1000.0, 200.0),
        Span("start/function", -800.0, 100.0),
        Span("start/wait", -700.0, 600.0),
        Span("start/worker", -100.0, 60.0),
        Span("start/wait", -40.0, 40.0),
        Span("decode", 0.5, 1.0),
    ]
    delivery.send(finished(msgspec.structs.replace(PROFILE, spans=start)))
    assert points(receiver)["faas.init_duration"][1] == pytest.approx(0.36)


def test_metrics_add_up_over_an_instances_calls(receiver: Receiver) -> None:
    well = msgspec.structs.replace(PROFILE, invocation=2, cold=False, error=None, phase=None, duration_ms=30.0)
    for profile in (PROFILE, well, well):
        delivery.send(finished(profile))
    counts = {name: receiver.metric(name).sum.data_points[0].as_int for name in ("faas.invocations", "faas.coldstarts")}
    assert counts == {"faas.invocations": 2, "faas.coldstarts": 1}
    ran = receiver.metric("faas.invoke_duration").histogram.data_points
    assert sorted((point.count, round(point.sum, 9)) for point in ran) == [(3, 0.08)]


def test_what_calls_that_overlap_did_together_is_counted_for_none_of_them(receiver: Receiver) -> None:
    shared = {**PROFILE.metrics, "cpu_shared": True, "disk_read_bytes": 1, "disk_write_bytes": 1}
    delivery.send(finished(msgspec.structs.replace(PROFILE, metrics=shared)))
    assert points(receiver).keys() & {"faas.net_io", "polyfaas.disk_io", "polyfaas.gc", "faas.cpu_usage"} == {
        "faas.cpu_usage"
    }


def test_names_and_units_are_those_of_the_conventions_package() -> None:
    documented = {str(getattr(faas_metrics, name)) for name in vars(faas_metrics) if name.startswith("FAAS_")} - {
        "faas.timeouts"
    }  # a function that is ended cannot tell
    ours = {each.name: each.unit for each in (*DISTRIBUTIONS, *COUNTS) if each.name.startswith("faas.")}
    assert ours.keys() == documented
    makers = [getattr(faas_metrics, f"create_{name.replace('.', '_')}") for name in ours]
    assert {maker(Meter()) for maker in makers} == set(ours.items())
    values = {each.value for each in cloud_attributes.CloudPlatformValues} | {"ibm_cloud_code_engine"}
    assert {platform for _, platform in CLOUDS.values()} <= values
    providers = {each.value for each in cloud_attributes.CloudProviderValues}
    assert {provider for provider, _ in CLOUDS.values()} <= providers
    assert faas_attributes.FAAS_COLDSTART == "faas.coldstart"


class Meter:
    """Gives back what an instrument is made of."""

    def create_counter(self, name: str, unit: str, description: str) -> tuple[str, str]:
        assert description
        return name, unit

    create_histogram = create_counter
