"""What a trigger means, the same on every provider: which request an event starts, and what its failure does.

A storage event starts the request that POLYFAAS_ON_OBJECT names, a timer that of POLYFAAS_ON_TIMER, a message is a
request itself, and the answer of an action before this one starts that of POLYFAAS_ON_RESULT (docs/triggers.md).
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

import msgspec

from adapters.templates import DeploymentError, EventError, filled, template, writes_to
from core.errors import MethodError, PolyfaasError, RequestError
from core.message import Request, Response

__all__ = ["DeploymentError", "EventError"]

# Which kind of event this deployment gets, where its shape is not to decide.
TRIGGER = "POLYFAAS_TRIGGER"
ON_OBJECT = "POLYFAAS_ON_OBJECT"
ON_TIMER = "POLYFAAS_ON_TIMER"
ON_RESULT = "POLYFAAS_ON_RESULT"
ON_BAD = "POLYFAAS_ON_BAD_EVENT"
FAIL, DROP = "fail", "drop"

OBJECT_EXAMPLE = '{"service": "transform", "target": "s3://out/{name}"}'
TIMER_EXAMPLE = '{"service": "query", "database": "sqlite+s3://data/sales.db"}'
RESULT_EXAMPLE = '{"service": "load", "source": "{target}", "database": "sqlite+s3://data/sales.db"}'

TRACEPARENT = "traceparent"
BAD_REQUEST = 400
# What the request and its data say stays wrong however often it is tried; what may be touched, and what is there
# (403, 404), can change until the next time.
HOPELESS = frozenset({RequestError.status, MethodError.status, 422})

Environment: TypeAlias = Mapping[str, str]
Call: TypeAlias = Callable[[Request], Response]
Start: TypeAlias = Callable[[], Request | None]
Shape = TypeVar("Shape")


class _Problem(msgspec.Struct):
    type: str = ""
    detail: str = ""


class _Answer(msgspec.Struct):
    """Where an answer says what went wrong: in `error`, or, in SAAF's flat view, at the top."""

    error: _Problem | None = None
    type: str = ""
    detail: str = ""


def named(environment: Environment, known: Mapping[str, Any]) -> str | None:
    """The kind of event that POLYFAAS_TRIGGER names; None where the event's shape decides.

    Raises:
        DeploymentError: It names none that is known.
    """
    name = environment.get(TRIGGER)
    if name and name not in known:
        raise DeploymentError(f"{TRIGGER} is {name!r}: use one of {', '.join(known)}, or leave it out")
    return name or None


def shaped(event: object, shape: type[Shape], what: str) -> Shape:
    """The event as a record of its documented shape.

    Args:
        event: Decoded JSON.
        shape: The record; what it does not name is passed over.
        what: What the event is said to be, for the message.

    Raises:
        EventError: It is of another shape; the message has the JSON path.
    """
    try:
        return msgspec.convert(event, shape)
    except (msgspec.ValidationError, UnicodeError, RecursionError) as error:
        cure = f"check what is connected to this function, and {TRIGGER} where it is set"
        raise EventError(f"the event is no {what}: {error}; {cure}") from error


def encoded(value: object) -> bytes:
    """Decoded JSON as it may have been sent."""
    try:
        return msgspec.json.encode(value)
    except (OverflowError, UnicodeError, RecursionError, TypeError):
        return _encoded_at_length(value)


def _encoded_at_length(value: object) -> bytes:
    """The same, of integers over 64 bits and half surrogates too."""
    import json  # only what is odd has to pay for it

    try:
        return json.dumps(value).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise EventError(f"the event is no JSON ({error}): send a JSON object") from error


def on_object(url: str, environment: Environment) -> Request | None:
    """The request that a new object starts; None for a folder's mark, and for what the template writes itself.

    Raises:
        DeploymentError: POLYFAAS_ON_OBJECT names no request.
        EventError: The object's name must not be filled in.
    """
    wanted = template(environment, ON_OBJECT, OBJECT_EXAMPLE)
    why = _passed_over(wanted, url)
    if why:
        import logging  # 6 ms that only this has to pay

        logging.getLogger("polyfaas.adapters").warning("nothing is started by %s: %s", url, why)
        return None
    return Request(body=encoded(filled(wanted, url)))


def _passed_over(wanted: Mapping[str, Any], url: str) -> str:
    """Why an object starts nothing; empty when it does."""
    if url.endswith("/"):
        return "its name ends with a slash, as a folder's mark does"
    if writes_to(wanted, url):
        return f"it lies where {ON_OBJECT} has its service write, and would start it for ever: notify of another prefix"
    return ""


def on_timer(environment: Environment) -> Request:
    """The request that a timer starts.

    Raises:
        DeploymentError: POLYFAAS_ON_TIMER names none.
    """
    return Request(body=encoded(template(environment, ON_TIMER, TIMER_EXAMPLE)))


def on_result(result: Mapping[str, Any], environment: Environment) -> Request:
    """The request that the result of the action before starts: a text that is `{field}` becomes that field.

    Raises:
        DeploymentError: POLYFAAS_ON_RESULT names no request, or a field that the result has not.
    """
    wanted = template(environment, ON_RESULT, RESULT_EXAMPLE)
    return Request(body=encoded({name: _field(value, result) for name, value in wanted.items()}))


def _field(value: Any, result: Mapping[str, Any]) -> Any:
    if not (isinstance(value, str) and value.startswith("{") and value.endswith("}")):
        return value
    if value[1:-1] not in result:
        detail = (
            f"{ON_RESULT} asks for {value}, and the result has {', '.join(result) or 'no field'}: name one of these"
        )
        raise DeploymentError(detail)
    return result[value[1:-1]]


def message(body: bytes, traceparent: str | None = None) -> Request:
    """The request that a queue's or topic's message is; a traceparent that came with it goes into a header."""
    return Request(headers={TRACEPARENT: traceparent} if traceparent else {}, body=body)


def run(start: Start, call: Call, environment: Environment, bad: str = FAIL) -> None:
    """Run what an event starts, so that its platform learns of a failure.

    Args:
        start: Gives the request, or None where there is nothing to do.
        call: Answers a request; `handle`.
        environment: The deployment's variables.
        bad: What to do with an event that stays wrong however often it is tried, when POLYFAAS_ON_BAD_EVENT does not
            say: "fail" tells the platform, "drop" only the log.

    Raises:
        PolyfaasError: The event failed, and the platform is to be told: to try again, or to keep it as a dead letter.
    """
    error = outcome(start, call)
    if error is not None and _is_told(error, environment, bad):
        raise error


def outcome(start: Start, call: Call) -> PolyfaasError | None:
    """What went wrong with what an event starts; None when nothing did."""
    try:
        request = start()
    except PolyfaasError as error:
        return error
    return None if request is None else failure(call(request))


def failure(response: Response) -> PolyfaasError | None:
    """The error in a response, of the class that it was raised with; None when there is none."""
    if response.status < BAD_REQUEST:
        return None
    try:
        answer = msgspec.json.decode(response.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeError):
        answer = _Answer()
    kind, detail = (answer.error.type, answer.error.detail) if answer.error else (answer.type, answer.detail)
    return _class(kind, response.status)(detail or f"the request was answered with {response.status}: its log says why")


def _class(kind: str, status: int) -> type[PolyfaasError]:
    """The class of errors with this problem type; by its status where none has it."""
    known = [PolyfaasError]
    for each in known:  # grows while it is read: those nearer to the root come first
        known += each.__subclasses__()
    named_so = (each for each in known if kind == f"urn:polyfaas:error:{each.slug}")
    return next(named_so, None) or next((each for each in known if each.status == status), PolyfaasError)


def _is_told(error: PolyfaasError, environment: Environment, bad: str) -> bool:
    """Whether the platform is to learn of an error; the log does always."""
    policy = environment.get(ON_BAD) or bad
    if policy not in (FAIL, DROP):
        raise DeploymentError(f"{ON_BAD} is {policy!r}: use {FAIL} or {DROP}") from error
    told = error.status not in HOPELESS or policy == FAIL
    import logging  # 6 ms that only a failure has to pay

    what = "an event failed: %s" if told else "an event is dropped, since it would fail again: %s"
    logging.getLogger("polyfaas.adapters").error(what, error, extra={"error": type(error).__name__})
    return told
