"""What a platform answers in the function's place."""

import json

import pytest

from adapters.refusal import presented
from core.message import Request, Response

REQUEST = Request(path="/query")


@pytest.mark.parametrize("body", [b'{"status":200,"context":{}}', b'{"platform":"AWS Lambda","cpuUser":1}'])
def test_the_functions_own_answer_is_left_alone(body: bytes) -> None:
    response = Response(status=200, headers={}, body=body)
    assert presented(REQUEST, response, "AWS Lambda") is response


def test_a_platforms_text_becomes_an_error_object() -> None:
    response = presented(REQUEST, Response(status=400, headers={}, body=b"not JSON\n"), "IBM Code Engine")
    assert (response.status, response.headers, json.loads(response.body)) == (
        400,
        {"content-type": "application/json"},
        {
            "service": None,
            "status": 400,
            "error": {
                "type": "urn:polyfaas:error:platform",
                "title": "The platform answered",
                "status": 400,
                "detail": "IBM Code Engine answered in the function's place: not JSON",
                "instance": "/query",
            },
            "context": {"platform": "IBM Code Engine"},
        },
    )


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[]", b'{"message":"Forbidden"}'])
def test_success_without_an_answer_of_the_function_is_a_bad_gateway(body: bytes) -> None:
    assert presented(REQUEST, Response(status=200, headers={}, body=body), "x").status == 502
