"""The services as an OpenAPI 3.1 document (https://spec.openapis.org/oas/v3.1.1.html)."""

from typing import Literal

import msgspec

from core import errors
from core.contract.schema import DIALECT, Schema, closed, component, documented, referenced
from core.contract.services import Call, contract
from core.errors import Fault, PolyfaasError
from core.service import Services

JSON = "application/json"
OUTCOMES = ("result", "error")


class Problem(msgspec.Struct, kw_only=True):
    """An RFC 9457 problem object.

    Attributes:
        type: URI of the kind of error.
        title: Its name, the same at every occurrence.
        status: HTTP status, the same as the response's.
        detail: What was found and what to do about it.
        instance: The path of the call that failed.
        errors: The places that are wrong.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Fault] | msgspec.UnsetType = msgspec.UNSET


class Flat(msgspec.Struct, kw_only=True, rename="camel"):
    """SAAF's flat view: these keys and others of SAAF's, with those of the result or the problem beside them.

    Attributes:
        version: Version of SAAF's format.
        lang: Language of the function.
        platform: The provider's product.
        uuid: The process that answered.
        newcontainer: 1 for the first call of its instance, else 0.
        invocations: Number of this call in its instance, 1 for the first.
        start_time: Milliseconds since 1970, of the wall clock.
        end_time: Milliseconds since 1970, of the wall clock.
        runtime: The call with the profiler's own readings, in milliseconds.
        user_runtime: The call without them, in milliseconds.
    """

    version: float
    lang: str
    platform: str
    uuid: str
    newcontainer: Literal[0, 1]
    invocations: int
    start_time: int
    end_time: int
    runtime: float
    user_runtime: float


class Bodies(msgspec.Struct, frozen=True):
    """What the bodies of answers are made of.

    Attributes:
        envelope: The properties of an answer.
        problem: Reference to the problem object.
        flat: Reference to SAAF's flat view.
    """

    envelope: dict[str, Schema]
    problem: Schema
    flat: Schema


def openapi(services: Services, envelope: type[msgspec.Struct]) -> Schema:
    """A path for each service; the same services give the same document.

    Args:
        services: The services of a deployment.
        envelope: Record of an answer's body; of its fields result and error an answer has one.
    """
    found = contract(services, "#/components/schemas/", [envelope, Problem, Flat])
    answer, problem, flat = found.others
    bodies = Bodies(component(answer, found.components)["properties"], problem, flat)
    failures = _failures()
    document = {
        "openapi": "3.1.0",
        "info": {"title": "polyfaas", "version": _version()},
        "jsonSchemaDialect": DIALECT,
        # Where the document itself was read from: a deployment may have a prefix.
        "servers": [{"url": "."}],
        "paths": {f"/{call.service.name}": {"post": _operation(call, bodies, failures)} for call in found.calls},
    }
    responses = {str(status): _failure(status, titles, bodies) for status, titles in failures.items()}
    schemas = referenced(found.components, {**document, "responses": responses})
    return {**document, "components": {"responses": responses, "schemas": schemas}}


def _failures() -> dict[int, list[str]]:
    """The titles of the errors that a service may answer, by status."""
    kinds = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, PolyfaasError)]
    titles: dict[int, list[str]] = {}
    for kind in sorted(kinds, key=lambda each: each.status):
        titles.setdefault(kind.status, []).append(kind.title)
    return titles


def _operation(call: Call, bodies: Bodies, failures: dict[int, list[str]]) -> Schema:
    summary, _, description = documented(call.service.run)[0].partition("\n\n")
    texts = {"summary": summary, "description": description}
    return {
        "operationId": call.service.name,
        **{name: text for name, text in texts.items() if text},
        "requestBody": {"required": True, **_content(call.request)},
        "responses": {
            "200": _success(call, bodies),
            **{str(status): {"$ref": f"#/components/responses/{status}"} for status in failures},
        },
    }


def _success(call: Call, bodies: Bodies) -> Schema:
    known: dict[str, Schema] = {"service": {"const": call.service.name}, "status": {"const": 200}}
    known["result"] = call.result
    return {"description": "The result", **_content({"anyOf": [_answer(bodies, known), bodies.flat]})}


def _failure(status: int, titles: list[str], bodies: Bodies) -> Schema:
    problem = {**bodies.problem, "properties": {"status": {"const": status}}}
    answer = _answer(bodies, {"status": {"const": status}, "error": problem})
    return {"description": " / ".join(titles), **_content({"anyOf": [answer, {"allOf": [bodies.flat, problem]}]})}


def _content(schema: Schema) -> Schema:
    return {"content": {JSON: {"schema": schema}}}


def _answer(bodies: Bodies, known: dict[str, Schema]) -> Schema:
    """The envelope with what is known of it; all parts are always there, but for the outcome that it has not."""
    parts = {name: part for name, part in bodies.envelope.items() if name in known or name not in OUTCOMES}
    told = {name: {key: value for key, value in part.items() if key != "default"} for name, part in parts.items()}
    return closed({name: {**part, **known.get(name, {})} for name, part in told.items()})


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("polyfaas")
    except PackageNotFoundError:  # a copy of the packages that was never installed
        return "unknown"
