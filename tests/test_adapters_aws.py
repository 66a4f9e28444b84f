"""Lambda's events and answers."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from adapters.aws import client, events
from core.message import Context, Request, Response

EVENTS = Path(__file__).parent / "events"
RESPONSE = Response(status=404, headers={"content-type": "application/json"}, body='{"é":1.10}'.encode())


def sample(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def neutral(event: Any) -> Request:
    return events.kind(event).request(event)


def test_http_api_event_becomes_the_neutral_request() -> None:
    assert neutral(sample("aws_http_api_v2")) == Request(
        method="POST",
        path="/pipeline/transform",
        headers={"content-type": "application/json", "x-forwarded-for": "192.0.2.1,198.51.100.7"},
        query={"trace": "two", "empty": ""},
        body=b'{"source": "a.csv"}',
    )


def test_function_url_event_becomes_the_neutral_request() -> None:
    assert neutral(sample("aws_function_url")) == Request(
        method="POST",
        path="/query",
        headers={"content-type": "application/json", "host": "url-id.lambda-url.us-west-2.on.aws"},
        body='{"database": "größe.db"}'.encode(),
    )


def test_rest_api_event_becomes_the_neutral_request_below_its_custom_domain_path() -> None:
    assert neutral(sample("aws_rest_api_v1")) == Request(
        method="POST",
        path="/load",
        headers={"content-type": "application/json", "x-two": "first, second"},
        query={"a": "2"},
        body=b'{"source": "a.csv"}',
    )


def test_rest_api_event_without_body_headers_and_query_is_an_empty_request() -> None:
    event = {
        "resource": "/",
        "path": "/",
        "httpMethod": "GET",
        "headers": None,
        "multiValueHeaders": None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "requestContext": {"stage": "prod", "path": "/prod/"},
        "body": None,
        "isBase64Encoded": False,
    }
    assert neutral(event) == Request(method="GET")


@pytest.mark.parametrize(
    ("route", "raw_path", "parameters", "path"),
    [
        ("$default", "/prod", {}, "/"),
        ("$default", "/prod/load", {}, "/load"),
        ("$default", "/production/load", {}, "/production/load"),
        ("POST /load", "/prod/load", {}, "/load"),
        ("ANY /{proxy+}", "/shop/prod/load", {"proxy": "load"}, "/load"),
        ("POST /{service}", "/prod/load", {"service": "load"}, "/load"),
        ("$default", "/prod/gr%C3%B6%C3%9Fe", {}, "/größe"),
    ],
)
def test_http_api_path_is_below_stage_and_mapping(
    route: str, raw_path: str, parameters: dict[str, str], path: str
) -> None:
    event = sample("aws_http_api_v2") | {
        "routeKey": route,
        "rawPath": raw_path,
        "pathParameters": parameters,
    }
    assert neutral(event).path == path


@pytest.mark.parametrize(
    "event",
    [
        {"service": "query", "database": "sqlite:///a.db"},
        {"version": "2.0", "routeKey": "$default"},
        {"httpMethod": "POST", "body": "{}"},
        {"requestContext": "text", "httpMethod": "POST"},
        {"requestContext": {"http": {"method": "POST"}}},
        {},
        [1, 2],
        "text",
        7,
        None,
    ],
)
def test_what_is_no_gateway_event_is_direct(event: Any) -> None:
    assert events.kind(event).name == "direct"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aws_http_api_v2", "HTTP API or function URL"),
        ("aws_function_url", "HTTP API or function URL"),
        ("aws_rest_api_v1", "REST API"),
    ],
)
def test_gateway_events_are_told_apart_by_their_shape(name: str, kind: str) -> None:
    assert events.kind(sample(name)).name == kind


def test_direct_event_is_the_body_itself() -> None:
    event = {"service": "query", "limit": 0.1}
    assert neutral(event) == Request(body=b'{"service":"query","limit":0.1}')


def test_gateway_reply_carries_status_headers_and_text() -> None:
    assert events.kind(sample("aws_rest_api_v1")).reply(RESPONSE) == {
        "statusCode": 404,
        "headers": {"content-type": "application/json"},
        "body": '{"é":1.10}',
        "isBase64Encoded": False,
    }


def test_direct_reply_is_the_object_with_exact_decimals() -> None:
    assert events.kind({}).reply(RESPONSE) == {"é": Decimal("1.10")}


@pytest.mark.parametrize("number", ["0.10", "12345678901234567890.123456789", "1E+400", "9" * 40])
def test_direct_reply_keeps_all_digits_through_the_runtimes_own_encoder(number: str) -> None:
    response = Response(status=200, headers={}, body=f'{{"total": {number}}}'.encode())
    written, _ = LambdaMarshaller().marshal_response(events.kind({}).reply(response))
    assert written == f'{{"total": {number}}}'


def test_context_comes_from_the_documented_variables() -> None:
    environment = {
        "AWS_LAMBDA_FUNCTION_NAME": "tlq",
        "AWS_REGION": "eu-central-1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    }
    assert events.context(environment, "r-1") == Context(
        platform="AWS Lambda", function="tlq", region="eu-central-1", memory_mib=1769, request_id="r-1"
    )


@pytest.mark.parametrize("memory", ["", "much", "-1", "0", "1.5", "²"])
def test_malformed_memory_is_absent(memory: str) -> None:
    context = events.context({"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": memory}, None)
    assert context == Context(platform="AWS Lambda")


@pytest.mark.parametrize("body", [b"", b"{}", "größe".encode(), b"\xff\x00", b"{bad"])
def test_the_clients_event_brings_every_body_back_as_sent(body: bytes) -> None:
    request = Request(method="PUT", path="/a b/é", headers={"x": "1"}, query={"a": "1 2", "b": ""}, body=body)
    assert neutral(client.event(request)) == request


def test_the_client_takes_the_answer_out_of_the_invocations() -> None:
    invoked = json.dumps(events.kind(sample("aws_function_url")).reply(RESPONSE)).encode()
    assert client.unwrap(Response(status=200, headers={}, body=invoked)) == RESPONSE


@pytest.mark.parametrize("body", [b"Task timed out after 3.00 seconds", b'{"errorMessage": "x"}', b"\xff"])
def test_an_invocation_without_http_answer_is_a_bad_gateway(body: bytes) -> None:
    response = Response(status=200, headers={}, body=body)
    assert client.unwrap(response) == Response(status=502, headers={}, body=body)
