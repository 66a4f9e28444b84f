"""No event, however odd, breaks an adapter with anything but a clear error."""

from collections.abc import Callable
from typing import Any

import pytest
from cloudevents.http import CloudEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters import triggers
from adapters.aws import events as aws
from adapters.azure import triggers as azure
from adapters.gcp import cloud_events
from adapters.ibm import events as ibm
from adapters.templates import filled
from core.errors import PolyfaasError
from core.message import Context, Request, Response
from core.runtime import handle
from tests.sample_events import EVENTS, sample

ENVIRONMENT = {
    "POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "s3://out/{key}"}',
    "POLYFAAS_ON_TIMER": '{"service": "probe", "kind": "idle"}',
    "POLYFAAS_ON_RESULT": '{"service": "load", "source": "{target}"}',
}
# What Python's own decoder makes of JSON: half surrogates and numbers of any size too.
TEXTS = st.text(st.characters(exclude_categories=()), max_size=12)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=6
)
SAMPLES = [sample(path.stem) for path in sorted(EVENTS.glob("*.json"))]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in an event."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in inner:
            found += places(each, (*path, name))
    return found


def with_(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    """An event with another value at a path."""
    if not path:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_(copy[path[0]], path[1:], other)
    return copy


@st.composite
def events(draw: st.DrawFn) -> Any:
    """A documented sample with any value anywhere in it, or no event at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(VALUES)
    found = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 2))):
        found = with_(found, draw(st.sampled_from(places(found))), draw(VALUES))
    return found


def call(request: Request) -> Response:
    return handle(request, Context(platform="local"))


def to_aws(event: Any, environment: dict[str, str]) -> None:
    aws.answer(event, call, environment)


def to_gcp(event: Any, environment: dict[str, str]) -> None:
    said = {"type": "google.cloud.storage.object.v1.finalized", "source": "/"}
    data = event.get("data", event) if isinstance(event, dict) else event
    kind = event.get("type") if isinstance(event, dict) else None
    cloud_events.answer(CloudEvent({**said, "type": kind or said["type"]}, data), call, environment)


def to_azure(event: Any, environment: dict[str, str]) -> None:
    said = event if isinstance(event, dict) else {"type": azure.CREATED, "subject": event}
    said = {**said, "type": said.get("type", said.get("eventType"))}
    triggers.run(lambda: azure.event_grid(said, environment), call, environment)


def to_ibm(event: Any, environment: dict[str, str]) -> None:
    if isinstance(event, dict):  # main is called with nothing else
        ibm.answer(event, call, environment)


def refusal(adapter: Callable[[Any, dict[str, str]], None], event: Any, environment: dict[str, str]) -> str:
    """What an adapter says against an event; a sentence where it takes it."""
    try:
        adapter(event, environment)
    except PolyfaasError as error:
        return str(error)
    return "it is taken"


@pytest.mark.parametrize("adapter", [to_aws, to_gcp, to_azure, to_ibm])
@given(event=events())
@settings(max_examples=300, deadline=None)
def test_no_event_breaks_an_adapter(adapter: Callable[[Any, dict[str, str]], None], event: Any) -> None:
    assert " " in refusal(adapter, event, ENVIRONMENT)


@pytest.mark.parametrize("name", aws.KINDS)
@given(event=events())
@settings(max_examples=100, deadline=None)
def test_no_event_breaks_the_kind_that_the_deployment_names_on_aws(name: str, event: Any) -> None:
    assert " " in refusal(to_aws, event, {**ENVIRONMENT, "POLYFAAS_TRIGGER": name})


@pytest.mark.parametrize("name", ibm.KINDS)
@given(event=events())
@settings(max_examples=100, deadline=None)
def test_no_event_breaks_the_kind_that_the_deployment_names_on_ibm(name: str, event: Any) -> None:
    assert " " in refusal(to_ibm, event, {**ENVIRONMENT, "POLYFAAS_TRIGGER": name})


@given(key=st.text(min_size=1, max_size=20))
@settings(max_examples=500, deadline=None)
def test_a_key_is_filled_in_below_the_templates_place_or_refused(key: str) -> None:
    try:
        target = filled({"target": "s3://out/x/{key}"}, f"s3://in/{key}")["target"]
    except PolyfaasError:
        return
    assert target == f"s3://out/x/{key}"
    assert not {"", ".", ".."} & set(key.split("/"))
