"""The one neutral entry: a request in, one JSON object out, whatever happens in between."""

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from core import access, memory
from core.errors import AccessError, Fault, MethodError, PolyfaasError, RequestError
from core.message import Context, Request, Response
from core.profiler import Call, Profile, boot, span
from core.profiler import trace as traces
from core.profiler.instance import instance
from core.profiler.restore import restore
from core.service import Service, Services, pick

HEADERS = {"content-type": "application/json"}
VIEWS = ("full", "saaf", "saaf-ticks")
DOCUMENT = "openapi.json"

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Answer(msgspec.Struct, kw_only=True):
    """The body of an answer; exactly one of result and error is there.

    Attributes:
        service: The service that ran, null when none could be picked.
        status: HTTP status, the same as the response's.
        result: The service's result record.
        error: RFC 9457 problem object.
        context: Where the call ran.
        profile: What the call cost.
    """

    service: str | None = None
    status: int = 200
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    context: Context
    profile: Profile | msgspec.UnsetType = msgspec.UNSET


def handle(request: Request, context: Context, services: Services | None = None) -> Response:
    """Answer one request; never raises but for Ctrl-C.

    The body of the answer is `{"service", "status", "result" | "error", "context", "profile"}`. A request
    whose body says `"profile": "saaf"` gets SAAF's flat object instead, "saaf-ticks" the same with its older
    names too, and `GET /openapi.json` the contract.

    Args:
        request: What was asked.
        context: Where the call runs.
        services: The services of this deployment; the built-in ones when left out.
    """
    view, contract = "full", b""
    answer = Answer(context=context)
    memory.tell(context.memory_mib)
    with _call(request) as call, access.from_outside():
        try:
            if request.method == "GET" and request.path.rpartition("/")[2] == DOCUMENT:
                contract = openapi(_offered(services))
            else:
                body = _decode(request)
                view = _take_view(body)
                _join(call, body)
                service = _service(request, body, _offered(services))
                answer.service = service.name
                answer.result = _run(service, body)
        except PolyfaasError as error:
            call.failed(error)
            _fail(answer, request, error)
        except (Exception, SystemExit) as error:  # a service that exits must not take the instance along
            call.failed(error)
            import logging  # 6 ms that only a failure has to pay

            logging.getLogger("polyfaas.core").exception("service failed", extra={"service": answer.service})
            _fail(answer, request, PolyfaasError("the service failed: its log says why"))
    if start := boot.told(call.began_ns):
        call.follows(start, boot.unavailable(), boot.initialization)
    _export(answer, call.profile)
    return Response(status=200, headers=HEADERS, body=contract) if contract else _reply(answer, call.profile, view)


def _call(request: Request) -> Call:
    """The call as it is to be measured: of this instance, or of the one that a snapshot has become."""
    if restore.check():
        instance.restored(restore.gap_ms)
    return Call(trace=traces.joined(request.headers.get(traces.HEADER)))


def built_in() -> Services:
    """The services that ship with polyfaas, by name."""
    from core.services.built_in import BUILT_IN

    return BUILT_IN


def openapi(services: Services) -> bytes:
    """The contract of the services as an OpenAPI 3.1 document; the same bytes each time."""
    from core.contract.openapi import openapi as document

    return encode(document(services, Answer))


def encode(value: object) -> bytes:
    """A value as compact JSON; decimals are numbers with all their digits."""
    return _encode(value)


def _offered(services: Services | None) -> Services:
    return built_in() if services is None else services


def _decode(request: Request) -> dict[str, Any]:
    if request.method != "POST":
        raise MethodError(f"a service takes POST, not {request.method}: send the request as a JSON body")
    try:
        body = msgspec.json.decode(request.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestError(f"the body is not JSON ({error}): send a JSON object") from error
    if not isinstance(body, dict):
        raise RequestError(f"the body is a JSON {_kind(body)}: send a JSON object")
    return body


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return {list: "array", str: "string", bool: "boolean"}.get(type(value), "number")


def _take_view(body: dict[str, Any]) -> str:
    view = body.pop("profile", "full")
    if view not in VIEWS:
        detail = f'"profile" is {encode(view).decode()}: use one of {", ".join(VIEWS)}'
        raise RequestError(detail, [Fault(path="$.profile", detail=detail)])
    return str(view)


def _join(call: Call, body: dict[str, Any]) -> None:
    """What cannot send a header, such as a queue's message, says in the body what trace it belongs to."""
    told = body.pop(traces.HEADER, None)
    if told is None:
        return
    if not isinstance(told, str) or traces.parsed(told) is None:
        detail = f'"{traces.HEADER}" is {encode(told).decode()}: send a W3C traceparent such as {traces.EXAMPLE}'
        raise RequestError(detail, [Fault(path=f"$.{traces.HEADER}", detail=detail)])
    call.joins(traces.joined(told))


def _service(request: Request, body: dict[str, Any], services: Services) -> Service:
    named = body.pop("service", None)
    return pick(services, request.path, named, body)


def _run(service: Service, parameters: Mapping[str, Any]) -> msgspec.Raw:
    with span("decode"):
        record = service.parse(parameters)
    with span(service.name):
        try:
            result = service.run(record)
        except access.OutsideError as error:
            raise _placed(error, parameters) from error
    with span("encode"):
        return msgspec.Raw(encode(result))


def _placed(error: access.OutsideError, parameters: Mapping[str, Any]) -> AccessError:
    """The error with the JSON path of the parameter that names what was asked for, or what it is made of."""
    named = {f"$.{name}": value for name, value in parameters.items() if isinstance(value, str)}
    for name, value in parameters.items():
        if isinstance(value, list):
            named |= {f"$.{name}[{index}]": each for index, each in enumerate(value) if isinstance(each, str)}
    made = (
        path for path, value in named.items() if value and (error.url.startswith(value) or value.endswith(error.url))
    )
    path = next((path for path, value in named.items() if value == error.url), next(made, None))
    return AccessError(error.detail, [Fault(path=path, detail=error.detail)] if path else ())


def _fail(answer: Answer, request: Request, error: PolyfaasError) -> None:
    from urllib.parse import quote  # a path may hold what is no text: a URI reference is ASCII

    instance = f"/{answer.service}" if answer.service else quote(request.path, safe="/:@", errors="replace")
    answer.status = error.status
    answer.error = error.problem(instance)


def _export(answer: Answer, profile: Profile) -> None:
    """Send the profile to where POLYFAAS_EXPORT says, see `core.export`."""
    if os.environ.get("POLYFAAS_EXPORT"):
        from core.export.exporters import export
        from core.export.record import Finished

        export(Finished(profile=profile, context=answer.context, service=answer.service, status=answer.status))


def _reply(answer: Answer, profile: Profile, view: str) -> Response:
    headers = {**HEADERS, "allow": "POST"} if answer.status == MethodError.status else HEADERS
    if profile.trace is not None:
        headers = {**headers, traces.HEADER: traces.header(profile.trace)}
    answer.profile = profile
    body: object = answer
    if view != "full":
        from core.profiler import saaf

        body = saaf.flat(profile, answer.context, answer.result or answer.error, ticks=view == "saaf-ticks")
    return Response(status=answer.status, headers=headers, body=encode(body))
