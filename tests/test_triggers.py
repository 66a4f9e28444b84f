"""What events mean on every provider: the request that one starts, and what its failure does."""

import json
import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import triggers
from adapters.aws import events as aws
from adapters.azure import triggers as azure
from adapters.gcp import cloud_events
from adapters.ibm import events as ibm
from adapters.triggers import DeploymentError, EventError
from core.errors import AccessError, DataError, NotFoundError, PolyfaasError, RequestError, StorageError
from core.message import Context, Request, Response
from core.runtime import handle

URL = "s3://in/2020/sales.csv.gz"


def on_object(template: Any, url: str = URL) -> Any:
    """The body of the request that an object starts; None when it starts nothing."""
    text = template if isinstance(template, str) else json.dumps(template)
    request = triggers.on_object(url, {"POLYFAAS_ON_OBJECT": text})
    return None if request is None else json.loads(request.body)


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ({"service": "transform"}, {"service": "transform", "source": URL}),
        ({"target": "s3://out/{key}"}, {"target": "s3://out/2020/sales.csv.gz", "source": URL}),
        ({"target": "s3://out/{name}"}, {"target": "s3://out/sales.csv.gz", "source": URL}),
        ({"target": "s3://out/{stem}.parquet"}, {"target": "s3://out/sales.parquet", "source": URL}),
        ({"input": {"at": ["{url}", 1]}}, {"input": {"at": [URL, 1]}}),
        ({"source": "s3://mirror/{key}"}, {"source": "s3://mirror/2020/sales.csv.gz"}),
        ({"table": "t_{stem}", "limit": 3, "x": None}, {"table": "t_sales", "limit": 3, "x": None, "source": URL}),
        ({"target": "file:///data/{name}"}, {"target": "file:///data/sales.csv.gz", "source": URL}),
    ],
)
def test_a_template_is_filled_with_the_objects_url_and_its_parts(template: Any, filled: Any) -> None:
    assert on_object(template) == filled


def test_an_objects_name_with_braces_and_quotes_stays_a_name() -> None:
    found = on_object({"target": "s3://out/{name}"}, 's3://in/{key}", "service": "probe.csv')
    assert found == {
        "target": 's3://out/{key}", "service": "probe.csv',
        "source": 's3://in/{key}", "service": "probe.csv',
    }


@pytest.mark.parametrize(
    "key", ["../a", "a/../../b", "./a", "/etc/passwd", "a//b", "a\\b", "a\nb", "a\0b", "a?b", "a#b", "%2e%2e/a"]
)
def test_a_name_that_would_lead_elsewhere_is_refused(key: str) -> None:
    with pytest.raises(EventError, match="would not stay below the place"):
        on_object({"target": "s3://out/{key}"}, f"s3://in/{key}")


def test_such_a_name_is_fine_where_only_the_url_is_asked_for() -> None:
    assert on_object({"target": "s3://out/all.csv"}, "s3://in/a?b#c") == {
        "target": "s3://out/all.csv",
        "source": "s3://in/a?b#c",
    }


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("", "does not say what such an event starts"),
        ("{", "is not JSON"),
        ("[1]", "is JSON, but no object"),
        ({"service": "{name}"}, "must not choose the service"),
        ({"target": "s3://{name}/x"}, "leaves the place open"),
        ({"target": "s3://{name}"}, "leaves the place open"),
        ({"target": "{name}://out/x"}, "leaves the place open"),
        ({"target": "s3://out/{date}"}, r"has \{date\}: use \{key\}, \{name\}, \{stem\}"),
        ({"target": "s3://out/{url}"}, r"has \{url\}: use"),
        ({"target": "s3://out/{}"}, r"has \{\}: use"),
        ({"target": "s3://out/{name.__class__}{name}{x}"}, r"has \{x\}: use"),
    ],
)
def test_a_template_that_cannot_be_used_is_its_operators_error(template: Any, message: str) -> None:
    with pytest.raises(DeploymentError, match=message):
        on_object(template)


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ({"target": "s3://data/out/{name}"}, "s3://data/out/a.csv"),
        ({"target": "s3://data/out/{name}"}, "s3://data/out/a.csv.rejects.jsonl"),
        ({"target": "s3://data/in/{stem}.parquet"}, "s3://data/in/a.csv"),
        ({"target": "s3://data/{key}.clean"}, "s3://data/in/a.csv"),
        ({"target": "s3://out/a.csv", "rejects": "s3://data/bad/{name}"}, "s3://data/bad/a.csv"),
        ({"database": "sqlite+s3://data/sales.db"}, "s3://data/sales.db"),
    ],
)
def test_what_lies_where_the_service_writes_starts_nothing_and_the_log_says_so(
    template: Any, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert on_object(template, url) is None
    assert "would start it for ever" in caplog.text


@pytest.mark.parametrize("url", ["s3://data/in/a.csv", "gs://data/out/a.csv", "s3://data/output/a.csv"])
def test_what_lies_elsewhere_starts_the_service(url: str) -> None:
    assert on_object({"target": "s3://data/out/{name}"}, url)["source"] == url


def test_a_folders_mark_starts_nothing() -> None:
    assert on_object({"target": "s3://out/{name}"}, "s3://in/2020/") is None


def test_a_timer_starts_what_the_environment_names() -> None:
    request = triggers.on_timer({"POLYFAAS_ON_TIMER": '{"service": "query", "limit": 1}'})
    assert request == Request(body=b'{"service":"query","limit":1}')


def test_a_result_starts_what_the_environment_names_with_its_fields() -> None:
    environment = {"POLYFAAS_ON_RESULT": '{"service": "load", "source": "{target}", "n": "{rows_out}", "x": "a{b}"}'}
    request = triggers.on_result({"target": "s3://out/a.csv", "rows_out": 3}, environment)
    assert request == Request(body=b'{"service":"load","source":"s3://out/a.csv","n":3,"x":"a{b}"}')


def test_a_field_that_the_result_has_not_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match=r"asks for \{nope\}, and the result has target, rows"):
        triggers.on_result({"target": "a", "rows": 1}, {"POLYFAAS_ON_RESULT": '{"source": "{nope}"}'})


def test_a_message_is_the_request_and_its_traceparent_a_header() -> None:
    assert triggers.message(b"{}", "00-1") == Request(headers={"traceparent": "00-1"}, body=b"{}")
    assert triggers.message(b"{}") == Request(body=b"{}")


@pytest.mark.parametrize(
    "error", [PolyfaasError, RequestError, AccessError, NotFoundError, DataError, StorageError, EventError]
)
def test_an_error_in_an_answer_is_of_the_class_that_it_was_raised_with(error: type[PolyfaasError]) -> None:
    body = msgspec.json.encode({"error": error("the words").problem("/x")})
    found = triggers.failure(Response(status=error.status, headers={}, body=body))
    assert (type(found), str(found)) == (error, "the words")


def test_an_error_in_saafs_flat_view_is_of_its_class_too() -> None:
    request = Request(body=b'{"service": "nope", "profile": "saaf"}')
    found = triggers.failure(handle(request, Context(platform="local")))
    assert type(found) is NotFoundError
    assert "there is no service 'nope'" in str(found)


@pytest.mark.parametrize(
    ("body", "error"), [(b"", StorageError), (b"[1]", StorageError), (b'{"error": {"type": "x"}}', StorageError)]
)
def test_an_answer_that_does_not_say_what_went_wrong_is_told_by_its_status(
    body: bytes, error: type[PolyfaasError]
) -> None:
    assert type(triggers.failure(Response(status=502, headers={}, body=body))) is error


def test_a_good_answer_has_no_error() -> None:
    assert triggers.failure(Response(status=200, headers={}, body=b"{}")) is None


def answered(error: PolyfaasError) -> triggers.Call:
    body = msgspec.json.encode({"error": error.problem("/x")})
    return lambda _: Response(status=error.status, headers={}, body=body)


def started() -> Request:
    return Request(body=b"{}")


@pytest.mark.parametrize("error", [StorageError("x"), PolyfaasError("x"), NotFoundError("x"), AccessError("x")])
@pytest.mark.parametrize("bad", ["fail", "drop"])
def test_what_may_go_well_the_next_time_is_always_told_to_the_platform(error: PolyfaasError, bad: str) -> None:
    with pytest.raises(type(error)):
        triggers.run(started, answered(error), {"POLYFAAS_ON_BAD_EVENT": bad})


@pytest.mark.parametrize("error", [RequestError("x"), DataError("x"), EventError("x")])
def test_what_stays_wrong_is_told_or_dropped_as_the_environment_says(
    error: PolyfaasError, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(type(error)):
        triggers.run(started, answered(error), {"POLYFAAS_ON_BAD_EVENT": "fail"}, "drop")
    triggers.run(started, answered(error), {"POLYFAAS_ON_BAD_EVENT": "drop"})
    assert [(each.levelno, each.getMessage()) for each in caplog.records] == [
        (logging.ERROR, "an event failed: x"),
        (logging.ERROR, "an event is dropped, since it would fail again: x"),
    ]


def test_an_unknown_policy_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match="is 'ignore': use fail or drop"):
        triggers.run(started, answered(RequestError("x")), {"POLYFAAS_ON_BAD_EVENT": "ignore"})


def test_an_event_that_starts_nothing_calls_nothing() -> None:
    triggers.run(lambda: None, lambda _: pytest.fail("was called"), {})


def test_an_unknown_trigger_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match="POLYFAAS_TRIGGER is 'kafka': use one of a, b"):
        triggers.named({"POLYFAAS_TRIGGER": "kafka"}, {"a": 1, "b": 2})


class Shape(msgspec.Struct):
    names: dict[str, int]


@pytest.mark.parametrize("event", [None, [], {}, {"names": 1}, {"names": {"a": "b"}}, {"names": {}, "\ud800": 1}])
def test_an_event_of_another_shape_is_a_clear_error(event: Any) -> None:
    with pytest.raises(EventError, match=r"the event is no batch: .*; check what is connected to this function"):
        triggers.shaped(event, Shape, "batch")


@pytest.mark.parametrize("value", [2**70, "\ud800", {"a": [1.5, None, True]}])
def test_decoded_json_is_encoded_as_it_may_have_been_sent(value: Any) -> None:
    assert json.loads(triggers.encoded(value)) == value


def test_what_is_no_json_is_a_clear_error() -> None:
    with pytest.raises(EventError, match="the event is no JSON"):
        triggers.encoded({"a": object()})


DOCUMENT = (Path(__file__).parents[1] / "docs" / "triggers.md").read_text()
VARIABLES = (triggers.TRIGGER, triggers.ON_OBJECT, triggers.ON_TIMER, triggers.ON_RESULT, triggers.ON_BAD)


@pytest.mark.parametrize("name", [*aws.KINDS, *cloud_events.KINDS, *azure.NAMES, *ibm.KINDS, *VARIABLES])
def test_the_document_names_every_trigger_and_variable(name: str) -> None:
    assert f"`{name}`" in DOCUMENT


def test_the_examples_in_messages_are_templates() -> None:
    environment = {
        triggers.ON_OBJECT: triggers.OBJECT_EXAMPLE,
        triggers.ON_TIMER: triggers.TIMER_EXAMPLE,
        triggers.ON_RESULT: triggers.RESULT_EXAMPLE,
    }
    found = [
        triggers.on_object("s3://in/a.csv", environment),
        triggers.on_timer(environment),
        triggers.on_result({"target": "s3://out/a.csv"}, environment),
    ]
    services = [json.loads(each.body)["service"] for each in found if each is not None]
    assert services == ["transform", "query", "load"]
