"""What an answer says, aspect by aspect, as texts that are equal wherever a call runs."""

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from adapters.base import RuntimeUnavailableError
from adapters.conformance.record import Difference
from core.contract.openapi import Flat
from core.message import Context, Request, Response
from core.profiler import trace as traces

if TYPE_CHECKING:
    import jsonschema_rs

PARTS = ("result", "error")
# An RFC 9457 problem object's members: the flat view has them among its own.
PROBLEM = ("type", "title", "status", "detail", "instance", "errors")
NOTHING = "nothing"
# A trace in a profile, and what stands for a member that it leaves out.
TRACE = {"trace_id": NOTHING, "span_id": NOTHING, "parent_id": NOTHING, "flags": "01"}
TRACE_ID = re.compile("[0-9a-f]{32}")


class Exchange(msgspec.Struct, frozen=True):
    """A request and its answer.

    Attributes:
        request: What was asked.
        response: What came back.
        parts: The members of its JSON object as they were written; none when it is no object.
    """

    request: Request
    response: Response
    parts: dict[str, msgspec.Raw]

    def text(self, name: str) -> str:
        """A member as it was written, "nothing" when there is none."""
        return _text(bytes(self.parts[name])) if name in self.parts else NOTHING

    @property
    def body(self) -> str:
        """The body as a text; bytes that are no UTF-8 are escaped."""
        return _text(self.response.body)


def exchange(request: Request, response: Response) -> Exchange:
    """A request with its answer taken apart."""
    try:
        parts = msgspec.json.decode(response.body, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError):
        parts = {}
    return Exchange(request, response, parts)


def told(one: Exchange, aspects: Iterable[str]) -> dict[str, str]:
    """What an answer says in each of the aspects.

    Raises:
        RuntimeUnavailableError: A package that one of them needs is missing.
    """
    return {aspect: ASPECTS[aspect](one) for aspect in aspects}


def difference(expected: dict[str, str], found: dict[str, str]) -> Difference | None:
    """The first aspect in which two answers differ, None when they agree in all."""
    for aspect, text in expected.items():
        if found[aspect] != text:
            pairs = zip(text, found[aspect], strict=False)
            shorter = min(len(text), len(found[aspect]))
            at = next((place for place, (one, other) in enumerate(pairs) if one != other), shorter)
            return Difference(aspect=aspect, expected=text, found=found[aspect], at=at)
    return None


def compared(expected: Exchange) -> tuple[str, ...]:
    """The aspects in which every answer to a request must agree with the one in process, whatever was asked."""
    if "openapi" in expected.parts:
        return ("status", "content-type", "document")
    if "context" not in expected.parts:
        return ("status", "content-type", "flat")
    outcome = "outcome" if "error" in expected.parts else "shape"
    return ("status", "service", outcome, "content-type", "allow", "trace")


def _text(data: bytes) -> str:
    return data.decode(errors="backslashreplace")


def _status(one: Exchange) -> str:
    in_body = one.text("status")
    in_http = str(one.response.status)
    return in_http if in_body in (in_http, NOTHING) else f"{in_http} in HTTP, {in_body} in the body"


def _outcome(one: Exchange) -> str:
    found = [f"{name} {one.text(name)}" for name in PARTS if name in one.parts]
    return " and ".join(found) or f"neither result nor error in {one.body}"


def _shape(one: Exchange) -> str:
    """The outcome with 0 for every number: a probe says how long it took."""
    found = {name: _without_numbers(msgspec.json.decode(one.parts[name])) for name in PARTS if name in one.parts}
    return _text(msgspec.json.encode(found))


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_numbers(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_numbers(each) for each in value]
    return 0 if isinstance(value, float) or type(value) is int else value


def _content_type(one: Exchange) -> str:
    return one.response.headers.get("content-type", NOTHING).partition(";")[0].strip().lower()


def _allow(one: Exchange) -> str:
    return one.response.headers.get("allow", NOTHING)


def _trace(one: Exchange) -> str:
    """The trace that a call says it belongs to, its header's too; ids that it made up are "new"."""
    try:
        place = msgspec.json.decode(one.parts.get("profile", msgspec.Raw(b"{}")))["trace"]
        named = {name: str(place.get(name, left_out)) for name, left_out in TRACE.items()}
    except (msgspec.DecodeError, LookupError, TypeError, AttributeError):
        return "no trace in the profile"
    sent = " ".join((*one.request.headers.values(), _text(one.request.body)))
    trace_id = named["trace_id"] if named["trace_id"] in sent else TRACE_ID.sub("new", named["trace_id"])
    header = one.response.headers.get(traces.HEADER, NOTHING)
    agrees = header == "00-{trace_id}-{span_id}-{flags}".format(**named)
    return f"trace {trace_id}, parent {named['parent_id']}, header {'agrees' if agrees else f'is {header}'}"


def _profile(one: Exchange) -> str:
    if "profile" not in one.parts:
        return "there is no profile"
    errors = _validator().iter_errors(msgspec.json.decode(one.parts["profile"]))
    found = next(iter(errors), None)
    if found is None:
        return "fits its JSON Schema"
    place = "/".join(map(str, found.instance_path)) or "the profile"
    return f"does not fit its JSON Schema at {place}: {found.message}"


@cache
def _validator() -> "jsonschema_rs.Draft202012Validator":
    from core.contract.profile import json_schema

    try:
        import jsonschema_rs
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError("conform needs jsonschema-rs: pip install 'polyfaas[conform]'") from error
    return jsonschema_rs.Draft202012Validator(json_schema(), validate_formats=True)


def _context(one: Exchange) -> str:
    try:
        found = msgspec.json.decode(one.parts.get("context", msgspec.Raw(b"null")), type=Context)
    except msgspec.ValidationError as error:
        return f"is no context: {error}"
    return "names its platform" if found.platform else "names no platform"


def _flat(one: Exchange) -> str:
    try:
        msgspec.json.decode(one.response.body, type=Flat)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return f"is no flat view ({error}): {one.body}"
    return ", ".join(f"{name} {one.text(name)}" for name in PROBLEM if name in one.parts) or "no error"


ASPECTS: dict[str, Callable[[Exchange], str]] = {
    "status": _status,
    "service": lambda one: one.text("service"),
    "outcome": _outcome,
    "shape": _shape,
    "content-type": _content_type,
    "allow": _allow,
    "trace": _trace,
    "profile": _profile,
    "context": _context,
    "flat": _flat,
    "document": lambda one: one.body,
}
