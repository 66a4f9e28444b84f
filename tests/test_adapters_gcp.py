"""Google's Flask requests and answers."""

import pytest
from flask import Request as FlaskRequest
from werkzeug.test import EnvironBuilder

from adapters.gcp import client, events
from core.message import Context, Request, Response


def test_flask_request_becomes_the_neutral_request() -> None:
    environ = EnvironBuilder(
        method="POST",
        path="/größe/query",
        query_string="a=1&a=2&b=",
        headers=[("Content-Type", "application/json"), ("X-Two", "one")],
        data=b'{"database": "x"}',
    ).get_environ()
    assert events.request(FlaskRequest(environ)) == Request(
        method="POST",
        path="/größe/query",
        headers={
            "content-type": "application/json",
            "content-length": "17",
            "host": "localhost",
            "x-two": "one",
        },
        query={"a": "2", "b": ""},
        body=b'{"database": "x"}',
    )


@pytest.mark.parametrize("body", [b"", b"{bad", b"[1]", b"\xff"])
def test_every_body_arrives_as_sent(body: bytes) -> None:
    environ = EnvironBuilder(method="POST", data=body, content_type="application/json").get_environ()
    assert events.request(FlaskRequest(environ)).body == body


def test_reply_is_body_status_and_headers() -> None:
    response = Response(status=422, headers={"content-type": "application/json"}, body=b"{}")
    assert events.reply(response) == (b"{}", 422, {"content-type": "application/json"})


def test_context_of_the_first_generation_has_region_and_memory() -> None:
    environment = {"FUNCTION_NAME": "tlq", "FUNCTION_REGION": "us-central1", "FUNCTION_MEMORY_MB": "256"}
    assert events.context(environment, "e-1") == Context(
        platform="Google Cloud Functions",
        function="tlq",
        region="us-central1",
        memory_mib=256,
        request_id="e-1",
    )


def test_context_of_the_second_generation_has_the_services_name() -> None:
    environment = {"K_SERVICE": "tlq", "FUNCTION_TARGET": "main"}
    assert events.context(environment, None) == Context(platform="Google Cloud Functions", function="tlq")


def test_malformed_memory_is_absent() -> None:
    assert events.context({"FUNCTION_MEMORY_MB": "256M"}, None) == Context(platform="Google Cloud Functions")


def test_the_client_sends_the_request_itself() -> None:
    request = Request(path="/query", body=b"{}")
    assert client.wrap(request) == request
