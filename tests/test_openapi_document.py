"""The OpenAPI document, and answers that keep to it."""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis

from core import errors
from core.contract.openapi import Flat, Problem
from core.contract.schema import Schema
from core.errors import Fault, PolyfaasError
from core.message import LOCAL, Request
from core.profiler import saaf
from core.runtime import built_in, encode, handle, openapi
from core.service import Service, Services, registry
from tests.test_adapters_contract import ERRORS, PIPELINE, write_sales
from tests.test_schema import validator

ERROR_KINDS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, PolyfaasError)]


class Nothing(msgspec.Struct):
    """Nothing."""


def fail(_: Nothing) -> int:
    """Fail.

    It always does.
    """
    raise ZeroDivisionError


FAILING = registry([Service(name="fail", request=Nothing, run=fail)])


def document(services: Services | None = None) -> Schema:
    found: Schema = msgspec.json.decode(openapi(built_in() if services is None else services))
    return found


def answered(request: Request, services: Services | None = None) -> dict[str, Any]:
    answer: dict[str, Any] = msgspec.json.decode(handle(request, LOCAL, services).body)
    return answer


def keeps(answer: Mapping[str, Any], service: str, status: int, described: Schema) -> bool:
    """Whether an answer is one that the document promises for the service and the status."""
    operation = ("paths", f"/{service}", "post", "responses", "200")
    response = operation if status == 200 else ("components", "responses", str(status))
    return validator(described, *response, "content", "application/json", "schema").is_valid(answer)


@pytest.fixture
def sales_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_sales(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYFAAS_ALLOW", ".")


def asked_for_saaf(request: Request) -> Request:
    body = {**msgspec.json.decode(request.body), "profile": "saaf"}
    return msgspec.structs.replace(request, body=msgspec.json.encode(body))


def test_the_document_is_openapi() -> None:
    schemathesis.openapi.from_dict(document()).validate()
    assert document()["openapi"] == "3.1.0"


def test_every_service_has_a_path() -> None:
    assert list(document()["paths"]) == [f"/{name}" for name in sorted(built_in())]


def test_a_service_of_ones_own_has_a_path_described_by_its_docstring() -> None:
    operation = document(FAILING)["paths"]["/fail"]["post"]
    found = {name: operation[name] for name in ("operationId", "summary", "description")}
    assert found == {"operationId": "fail", "summary": "Fail.", "description": "It always does."}


def test_every_operation_promises_the_result_and_every_error() -> None:
    statuses = ["200", *sorted({str(kind.status) for kind in ERROR_KINDS})]
    found = [list(each["post"]["responses"]) for each in document()["paths"].values()]
    assert found == [statuses] * len(built_in())


def test_the_version_is_the_packages() -> None:
    assert document()["info"]["version"] == version("polyfaas")


def test_the_paths_count_from_where_the_document_was_read() -> None:
    assert document()["servers"] == [{"url": "."}]


@pytest.mark.parametrize("path", ["/openapi.json", "/prod/openapi.json"])
def test_get_answers_with_the_document_of_the_deployments_services(path: str) -> None:
    response = handle(Request(method="GET", path=path), LOCAL, FAILING)
    assert (response.status, response.headers, response.body) == (
        200,
        {"content-type": "application/json"},
        openapi(FAILING),
    )


@pytest.mark.parametrize(("method", "status"), [("POST", 404), ("PUT", 405)])
def test_other_methods_do_not_get_the_document(method: str, status: int) -> None:
    assert answered(Request(method=method, path="/openapi.json", body=b"{}"))["status"] == status


def test_a_refused_method_comes_with_the_one_that_is_allowed() -> None:
    response = handle(Request(method="GET", path="/query"), LOCAL)
    assert (response.status, response.headers["allow"]) == (405, "POST")


@pytest.mark.usefixtures("sales_here")
def test_every_result_of_the_pipeline_keeps_to_the_document() -> None:
    answers = [answered(request) for request in PIPELINE]
    assert [answer["status"] for answer in answers] == [200] * len(PIPELINE)
    assert [keeps(answer, answer["service"], 200, document()) for answer in answers] == [True] * len(PIPELINE)


@pytest.mark.usefixtures("sales_here")
def test_every_flat_result_of_the_pipeline_keeps_to_the_document() -> None:
    names = [answered(request)["service"] for request in PIPELINE]
    answers = [answered(asked_for_saaf(request)) for request in PIPELINE]
    assert [keeps(*pair, 200, document()) for pair in zip(answers, names, strict=True)] == [True] * len(PIPELINE)


@pytest.mark.parametrize("name", ERRORS)
def test_every_error_keeps_to_the_document(name: str) -> None:
    answer = answered(ERRORS[name])
    assert keeps(answer, "", answer["status"], document())


def test_a_flat_error_keeps_to_the_document() -> None:
    answer = answered(Request(path="/query", body=b'{"profile": "saaf"}'))
    assert keeps(answer, "query", 400, document())


def test_a_failing_services_answer_keeps_to_the_document() -> None:
    answer = answered(Request(path="/fail", body=b"{}"), FAILING)
    assert keeps(answer, "fail", 500, document(FAILING))


def without(answer: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key != name}


@pytest.mark.usefixtures("sales_here")
def test_an_answer_that_breaks_its_promise_is_told() -> None:
    answer = answered(PIPELINE[0])
    broken = {
        **{f"without {name}": without(answer, name) for name in answer},
        "with an error": {**answer, "error": None},
        "of another service": {**answer, "service": "query"},
        "of another status": {**answer, "status": 201},
        "with an empty result": {**answer, "result": {}},
    }
    found = {name: keeps(each, "transform", 200, document()) for name, each in broken.items()}
    assert found == dict.fromkeys(broken, False)


def test_an_error_that_breaks_its_promise_is_told() -> None:
    answer = answered(ERRORS["missing field"])
    broken = {
        **{f"without {name}": without(answer, name) for name in answer},
        "of another status": {**answer, "error": {**answer["error"], "status": 404}},
        "with an empty problem": {**answer, "error": {}},
    }
    found = {name: keeps(each, "query", 400, document()) for name, each in broken.items()}
    assert found == dict.fromkeys(broken, False)


@pytest.mark.parametrize("kind", ERROR_KINDS)
def test_every_problem_has_the_documents_fields(kind: type[PolyfaasError]) -> None:
    problem = kind("x", [Fault(detail="y")]).problem("/z")
    assert list(problem) == list(Problem.__struct_fields__)
    assert encode(msgspec.convert(msgspec.json.decode(encode(problem)), Problem)) == encode(problem)


def test_the_flat_views_keys_are_saafs() -> None:
    assert set(Flat.__struct_encode_fields__) - saaf.KEYS == set()
