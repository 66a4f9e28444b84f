"""What a platform answers in the function's place."""

import json
import threading
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from adapters import commands
from adapters.lab.front import server
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


@pytest.fixture
def gateway() -> Iterator[str]:
    """URL of something that answers a page instead of JSON."""
    with server(0, lambda _: Response(status=200, headers={}, body=b"<html>sign in</html>")) as started:
        thread = threading.Thread(target=started.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{started.server_address[1]}"
        started.shutdown()
        thread.join()


def test_an_endpoint_that_answers_a_page_is_an_error_in_json(gateway: str) -> None:
    result = CliRunner().invoke(commands.call, ["query", "{}", "--endpoint", gateway, "--json"])
    error = json.loads(result.stdout)["error"]
    assert (result.exit_code, error["detail"]) == (
        1,
        f"{gateway} answered in the function's place: <html>sign in</html>",
    )
