"""What each service takes and gives, as schemas, and all of them as one JSON Schema."""

from collections.abc import Iterable
from typing import Any, Literal, get_type_hints

import msgspec

from core.contract.schema import DIALECT, Schema, closed, component, referenced, schemas
from core.service import Service, Services


class Common(msgspec.Struct, kw_only=True):
    """What every request may say besides its service's own parameters.

    Attributes:
        service: The service's name; at the service's own path it may be left out, or null.
        profile: "saaf" asks for SAAF's flat view in the place of the answer, "saaf-ticks" for one that has SAAF's older
            names in clock ticks too.
        traceparent: The W3C trace that the call belongs to, where no header can say so.
    """

    service: str | None = None
    profile: Literal["full", "saaf", "saaf-ticks"] = "full"
    traceparent: str | None = None


class Call(msgspec.Struct, frozen=True):
    """One service as schemas.

    Attributes:
        service: The service.
        request: What it takes, with the keys of `Common`.
        result: What it gives.
    """

    service: Service
    request: Schema
    result: Schema


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """Services and other records as schemas.

    Attributes:
        calls: The services in the order of their names.
        others: The other records.
        components: What these refer to, by name.
    """

    calls: list[Call]
    others: list[Schema]
    components: dict[str, Schema]


def json_schema(services: Services) -> Schema:
    """A JSON Schema (2020-12) of the services; the same services give the same schema.

    Its properties are the services, each an object of its request and its result: that of query's
    request is at "#/properties/query/properties/request".
    """
    found = contract(services, "#/$defs/")
    calls = {call.service.name: closed({"request": call.request, "result": call.result}) for call in found.calls}
    document = {"$schema": DIALECT, "title": "polyfaas", "type": "object", "properties": calls}
    return {**document, "$defs": referenced(found.components, document)}


def contract(services: Services, place: str, others: Iterable[type] = ()) -> Contract:
    """The services and other records as schemas.

    Args:
        services: The services.
        place: What a reference has before a component's name, for example "#/$defs/".
        others: Records that belong to the same document.
    """
    ordered = [services[name] for name in sorted(services)]
    requests, results = [each.request for each in ordered], [result_type(each) for each in ordered]
    (common, *found), components = schemas([Common, *requests, *results, *others], place)
    count = len(ordered)
    reserved = component(common, components)["properties"]
    calls = [
        Call(service, _request(service, component(request, components), reserved), result)
        for service, request, result in zip(ordered, found[:count], found[count : 2 * count], strict=True)
    ]
    return Contract(calls=calls, others=found[2 * count :], components=components)


def result_type(service: Service) -> Any:
    """The type that a service's function says it gives; Any, whose schema is `{}`, where none can be read.

    A service works without the annotation, so one that has none must not hide the contracts of the others.
    """
    try:
        return get_type_hints(service.run, include_extras=True).get("return", Any)
    except (TypeError, NameError):  # no plain function, or a name that exists for type checkers only
        return Any


def _request(service: Service, own: Schema, reserved: Schema) -> Schema:
    named = {**reserved, "service": {**reserved["service"], "enum": [service.name, None]}}
    return {**own, "properties": {**own["properties"], **named}}
