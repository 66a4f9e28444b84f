"""The services' records as JSON Schema."""

import functools
import os
import subprocess
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
import msgspec
import pytest

from core.contract.schema import Schema
from core.contract.services import json_schema, result_type
from core.errors import RequestError
from core.runtime import VIEWS, built_in, encode
from core.service import Service, registry

ROOT = Path(__file__).parents[1]


class Item(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One thing to weigh.

    Attributes:
        name: What it is.
        unit: In which unit, "in" in JSON;
            kilograms when left out.
    """

    name: str
    unit: Literal["kg", "g"] = msgspec.field(default="kg", name="in")


class Weigh(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What to weigh.

    It may be nothing.

    Attributes:
        items: The things.
        tare: What to take off.
    """

    items: list[Item]
    tare: Decimal = Decimal("1.50")


@dataclass
class Weight:
    """What was weighed.

    Attributes:
        total: The sum.
        parts: The same for parts of it.
    """

    total: Decimal
    parts: "list[Weight]"


def weigh(_: Weigh) -> Weight:
    raise NotImplementedError


def untold(_: Weigh):  # type: ignore[no-untyped-def]  # what a user may write
    raise NotImplementedError


def nothing(_: Weigh) -> None:
    raise NotImplementedError


def unknown(_: Weigh) -> "Nowhere":  # type: ignore[name-defined]  # noqa: F821
    raise NotImplementedError


def foreign(_: Weigh) -> Path:
    raise NotImplementedError


SERVICES = registry([Service(name="weigh", request=Weigh, run=weigh)])


def validator(document: Schema, *path: str) -> jsonschema_rs.Draft202012Validator:
    """Checks values against a part of a document, with the document's own components."""
    part = functools.reduce(lambda node, name: node[name], path, document)
    shared = {name: document[name] for name in ("$defs", "components") if name in document}
    return jsonschema_rs.Draft202012Validator(msgspec.to_builtins({**part, **shared}))


def request_validator(service: str = "weigh") -> jsonschema_rs.Draft202012Validator:
    return validator(json_schema(SERVICES), "properties", service, "properties", "request")


def described(name: str) -> Schema:
    return {key: each.get("description") for key, each in json_schema(SERVICES)["$defs"][name]["properties"].items()}


@pytest.mark.parametrize("services", [SERVICES, built_in()], ids=["own", "built in"])
def test_the_document_is_a_json_schema(services: dict[str, Service]) -> None:
    document = msgspec.json.decode(encode(json_schema(services)))
    jsonschema_rs.meta.validate(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_service_has_its_request_and_its_result() -> None:
    document = json_schema(built_in())
    found = {name: list(each["properties"]) for name, each in document["properties"].items()}
    assert found == {name: ["request", "result"] for name in sorted(built_in())}


REQUESTS: list[tuple[dict[str, Any], bool]] = [
    ({"items": []}, True),
    ({"items": [{"name": "a", "in": "g"}], "tare": 0.25}, True),
    ({}, False),
    ({"items": [], "more": 1}, False),
    ({"items": [{"name": "a", "unit": "g"}]}, False),
    ({"items": [{"name": "a", "in": "t"}]}, False),
    ({"items": {}}, False),
    ({"items": [], "tare": None}, False),
]


@pytest.mark.parametrize(("request_", "good"), REQUESTS)
def test_the_schema_takes_a_request_when_the_service_does(request_: dict[str, Any], good: bool) -> None:
    try:
        SERVICES["weigh"].parse(request_)
        parsed = True
    except RequestError:
        parsed = False
    assert (request_validator().is_valid(request_), parsed) == (good, good)


@pytest.mark.parametrize(
    ("common", "good"),
    [
        ({"profile": "saaf"}, True),
        ({"profile": "loud"}, False),
        ({"service": "weigh"}, True),
        ({"service": None}, True),
        ({"service": "other"}, False),
    ],
)
def test_the_keys_that_every_request_may_have_are_in_the_schema(common: dict[str, Any], good: bool) -> None:
    assert request_validator().is_valid({"items": [], **common}) is good


def test_the_views_are_those_that_the_runtime_gives() -> None:
    request = json_schema(SERVICES)["properties"]["weigh"]["properties"]["request"]
    assert sorted(request["properties"]["profile"]["enum"]) == sorted(VIEWS)


def test_a_records_docstring_is_the_description_without_its_sections() -> None:
    request = json_schema(SERVICES)["properties"]["weigh"]["properties"]["request"]
    assert request["description"] == "What to weigh.\n\nIt may be nothing."


def test_a_fields_docstring_is_its_description_under_its_name_in_json() -> None:
    assert described("Item") == {"name": "What it is.", "in": 'In which unit, "in" in JSON; kilograms when left out.'}


def test_a_dataclass_that_holds_itself_is_described() -> None:
    assert described("Weight") == {"total": "The sum.", "parts": "The same for parts of it."}


def test_a_decimal_is_a_number_with_all_its_digits() -> None:
    document = json_schema(SERVICES)
    tare = document["properties"]["weigh"]["properties"]["request"]["properties"]["tare"]
    assert encode({**tare, "description": ""}) == b'{"type":"number","default":1.50,"description":""}'
    assert document["$defs"]["Weight"]["properties"]["total"]["type"] == "number"


@pytest.mark.parametrize(
    ("run", "result"),
    [
        (weigh, {"$ref": "#/$defs/Weight"}),
        (nothing, {"type": "null"}),
        (untold, {}),
        (unknown, {}),
        (foreign, {"title": "Path"}),
        (functools.partial(weigh), {}),
    ],
    ids=["record", "null", "no annotation", "unknown name", "not JSON", "no plain function"],
)
def test_the_result_is_what_the_functions_annotation_says_and_anything_without_one(run: Any, result: Schema) -> None:
    services = registry([Service(name="weigh", request=Weigh, run=run)])
    assert json_schema(services)["properties"]["weigh"]["properties"]["result"] == result


def test_every_built_in_service_says_what_it_gives() -> None:
    assert [name for name, service in built_in().items() if result_type(service) is Any] == []


def test_two_services_may_share_a_record() -> None:
    twins = registry([Service(name=name, request=Weigh, run=weigh) for name in ("a", "b")])
    document = json_schema(twins)
    requests = {name: validator(document, "properties", name, "properties", "request") for name in twins}
    found = {name: each.is_valid({"items": [], "service": "a"}) for name, each in requests.items()}
    assert found == {"a": True, "b": False}


def test_only_what_is_referred_to_is_defined() -> None:
    assert list(json_schema(SERVICES)["$defs"]) == ["Item", "Weight"]


def test_the_order_of_registration_does_not_matter() -> None:
    services = list(built_in().values())
    assert encode(json_schema(registry(services[::-1]))) == encode(json_schema(registry(services)))


PRINT = """
from core.contract.services import json_schema
from core.runtime import built_in, encode, openapi
print(encode(json_schema(built_in())).decode(), openapi(built_in()).decode())
"""


def test_the_documents_are_the_same_bytes_in_every_process() -> None:
    def printed(seed: str) -> str:
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PRINT]
        return subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=environment).stdout

    assert printed("1") == printed("2")


def test_a_call_imports_nothing_of_the_documents() -> None:
    program = """
import sys
from core.message import LOCAL, Request
from core.runtime import handle
handle(Request(path="/query", body=b"{}"), LOCAL)
print(*(name for name in sys.modules if name.startswith("core.contract")))
"""
    command = [sys.executable, "-c", program]
    assert subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip() == ""
