"""Lambda's events and answers."""

import json
from decimal import Decimal
from typing import Any

import pytest
from awslambdaric.lambda_runtime_marshaller import LambdaMarshaller

from adapters.aws import client, events
from core.message import Context, Request, Response
from tests.sample_events import sample

RESPONSE = Response(status=404, headers={"content-type": "application/json"}, body='{"é":1.10}'.encode())


def neutral(event: Any) -> Request:
    """The one request in an event."""
    asked: list[Request] = []

    def call(request: Request) -> Response:
        asked.append(request)
        return RESPONSE

    events.answer(event, call, {})
    (request,) = asked
    return request


def replied(event: Any, response: Response = RESPONSE) -> Any:
    """What the handler returns for a response."""
    return events.answer(event, lambda _: response, {})


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


def test_load_balancers_event_becomes_the_neutral_request() -> None:
    event = sample("aws_alb")
    assert neutral(event) == Request(
        method="GET", path="/lambda", headers=event["headers"], query={"query": "1234ABCD"}, body=b""
    )


def test_load_balancers_multi_value_event_becomes_the_neutral_request() -> None:
    assert neutral(sample("aws_alb_multi_value")) == Request(
        method="POST",
        path="/pipeline/größe",
        headers={"cookie": "name1=value1, name2=value2", "content-type": "application/json"},
        query={"myKey": "val2 &", "empty": ""},
        body=b'{"a": 1}',
    )


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
    assert events.kind(event) == "direct"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("aws_http_api_v2", "http-api"),
        ("aws_function_url", "http-api"),
        ("aws_rest_api_v1", "rest-api"),
        ("aws_alb", "alb"),
        ("aws_alb_multi_value", "alb"),
        ("aws_s3", "s3"),
        ("aws_sqs", "sqs"),
        ("aws_sns", "sns"),
        ("aws_eventbridge_s3", "eventbridge"),
        ("aws_eventbridge_scheduled", "eventbridge"),
    ],
)
def test_events_are_told_apart_by_their_shape(name: str, kind: str) -> None:
    assert events.kind(sample(name)) == kind


def test_direct_event_is_the_body_itself() -> None:
    event = {"service": "query", "limit": 0.1}
    assert neutral(event) == Request(body=b'{"service":"query","limit":0.1}')


def test_gateway_reply_carries_status_headers_and_text() -> None:
    assert replied(sample("aws_rest_api_v1")) == {
        "statusCode": 404,
        "headers": {"content-type": "application/json"},
        "body": '{"é":1.10}',
        "isBase64Encoded": False,
    }


def test_load_balancers_reply_has_the_status_in_words() -> None:
    assert replied(sample("aws_alb")) == {
        "statusCode": 404,
        "statusDescription": "404 Not Found",
        "headers": {"content-type": "application/json"},
        "body": '{"é":1.10}',
        "isBase64Encoded": False,
    }


def test_load_balancers_reply_has_headers_in_the_form_of_the_event() -> None:
    reply = replied(sample("aws_alb_multi_value"))
    assert (reply["multiValueHeaders"], "headers" in reply) == ({"content-type": ["application/json"]}, False)


def test_direct_reply_is_the_object_with_exact_decimals() -> None:
    assert replied({}) == {"é": Decimal("1.10")}


@pytest.mark.parametrize("number", ["0.10", "12345678901234567890.123456789", "1E+400", "9" * 40])
def test_direct_reply_keeps_all_digits_through_the_runtimes_own_encoder(number: str) -> None:
    response = Response(status=200, headers={}, body=f'{{"total": {number}}}'.encode())
    written, _ = LambdaMarshaller().marshal_response(replied({}, response))
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
    invoked = json.dumps(replied(sample("aws_function_url"))).encode()
    assert client.unwrap(Response(status=200, headers={}, body=invoked)) == RESPONSE


@pytest.mark.parametrize("body", [b"Task timed out after 3.00 seconds", b'{"errorMessage": "x"}', b"\xff"])
def test_an_invocation_without_http_answer_is_a_bad_gateway(body: bytes) -> None:
    response = Response(status=200, headers={}, body=body)
    assert client.unwrap(response) == Response(status=502, headers={}, body=body)
