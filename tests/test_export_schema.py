"""The JSON Schema of the profile: what it says, and that every profile is valid by it, old ones too."""

import functools
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import msgspec
import pytest
from click.testing import CliRunner

from core import Request, Service, handle, registry
from core.contract.profile import json_schema
from core.message import LOCAL
from core.profiler.metrics import METRICS, SCOPES
from core.profiler.record import HISTORY, VERSION, Profile
from core.reference import schema

ROOT = Path(__file__).parents[1]
PROFILES = sorted((ROOT / "tests" / "profiles").glob("v*.json"))


@functools.cache
def validator() -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json_schema(), validate_formats=True)


def kept(version: int) -> dict[str, Any]:
    profile: dict[str, Any] = msgspec.json.decode((ROOT / "tests" / "profiles" / f"v{version}.json").read_bytes())
    return profile


def test_the_document_is_a_json_schema_that_names_its_version() -> None:
    document = json_schema()
    jsonschema_rs.meta.validate(document)
    assert document["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (document["$id"], document["title"]) == (
        f"urn:polyfaas:profile:{VERSION}",
        f"Profile of a call, version {VERSION}",
    )


def test_the_schema_in_the_documentation_is_what_the_command_prints() -> None:
    printed = CliRunner().invoke(schema, ["profile"], catch_exceptions=False).output
    page = ROOT / "docs" / "profile.schema.json"
    assert page.read_text(encoding="utf-8") == printed, f"polyfaas schema profile > {page.relative_to(ROOT)}"


def test_every_field_is_described() -> None:
    document = json_schema()
    parts = {"Profile": document, **document["$defs"]}
    blank = [
        f"{name}.{field}"
        for name, part in parts.items()
        for field, each in part["properties"].items()
        if not each.get("description")
    ]
    assert (sorted(parts), blank) == (["Profile", "Span", "Trace"], [])


def test_every_metric_of_the_registry_is_there_with_its_unit_kind_and_scope() -> None:
    named = json_schema()["properties"]["metrics"]["properties"]
    told = {name: (each["x-unit"], each["x-kind"], each["x-scope"]) for name, each in named.items()}
    assert told == {metric.name: (metric.unit, metric.kind, metric.scope) for metric in METRICS}
    assert all(SCOPES[metric.scope] in named[metric.name]["description"] for metric in METRICS)


def test_the_history_tells_what_came_with_each_version() -> None:
    assert json_schema()["x-history"] == {str(version): came for version, came in HISTORY.items()}
    assert list(HISTORY) == list(range(VERSION, 0, -1))
    told = set(re.findall(r"\w+", " ".join(HISTORY.values())))
    assert set(Profile.__struct_fields__) - told == {"version"}


def test_a_document_of_each_version_is_kept() -> None:
    assert [path.stem for path in PROFILES] == [f"v{version}" for version in sorted(HISTORY)]


@pytest.mark.parametrize("version", sorted(HISTORY))
def test_a_document_of_each_version_is_valid_and_can_be_read(version: int) -> None:
    document = kept(version)
    validator().validate(document)
    profile = msgspec.convert(document, Profile)
    assert (profile.version, document.get("version", 1)) == (version, version)
    assert msgspec.to_builtins(profile) == document


def test_what_a_newer_version_adds_is_allowed() -> None:
    document = kept(VERSION)
    document |= {"version": VERSION + 1, "news": "from tomorrow"}
    document["metrics"] |= {"watts": 1.5}
    validator().validate(document)
    assert msgspec.convert(document, Profile).metrics["watts"] == 1.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"instance_id": "7"},
        {"invocation": 0},
        {"started_at": "today"},
        {"duration_ms": -1},
        {"metrics": {"cpu_ms": "3"}},
        {"metrics": {"cpu_ms": -3}},
        {"metrics": {"cpu_shared": False}},
        {"metrics": {"watts": "3"}},
        {"spans": [{"name": "read"}]},
        {"trace": {"trace_id": "7", "span_id": "7"}},
        {"unavailable": {"cpu_ms": 7}},
    ],
)
def test_what_is_no_profile_is_not_valid(wrong: dict[str, Any]) -> None:
    assert not validator().is_valid(kept(VERSION) | wrong)


@pytest.mark.parametrize(
    "field", ["instance_id", "invocation", "cold", "started_at", "duration_ms", "spans", "metrics"]
)
def test_what_the_first_version_had_is_always_there(field: str) -> None:
    document = kept(VERSION)
    del document[field]
    assert not validator().is_valid(document)


class Add(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    a: int


def add(request: Add) -> float:
    return 1 / request.a


SERVICES = registry([Service(name="add", request=Add, run=add)])


@pytest.mark.parametrize(
    ("body", "status"), [(b'{"a": 2}', 200), (b'{"a": 0}', 500), (b'{"a": "x"}', 400), (b"{", 400)]
)
@pytest.mark.parametrize("header", [{}, {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}])
def test_every_profile_that_an_answer_has_is_valid(body: bytes, status: int, header: dict[str, str]) -> None:
    response = handle(Request(path="/add", headers=header, body=body), LOCAL, SERVICES)
    assert response.status == status
    validator().validate(msgspec.json.decode(response.body)["profile"])
