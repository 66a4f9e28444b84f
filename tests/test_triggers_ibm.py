"""OpenWhisk's triggers and sequences: what each asks for, and what its failure does."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from adapters.ibm import events
from adapters.triggers import DeploymentError, EventError
from core.message import Context, Request, Response
from core.runtime import handle
from tests.sample_events import sample

LOADS = {"POLYFAAS_ON_RESULT": '{"service": "load", "source": "{target}", "database": "sqlite:///sales.db"}'}


def asked(args: Mapping[str, Any], environment: Mapping[str, str] | None = None) -> Request:
    """The request that some arguments ask for."""
    found: list[Request] = []

    def call(request: Request) -> Response:
        found.append(request)
        return Response(status=200, headers={}, body=b"{}")

    events.answer(args, call, environment or {})
    (request,) = found
    return request


def answered(args: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """What `main` returns for some arguments."""
    return events.answer(args, lambda request: handle(request, Context(platform="local")), environment)


def test_the_answer_of_the_action_before_starts_the_next_request() -> None:
    body = b'{"service":"load","source":"cos://out/sales.csv","database":"sqlite:///sales.db"}'
    assert asked(sample("ibm_sequence"), LOADS) == Request(body=body)


def test_our_own_answer_is_known_as_the_answer_of_the_action_before() -> None:
    first = events.answer({"service": "probe", "kind": "idle"}, lambda it: handle(it, Context(platform="local")), {})
    assert events.kind(first, LOADS) == "sequence"


def test_the_output_of_any_other_action_is_the_request_itself() -> None:
    assert asked({"service": "probe", "kind": "idle"}, LOADS) == Request(body=b'{"service":"probe","kind":"idle"}')


def test_an_answer_starts_nothing_of_its_own_where_the_environment_does_not_say_what() -> None:
    assert json.loads(asked(sample("ibm_sequence")).body) == sample("ibm_sequence")


def test_a_caller_by_http_cannot_pass_for_the_action_before() -> None:
    args = {**sample("ibm_sequence"), **sample("ibm_code_engine")}
    assert asked(args, LOADS) == asked(sample("ibm_code_engine"))


def test_a_failing_step_has_the_error_that_ends_a_sequence() -> None:
    found = answered(sample("ibm_sequence"), {"POLYFAAS_ON_RESULT": '{"service": "nope"}'})
    assert (found["status"], found["error"]["title"], "result" in found) == (404, "Not found", False)


def test_an_alarm_starts_what_the_environment_names() -> None:
    environment = {"POLYFAAS_TRIGGER": "timer", "POLYFAAS_ON_TIMER": '{"service": "query"}'}
    assert asked({"trigger": "payload"}, environment) == Request(body=b'{"service":"query"}')


@pytest.mark.parametrize("name", ["code-engine", "web-action", "sequence"])
def test_arguments_that_are_not_what_the_deployment_says_are_a_clear_error(name: str) -> None:
    with pytest.raises(EventError, match="the event is no"):
        asked({"service": "probe"}, {"POLYFAAS_TRIGGER": name, **LOADS})


def test_an_unknown_trigger_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match="use one of code-engine, web-action, sequence, timer, action"):
        asked({}, {"POLYFAAS_TRIGGER": "cos"})


@pytest.mark.parametrize("number", [2**64, -(2**70), 10**30])
def test_a_whole_number_of_any_size_arrives_as_sent(number: int) -> None:
    assert msgspec.json.decode(asked({"n": number}).body) == {"n": number}
