"""The arguments of IBM's `main(args)` as a neutral request: Code Engine functions and OpenWhisk actions.

Formats: https://cloud.ibm.com/docs/codeengine?topic=codeengine-fun-exchanging-data,
https://github.com/apache/openwhisk/blob/master/docs/webactions.md and
https://github.com/apache/openwhisk/blob/master/docs/actions.md (sequences)
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

import msgspec

from adapters.base import header_names_in_lower_case
from adapters.triggers import ON_RESULT, Call, Environment, EventError, encoded, named, on_result, on_timer, shaped
from core.message import Context, Request, Response

Arguments: TypeAlias = Mapping[str, Any]

# What an answer of polyfaas has at the top, which is what the action after it in a sequence is called with.
ANSWER = frozenset({"service", "status", "result", "context", "profile"})


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One form of arguments and how to answer it.

    Attributes:
        matches: Whether arguments have it; a form that no arguments have is only there by name.
        request: The neutral request in such arguments.
        reply: What `main` must return for a response.
    """

    matches: Callable[[Arguments], bool]
    request: Callable[[Arguments, Environment], Request]
    reply: Callable[[Response], dict[str, Any]]


class CodeEngine(
    msgspec.Struct, rename={"path": "__ce_path", "query": "__ce_query", "headers": "__ce_headers", "body": "__ce_body"}
):
    """What Code Engine says of the HTTP request, beside its method."""

    method: str = msgspec.field(name="__ce_method")
    path: str | None = None
    query: str | None = None
    headers: dict[str, str] | None = None
    body: str | None = None


class WebAction(
    msgspec.Struct, rename={"path": "__ow_path", "query": "__ow_query", "headers": "__ow_headers", "body": "__ow_body"}
):
    """What OpenWhisk says of the HTTP request, beside its method; a raw action's has query and body."""

    method: str = msgspec.field(name="__ow_method")
    path: str | None = None
    query: str | None = None
    headers: dict[str, str] | None = None
    body: str | None = None


def answer(args: Arguments, call: Call, environment: Environment) -> dict[str, Any]:
    """Run the request in the arguments and give what `main` must return.

    Args:
        args: The platform's arguments.
        call: Answers a request; `handle`.
        environment: The deployment's variables.

    Raises:
        PolyfaasError: The arguments are not of their documented form, or the deployment is wrong.
    """
    form = KINDS[named(environment, KINDS) or kind(args, environment)]
    return form.reply(call(form.request(args, environment)))


def kind(args: Arguments, environment: Environment) -> str:
    """The name of the arguments' form; callers cannot set a marker, and what has none is a plain action's.

    Args:
        args: The platform's arguments.
        environment: The deployment's variables: an answer starts something only where they say what.
    """
    told = ON_RESULT in environment
    return next(name for name, each in KINDS.items() if each.matches(args) and (told or name != "sequence"))


def context(environment: Mapping[str, str], args: Arguments) -> Context:
    """Where a call runs; neither platform has a variable that tells the memory."""
    if "__OW_ACTION_NAME" in environment:
        return Context(
            platform="Apache OpenWhisk",
            function=environment["__OW_ACTION_NAME"],
            region=environment.get("__OW_REGION"),
            request_id=environment.get("__OW_ACTIVATION_ID"),
        )
    return Context(
        platform="IBM Code Engine",
        function=environment.get("CE_FUNCTION"),
        region=environment.get("CE_REGION"),
        request_id=_request_id(args),
    )


def _request_id(args: Arguments) -> str | None:
    headers = args.get("__ce_headers")
    found = headers if isinstance(headers, dict) else {}
    return next((str(value) for name, value in found.items() if str(name).lower() == "x-request-id"), None)


def is_text(content_type: str) -> bool:
    """Whether a body of this type travels as it is; JSON, which is the default, and binary go as base64."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type == "application/x-www-form-urlencoded"


def _request_code_engine(args: Arguments, _: Environment) -> Request:
    found = shaped(args, CodeEngine, "call of a Code Engine function")
    return _http(found, _body(found.body or "", found.headers))


def _request_web_action(args: Arguments, _: Environment) -> Request:
    found = shaped(args, WebAction, "call of a web action")
    return _http(found, _parameters(args) if found.body is None else _body(found.body, found.headers))


def _http(found: CodeEngine | WebAction, body: bytes) -> Request:
    return Request(
        method=found.method.upper(),
        path=unquote(found.path or "/"),
        headers=header_names_in_lower_case(found.headers or {}),
        query=dict(parse_qsl(found.query or "", keep_blank_values=True)),
        body=body,
    )


def _body(text: str, headers: Mapping[str, str] | None) -> bytes:
    content_type = header_names_in_lower_case(headers or {}).get("content-type", "")
    try:
        return text.encode() if is_text(content_type) else base64.b64decode(text)
    except ValueError as error:
        raise EventError(f"the body is neither text nor base64 ({error}): check what calls this function") from error


def _request_sequence(args: Arguments, environment: Environment) -> Request:
    return on_result(shaped(args, Step, "answer of polyfaas").result, environment)


class Step(msgspec.Struct):
    """What the action before in a sequence gave; a failure, which has an error instead, ends the sequence."""

    result: dict[str, Any]


def _request_timer(_: Arguments, environment: Environment) -> Request:
    return on_timer(environment)


def _request_plain_action(args: Arguments, _: Environment) -> Request:
    return Request(body=_parameters(args))


def _parameters(args: Arguments) -> bytes:
    return encoded({name: value for name, value in args.items() if not name.startswith("__ow_")})


def _reply_code_engine(response: Response) -> dict[str, Any]:
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": response.body.decode(),
    }


def _reply_web_action(response: Response) -> dict[str, Any]:
    # The controller takes JSON for binary: it must come as base64.
    return {
        "statusCode": response.status,
        "headers": dict(response.headers),
        "body": base64.b64encode(response.body).decode(),
    }


def _reply_plain_action(response: Response) -> dict[str, Any]:
    # The action proxy writes this with Python's json, which knows no decimals: floats from here on.
    return msgspec.json.decode(response.body, type=dict[str, Any])


# By the names that POLYFAAS_TRIGGER takes. First match wins; the last one takes what is left.
KINDS = {
    "code-engine": Kind(
        matches=lambda args: "__ce_method" in args,
        request=_request_code_engine,
        reply=_reply_code_engine,
    ),
    "web-action": Kind(
        matches=lambda args: "__ow_method" in args, request=_request_web_action, reply=_reply_web_action
    ),
    "sequence": Kind(matches=lambda args: args.keys() >= ANSWER, request=_request_sequence, reply=_reply_plain_action),
    "timer": Kind(matches=lambda _: False, request=_request_timer, reply=_reply_plain_action),
    "action": Kind(matches=lambda _: True, request=_request_plain_action, reply=_reply_plain_action),
}
