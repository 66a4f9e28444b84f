"""Azure's HTTP requests and answers."""

import azure.functions as func
import pytest

from adapters.azure import client, entrypoint, events
from core.message import Context, Request


def http_request(path: str, body: bytes = b"") -> func.HttpRequest:
    return func.HttpRequest(
        method="post",
        url=f"https://tlq.azurewebsites.net/api/{path}?a=1",
        headers={"Content-Type": "application/json", "X-Two": "one"},
        params={"a": "1"},
        route_params={"path": path} if path else {},
        body=body,
    )


def test_http_trigger_becomes_the_neutral_request() -> None:
    assert events.request(http_request("query", b'{"database": "x"}')) == Request(
        method="POST",
        path="/query",
        headers={"content-type": "application/json", "x-two": "one"},
        query={"a": "1"},
        body=b'{"database": "x"}',
    )


def test_the_root_below_the_prefix_is_the_switchboard() -> None:
    assert events.request(http_request("")).path == "/"


@pytest.mark.parametrize("body", [b"", b"{bad", b"[1]", b"\xff"])
def test_every_body_arrives_as_sent(body: bytes) -> None:
    assert events.request(http_request("query", body)).body == body


def test_context_comes_from_the_documented_variables() -> None:
    environment = {"WEBSITE_SITE_NAME": "tlq", "REGION_NAME": "West Europe"}
    assert events.context(environment, "i-1") == Context(
        platform="Azure Functions", function="tlq", region="West Europe", request_id="i-1"
    )


def test_app_has_one_function_under_every_route_that_asks_for_a_key() -> None:
    (function,) = entrypoint.app.get_functions()
    trigger = function.get_trigger()
    assert trigger is not None
    said = trigger.get_dict_repr()
    assert (said["type"], said["route"], str(said["authLevel"]), said.get("methods")) == (
        "httpTrigger",
        "{*path}",
        "FUNCTION",
        None,
    )


def test_the_client_calls_below_the_route_prefix() -> None:
    request = Request(path="/query", body=b"{}")
    assert client.wrap(request) == Request(path="/api/query", body=b"{}")
