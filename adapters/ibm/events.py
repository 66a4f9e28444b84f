"""The arguments of IBM's `main(args)` as a neutral request: Code Engine functions and OpenWhisk actions.

Formats: https://cloud.ibm.com/docs/codeengine?topic=codeengine-fun-exchanging-data and
https://github.com/apache/openwhisk/blob/master/docs/webactions.md
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

import msgspec

from adapters.base import header_names_in_lower_case
from core.message import Context, Request, Response

Arguments: TypeAlias = Mapping[str, Any]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """One form of arguments and how to answer it.

    Attributes:
        name: What calls with it.
        marker: The argument that only this form has.
        request: The neutral request in such arguments.
        reply: What `main` must return for a response.
    """

    name: str
    marker: str
    request: Callable[[Arguments], Request]
    reply: Callable[[Response], dict[str, Any]]


def kind(args: Arguments) -> Kind:
    """The form of the arguments; callers cannot set a marker, and what has none is a plain action's."""
    return next(kind for kind in KINDS if kind.marker in args or not kind.marker)


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
        request_id=_headers(args, "__ce_headers").get("x-request-id"),
    )


def _headers(args: Arguments, name: str) -> dict[str, str]:
    return header_names_in_lower_case(args.get(name) or {})


def is_text(content_type: str) -> bool:
    """Whether a body of this type travels as it is; JSON, which is the default, and binary go as base64."""
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type == "application/x-www-form-urlencoded"


def _body(text: str, headers: Mapping[str, str]) -> bytes:
    return text.encode() if is_text(headers.get("content-type", "")) else base64.b64decode(text)


def _query(text: str | None) -> dict[str, str]:
    return dict(parse_qsl(text or "", keep_blank_values=True))


def _request_code_engine(args: Arguments) -> Request:
    headers = _headers(args, "__ce_headers")
    return Request(
        method=args["__ce_method"].upper(),
        path=unquote(args.get("__ce_path") or "/"),
        headers=headers,
        query=_query(args.get("__ce_query")),
        body=_body(args.get("__ce_body") or "", headers),
    )


def _request_web_action(args: Arguments) -> Request:
    headers = _headers(args, "__ow_headers")
    raw = args.get("__ow_body")
    return Request(
        method=args["__ow_method"].upper(),
        path=unquote(args.get("__ow_path") or "/"),
        headers=headers,
        query=_query(args.get("__ow_query")),
        body=_parameters(args) if raw is None else _body(raw, headers),
    )


def _request_plain_action(args: Arguments) -> Request:
    return Request(body=_parameters(args))


def _parameters(args: Arguments) -> bytes:
    return msgspec.json.encode({name: value for name, value in args.items() if not name.startswith("__ow_")})


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


# First match wins; the last one takes what is left.
KINDS = (
    Kind(
        name="Code Engine function",
        marker="__ce_method",
        request=_request_code_engine,
        reply=_reply_code_engine,
    ),
    Kind(name="web action", marker="__ow_method", request=_request_web_action, reply=_reply_web_action),
    Kind(name="plain action", marker="", request=_request_plain_action, reply=_reply_plain_action),
)
