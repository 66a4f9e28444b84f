"""Which exporters a call goes to, and that none of them can hurt it."""

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core import Request, Response, Service, handle, registry
from core.export import exporters
from core.message import Context

ROOT = Path(__file__).parents[1]
HERE = Context(platform="AWS Lambda", function="sales", region="eu-west-1", memory_mib=512, request_id="r-1")


class Add(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    a: int


def add(request: Add) -> int:
    return request.a


SERVICES = registry([Service(name="add", request=Add, run=add)])


def called(body: bytes = b'{"a": 2}') -> Response:
    return handle(Request(path="/add", body=body), HERE, SERVICES)


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """An instance that has said nothing yet."""
    fresh: set[str] = set()
    monkeypatch.setattr(exporters, "_told", fresh)
    return fresh


def test_nothing_is_imported_where_nothing_is_asked_for() -> None:
    program = """
import sys
from core import Context, Request, handle
handle(Request(path="/query", body=b"{}"), Context(platform="local"))
print(*(name for name in sys.modules if name.startswith(("core.export", "opentelemetry"))))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT, env={})
    assert done.stdout.strip() == ""


def test_each_exporter_that_is_named_writes_its_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", " emf, log,emf")
    assert called().status == 200
    first, second = map(msgspec.json.decode, capsys.readouterr().out.splitlines())
    assert ("_aws" in first, "severity" in second) == (True, True)


def test_a_name_that_is_no_exporter_is_told_once_with_the_cure(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", "oltp,log")
    with caplog.at_level(logging.WARNING, "polyfaas"):
        assert [called().status, called().status] == [200, 200]
    assert [record.getMessage() for record in caplog.records] == [
        "POLYFAAS_EXPORT names 'oltp', which is no exporter: use otlp, emf, log"
    ]
    assert len(capsys.readouterr().out.splitlines()) == 2


class Shut:
    """A standard output that nobody reads."""

    def write(self, _: str) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("name", ["log", "emf"])
def test_a_line_that_cannot_be_written_hurts_no_call_and_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", name)
    monkeypatch.setattr(sys, "stdout", Shut())
    with caplog.at_level(logging.WARNING, "polyfaas"):
        assert [called().status, called().status] == [200, 200]
    (record,) = caplog.records
    assert record.getMessage() == (
        f"the exporter {name} failed, and will not say so again: standard output did not take the line "
        "([Errno 32] Broken pipe): keep it open, with PYTHONUTF8=1"
    )


def test_a_call_does_not_need_a_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", "log")
    monkeypatch.setattr(sys, "stdout", None)
    assert called().status == 200


def logged(platform: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    monkeypatch.setenv("POLYFAAS_EXPORT", "log")
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    request = Request(path="/add", headers={"traceparent": header}, body=b'{"a": 2}')
    handle(request, Context(platform=platform), SERVICES)
    line: dict[str, Any] = msgspec.json.decode(capsys.readouterr().out)
    return line


def test_the_log_line_has_the_whole_profile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", "log")
    answer = msgspec.json.decode(called().body)
    line = msgspec.json.decode(capsys.readouterr().out)
    assert line["profile"] == answer["profile"]
    assert (line["service"], line["status"], line["context"]) == ("add", 200, answer["context"])
    assert line["timestamp"] == answer["profile"]["started_at"]
    assert line["message"] == f"add answered 200 in {answer['profile']['duration_ms']:.1f} ms"


def raising(_: Add) -> int:
    raise ZeroDivisionError("the secret hunter")


@pytest.mark.parametrize(
    ("body", "run", "levels"),
    [
        (b'{"a": 2}', add, ("INFO", "INFO")),
        (b'{"a": "x"}', add, ("WARNING", "WARN")),
        (b'{"a": 2}', raising, ("ERROR", "ERROR")),
    ],
)
def test_the_log_lines_severity_is_that_of_the_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    body: bytes,
    run: Any,
    levels: tuple[str, str],
) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", "log")
    handle(Request(path="/add", body=body), HERE, registry([Service(name="add", request=Add, run=run)]))
    out = capsys.readouterr().out
    line = msgspec.json.decode(out)
    assert (line["severity"], line["level"]) == levels
    assert "hunter" not in out


def test_a_failing_calls_line_says_what_failed_and_where(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POLYFAAS_EXPORT", "log")
    handle(Request(path="/add", body=b'{"a": 2}'), HERE, registry([Service(name="add", request=Add, run=raising)]))
    assert msgspec.json.decode(capsys.readouterr().out)["message"].endswith(" ms: ZeroDivisionError in add")


@pytest.mark.parametrize(
    ("platform", "expected"),
    [
        ("local", {}),
        ("AWS Lambda", {"level": "INFO", "xray_trace_id": "1-0af76519-16cd43dd8448eb211c80319c"}),
        (
            "Google Cloud Functions",
            {
                "logging.googleapis.com/trace": "projects/shop/traces/0af7651916cd43dd8448eb211c80319c",
                "logging.googleapis.com/trace_sampled": True,
            },
        ),
        ("Azure Functions", {"operation_Id": "0af7651916cd43dd8448eb211c80319c"}),
    ],
)
def test_the_trace_stands_where_the_providers_log_looks_for_it(
    platform: str, expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "shop")
    line = logged(platform, monkeypatch, capsys)
    own = {"logging.googleapis.com/spanId", "operation_ParentId"} & line.keys()
    assert {name: line[name] for name in expected} == expected
    assert {line[name] for name in own} <= {line["span_id"]}
    assert line["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    common = {"severity", "message", "timestamp", "trace_id", "span_id", "trace_flags", "service", "status"}
    assert line.keys() == common | {"context", "profile"} | expected.keys() | own


def test_without_a_project_google_gets_the_bare_trace(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    line = logged("Google Cloud Functions", monkeypatch, capsys)
    assert line["logging.googleapis.com/trace"] == "0af7651916cd43dd8448eb211c80319c"
