"""The line of CloudWatch's embedded metric format, held against its specification.

The rules are written down here as a JSON Schema of our own; CloudWatch itself is not to be had.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import logging
from typing import Any

import jsonschema_rs
import msgspec
import pytest

from core.export import emf, exporters
from core.export.record import Finished
from core.message import Context
from core.profiler.metrics import METRICS
from core.profiler.record import Profile, Trace

HERE = Context(platform="AWS Lambda", function="sales", request_id="r-1")
PROFILE = Profile(
    version=2,
    instance_id="ab" * 16,
    invocation=1,
    cold=True,
    started_at="2026-11-24T12:00:00.250000+00:00",
    duration_ms=12.5,
    spans=[],
    metrics={"cpu_ms": 3.25, "peak_rss_mib": 20.5, "net_sent_bytes": 7, "utilized_cpus": 0.26, "cpu_shared": True},
    trace=Trace(trace_id="cd" * 16, span_id="ef" * 8),
)
TEXT = {"type": "string", "minLength": 1, "maxLength": 1024}
UNITS = (
    *("Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"),
    *("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count", "None"),
)
METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": TEXT, "Unit": {"enum": UNITS}, "StorageResolution": {"enum": [1, 60]}},
    "additionalProperties": False,
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": TEXT,
        "Dimensions": {"type": "array", "minItems": 1, "items": {"type": "array", "maxItems": 30, "items": TEXT}},
        "Metrics": {"type": "array", "maxItems": 100, "items": METRIC},
    },
    "additionalProperties": False,
}
METADATA = {
    "type": "object",
    "required": ["Timestamp", "CloudWatchMetrics"],
    "properties": {
        "Timestamp": {"type": "integer", "minimum": 0},
        "CloudWatchMetrics": {"type": "array", "items": DIRECTIVE},
    },
}
FORMAT = jsonschema_rs.validator_for({"type": "object", "required": ["_aws"], "properties": {"_aws": METADATA}})


def document(profile: Profile = PROFILE, chosen: tuple[str, ...] = emf.CHOSEN, **context: Any) -> dict[str, Any]:
    here = msgspec.structs.replace(HERE, **context)
    finished = Finished(profile=profile, context=here, service="query", status=200)
    made: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(emf.document(finished, chosen)))
    return made


def full() -> Profile:
    """A profile with every metric there is."""
    return msgspec.structs.replace(PROFILE, metrics={each.name: bool(not each.unit) or 1.5 for each in METRICS})


def check(made: dict[str, Any]) -> None:
    """What the specification asks for: form, and that each target is there and of its type."""
    FORMAT.validate(made)
    for directive in made["_aws"]["CloudWatchMetrics"]:
        for dimension in (name for names in directive["Dimensions"] for name in names):
            assert isinstance(made[dimension], str)
            assert made[dimension]
        for metric in directive["Metrics"]:
            assert type(made[metric["Name"]]) in {int, float}


@pytest.mark.parametrize("chosen", [emf.CHOSEN, tuple(emf.UNITS)], ids=["chosen", "all"])
@pytest.mark.parametrize("profile", [PROFILE, full()], ids=["some metrics", "every metric"])
def test_a_line_is_as_the_specification_asks(profile: Profile, chosen: tuple[str, ...]) -> None:
    check(document(profile, chosen))


def test_a_line_says_the_call() -> None:
    made = document()
    assert made["_aws"] == {
        "Timestamp": 1795521600250,
        "CloudWatchMetrics": [
            {
                "Namespace": "polyfaas",
                "Dimensions": [["function", "service", "cold"]],
                "Metrics": [
                    {"Name": "duration_ms", "Unit": "Milliseconds"},
                    {"Name": "invocations", "Unit": "Count"},
                    {"Name": "cold_starts", "Unit": "Count"},
                    {"Name": "errors", "Unit": "Count"},
                    {"Name": "cpu_ms", "Unit": "Milliseconds"},
                    {"Name": "peak_rss_bytes", "Unit": "Bytes"},
                ],
            }
        ],
    }
    assert {name: value for name, value in made.items() if name != "_aws"} == {
        "function": "sales",
        "service": "query",
        "cold": "true",
        "status": 200,
        "request_id": "r-1",
        "instance_id": "ab" * 16,
        "invocation": 1,
        "trace_id": "cd" * 16,
        "span_id": "ef" * 8,
        "cpu_shared": True,
        "duration_ms": 12.5,
        "invocations": 1,
        "cold_starts": 1,
        "errors": 0,
        "cpu_ms": 3.25,
        "peak_rss_bytes": 21495808,
        "net_sent_bytes": 7,
        "utilized_cpus": 0.26,
    }


def test_every_metric_of_the_registry_has_a_unit_of_cloudwatchs() -> None:
    (directive,) = document(full(), tuple(emf.UNITS))["_aws"]["CloudWatchMetrics"]
    units = {each["Name"]: each["Unit"] for each in directive["Metrics"]}
    assert len(units) == len([each for each in METRICS if each.unit]) + 4
    assert (units["gc_collections"], units["utilized_cpus"], units["disk_read_bytes"]) == ("Count", "None", "Bytes")


def test_a_directive_has_at_most_a_hundred_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emf, "LIMIT", 3)
    made = document()
    assert [len(each["Metrics"]) for each in made["_aws"]["CloudWatchMetrics"]] == [3, 3]
    check(made)


def test_a_dimension_that_is_not_known_is_left_out() -> None:
    made = document(function=None)
    assert made["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service", "cold"]]
    assert "function" not in made


def test_a_failure_counts_as_one_and_says_where() -> None:
    made = document(msgspec.structs.replace(PROFILE, cold=False, error="KeyError", phase="parse"))
    assert (made["errors"], made["error"], made["phase"], made["cold"]) == (1, "KeyError", "parse", "false")


@pytest.mark.parametrize(
    ("asked", "names"),
    [("cpu_ms, duration_ms", ["cpu_ms", "duration_ms"]), ("all", None), ("", list(emf.CHOSEN))],
)
def test_the_deployer_chooses_what_becomes_a_metric(
    asked: str, names: list[str] | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYFAAS_EMF_METRICS", asked)
    emf.send(Finished(profile=full(), context=HERE, service="query", status=200))
    (directive,) = msgspec.json.decode(capsys.readouterr().out)["_aws"]["CloudWatchMetrics"]
    assert [each["Name"] for each in directive["Metrics"]] == (names or list(emf.UNITS))


def test_a_metric_that_is_none_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exporters, "_told", set())
    monkeypatch.setenv("POLYFAAS_EMF_METRICS", "cpu_s,cpu_ms")
    with caplog.at_level(logging.WARNING, "polyfaas"):
        for _ in range(2):
            emf.send(Finished(profile=PROFILE, context=HERE, service="query", status=200))
    assert [record.getMessage() for record in caplog.records] == [
        "POLYFAAS_EMF_METRICS names 'cpu_s', which is no metric: docs/export.md says how they are named"
    ]
    assert '"Metrics":[{"Name":"cpu_ms","Unit":"Milliseconds"}]' in capsys.readouterr().out
