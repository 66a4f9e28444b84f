"""IBM's arguments and answers: Code Engine functions and OpenWhisk actions."""

import base64
import json
from typing import Any

import pytest

from adapters.ibm import client, events, host
from core.message import Context, Request, Response
from tests.sample_events import sample

RESPONSE = Response(status=404, headers={"content-type": "application/json"}, body=b'{"status":404,"error":{}}')


def neutral(args: dict[str, Any]) -> Request:
    """The request in some arguments."""
    asked: list[Request] = []

    def call(request: Request) -> Response:
        asked.append(request)
        return RESPONSE

    events.answer(args, call, {})
    (request,) = asked
    return request


def replied(args: dict[str, Any]) -> dict[str, Any]:
    """What `main` returns for a response."""
    return events.answer(args, lambda _: RESPONSE, {})


def test_code_engine_arguments_become_the_neutral_request() -> None:
    assert neutral(sample("ibm_code_engine")) == Request(
        method="POST",
        path="/query",
        headers={
            "accept": "*/*",
            "content-type": "application/json",
            "user-agent": "curl/7.58.0",
            "x-request-id": "d03a1af0",
        },
        query={"a": "2"},
        body=b'{"planet": "Mars"}',
    )


def test_web_action_arguments_become_the_neutral_request() -> None:
    assert neutral(sample("ibm_web_action")) == Request(
        method="POST",
        path="/transform",
        headers={"accept": "*/*", "content-type": "application/json", "host": "192.0.2.1"},
        body=b'{"source":"a.csv","target":"b.csv"}',
    )


def test_raw_web_action_arguments_become_the_neutral_request() -> None:
    assert neutral(sample("ibm_web_action_raw")) == Request(
        method="POST",
        path="/",
        headers={"accept": "*/*", "content-type": "application/json"},
        query={"name": "Jane"},
        body=b'{"name":"Jane"}',
    )


def test_plain_action_parameters_are_the_body() -> None:
    assert neutral({"service": "query", "limit": 3}) == Request(body=b'{"service":"query","limit":3}')


@pytest.mark.parametrize("content_type", ["text/plain", "TEXT/csv; charset=utf-8"])
def test_text_comes_as_it_is(content_type: str) -> None:
    args = {"__ce_method": "POST", "__ce_headers": {"Content-Type": content_type}, "__ce_body": "größe"}
    assert neutral(args).body == "größe".encode()


def test_code_engine_get_has_no_body() -> None:
    args = {"__ce_method": "GET", "__ce_path": "/", "__ce_headers": {}, "__ce_query": ""}
    assert neutral(args) == Request(method="GET")


def test_code_engine_reply_is_text() -> None:
    assert replied(sample("ibm_code_engine")) == {
        "statusCode": 404,
        "headers": {"content-type": "application/json"},
        "body": '{"status":404,"error":{}}',
    }


def test_web_action_reply_is_base64_because_json_counts_as_binary() -> None:
    assert replied(sample("ibm_web_action")) == {
        "statusCode": 404,
        "headers": {"content-type": "application/json"},
        "body": base64.b64encode(RESPONSE.body).decode(),
    }


def test_plain_action_reply_is_the_object_with_its_status() -> None:
    assert replied({}) == {"status": 404, "error": {}}


def test_context_of_code_engine_comes_from_its_variables_and_headers() -> None:
    environment = {"CE_FUNCTION": "tlq", "CE_REGION": "eu-de"}
    assert events.context(environment, sample("ibm_code_engine")) == Context(
        platform="IBM Code Engine", function="tlq", region="eu-de", request_id="d03a1af0"
    )


def test_context_of_openwhisk_comes_from_its_variables() -> None:
    environment = {"__OW_ACTION_NAME": "/guest/tlq", "__OW_ACTIVATION_ID": "a-1"}
    assert events.context(environment, {}) == Context(
        platform="Apache OpenWhisk", function="/guest/tlq", request_id="a-1"
    )


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{}", "application/json"),
        (b"[1]", "application/json"),
        (b"{bad", "application/octet-stream"),
        (b"", "application/octet-stream"),
        (b"\xff", "application/octet-stream"),
    ],
)
def test_the_client_names_the_content_type_that_lets_the_function_see_the_body(body: bytes, content_type: str) -> None:
    assert client.wrap(Request(body=body)).headers == {"content-type": content_type}


def echo(args: dict[str, Any]) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(args)}


def call(request: Request) -> Any:
    response = host.answer(echo, request)
    return json.loads(response.body) if response.status == 200 else response


def test_host_merges_query_and_body_and_the_body_wins() -> None:
    request = Request(
        path="/q",
        headers={"content-type": "application/json", "x-request-id": "1"},
        query={"a": "query", "b": "query"},
        body=b'{"a": "body"}',
    )
    assert call(request) == {
        "a": "body",
        "b": "query",
        "__ce_method": "POST",
        "__ce_path": "/q",
        "__ce_query": "a=query&b=query",
        "__ce_headers": {"Content-Type": "application/json", "X-Request-Id": "1"},
        "__ce_body": base64.b64encode(b'{"a": "body"}').decode(),
    }


@pytest.mark.parametrize(
    "request_",
    [
        Request(body=b"{bad"),
        Request(headers={"content-type": "application/json; charset=utf-8"}, body=b"\xff"),
        Request(body=b'{"__ce_path": "/"}'),
        Request(query={"__ce_body": "x"}),
    ],
)
def test_host_refuses_invalid_json_and_reserved_names(request_: Request) -> None:
    assert call(request_).status == 400


@pytest.mark.parametrize("status", ["200", 99, 600, True, None])
def test_host_refuses_an_invalid_status_code(status: Any) -> None:
    assert host.reply({"statusCode": status}).status == 422


def test_host_decodes_what_is_neither_text_nor_json_from_base64() -> None:
    result = {"headers": {"Content-Type": "image/png"}, "body": base64.b64encode(b"\x89PNG").decode()}
    assert host.reply(result) == Response(status=200, headers={"content-type": "image/png"}, body=b"\x89PNG")


def test_host_names_request_activation_and_status_in_its_headers() -> None:
    response = host.answer(echo, Request(headers={"x-request-id": "mine"}))
    named = (response.headers["x-request-id"], response.headers["x-faas-actionstatus"])
    assert (named, len(response.headers["x-faas-activation-id"])) == (("mine", "200"), 36)
