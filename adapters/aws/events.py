"""Lambda's events: which kind one is, by its documented shape or because the deployment says so.

What a kind's event asks for, and what it is answered, is in the module of its name in `adapters.aws.sources`.
"""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias, cast

import msgspec

from adapters import triggers
from adapters.base import mebibytes
from core.message import Context

Event: TypeAlias = Any


class Source(Protocol):
    """What the module of a kind of event gives."""

    def answer(self, event: Event, call: triggers.Call, environment: triggers.Environment, /) -> Any:
        """Run the requests in an event and give what the handler must return.

        Raises:
            PolyfaasError: The invocation is to fail.
        """
        ...


class Kind(msgspec.Struct, frozen=True):
    """One kind of event.

    Attributes:
        module: Its module in `adapters.aws.sources`.
        matches: Whether an event has the documented shape; a kind that has none is only there by name.
    """

    module: str
    matches: Callable[[Event], bool]


def answer(event: Event, call: triggers.Call, environment: triggers.Environment) -> Any:
    """Run the requests in an event and give what the handler must return.

    Args:
        event: The decoded JSON of the invocation.
        call: Answers a request; `handle`.
        environment: The deployment's variables.

    Raises:
        PolyfaasError: The invocation is to fail.
    """
    return _source(triggers.named(environment, KINDS) or kind(event)).answer(event, call, environment)


def prepare(environment: triggers.Environment) -> None:
    """Import what the kind of event that the deployment names needs, so that no call has to.

    Raises:
        DeploymentError: It names none that is known.
    """
    name = triggers.named(environment, KINDS)
    if name is not None:
        _source(name)


def _source(name: str) -> Source:
    return cast("Source", importlib.import_module(f"adapters.aws.sources.{KINDS[name].module}"))


def kind(event: Event) -> str:
    """The kind of an event; what has no other's shape is a direct invocation.

    Raises:
        EventError: It has records of a service that starts nothing here.
    """
    name = next(name for name, each in KINDS.items() if each.matches(event))
    service = _service(event)
    if name == "direct" and service:
        cure = "connect S3, SQS, SNS or EventBridge to this function"
        raise triggers.EventError(f"records of {service} start nothing here: {cure}")
    return name


def context(environment: Mapping[str, str], request_id: str | None) -> Context:
    """Where a call runs, from the variables that Lambda sets."""
    return Context(
        platform="AWS Lambda",
        function=environment.get("AWS_LAMBDA_FUNCTION_NAME"),
        region=environment.get("AWS_REGION"),
        memory_mib=mebibytes(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")),
        request_id=request_id,
    )


def _gateway(event: Event) -> dict[str, Any]:
    """What a gateway or load balancer says of itself; empty when the event is none of theirs."""
    found = event.get("requestContext") if isinstance(event, dict) else None
    return found if isinstance(found, dict) else {}


def _is_gateways(event: Event) -> bool:
    return isinstance(event, dict) and isinstance(event.get("requestContext"), dict)


def _is_http_api(event: Event) -> bool:
    return "http" in _gateway(event) and event.get("version") == "2.0"


def _is_alb(event: Event) -> bool:
    return "elb" in _gateway(event) and "httpMethod" in event


def _is_rest_api(event: Event) -> bool:
    return _is_gateways(event) and "httpMethod" in event


def _is_s3(event: Event) -> bool:
    return _service(event) == "aws:s3" or (isinstance(event, dict) and event.get("Event") == "s3:TestEvent")


def _service(event: Event) -> str:
    """The service whose records an event has; empty when it has none."""
    records = event.get("Records") if isinstance(event, dict) else None
    first = records[0] if isinstance(records, list) and records else None
    found = (first.get("eventSource") or first.get("EventSource")) if isinstance(first, dict) else None
    return found if isinstance(found, str) else ""


def _is_eventbridge(event: Event) -> bool:
    return isinstance(event, dict) and {"detail-type", "source", "detail"} <= event.keys()


def _never(_: Event) -> bool:
    return False


# By the names that POLYFAAS_TRIGGER takes. First match wins; the last one takes what is left.
KINDS = {
    "http-api": Kind("http_api", _is_http_api),
    "alb": Kind("alb", _is_alb),
    "rest-api": Kind("rest_api", _is_rest_api),
    "s3": Kind("s3", _is_s3),
    "sqs": Kind("sqs", lambda event: _service(event) == "aws:sqs"),
    "sns": Kind("sns", lambda event: _service(event) == "aws:sns"),
    "eventbridge": Kind("eventbridge", _is_eventbridge),
    "timer": Kind("timer", _never),
    "step-functions": Kind("step_functions", _never),
    "direct": Kind("direct", lambda _: True),
}
