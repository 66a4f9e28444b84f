import logging
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from core import PolyfaasError, Request, Service, handle, registry
from core.message import LOCAL
from core.profiler.restore import restore
from core.runtime import built_in


class Add(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    a: int
    b: int = 1


class Other(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    text: str


def add(request: Add) -> dict[str, int]:
    return {"sum": request.a + request.b}


def fail(_: Other) -> None:
    raise ZeroDivisionError("the secret hunter")


SERVICES = registry([Service(name="add", request=Add, run=add), Service(name="fail", request=Other, run=fail)])


def answered(body: bytes, path: str = "/", method: str = "POST") -> dict[str, Any]:
    response = handle(Request(method=method, path=path, body=body), LOCAL, SERVICES)
    answer: dict[str, Any] = msgspec.json.decode(response.body)
    assert answer["status"] == response.status
    return answer


def test_an_answer_has_service_status_result_context_and_profile() -> None:
    answer = answered(b'{"a": 2}', "/add")
    assert list(answer) == ["service", "status", "result", "context", "profile"]
    assert (answer["service"], answer["status"], answer["result"]) == ("add", 200, {"sum": 3})
    assert answer["context"] == {"platform": "local"}
    assert [span["name"] for span in answer["profile"]["spans"]] == ["decode", "add", "encode"]


@pytest.mark.parametrize("path", ["/add", "/add/", "add", "/prod/add", "/api/add"])
def test_the_last_segment_of_the_path_names_the_service(path: str) -> None:
    assert answered(b'{"a": 2}', path)["result"] == {"sum": 3}


@pytest.mark.parametrize("body", [b'{"service": "add", "a": 2}', b'{"a": 2}', b'{"a": 2, "b": 1}'])
def test_at_the_root_the_switchboard_picks_by_name_or_by_parameters(body: bytes) -> None:
    assert answered(body)["result"] == {"sum": 3}


@pytest.mark.parametrize(
    ("body", "service"),
    [
        (b'{"source": "a", "target": "b"}', "transform"),
        (b'{"source": "a", "prefix": "b", "count": 2}', "shard"),
        (b'{"source": "a", "database": "b"}', "load"),
        (b'{"source": "a", "database": "sqlite:///b", "mode": "append"}', "load"),
        (b'{"database": "sqlite:///none.db"}', "query"),
        (b'{"database": "sqlite:///none.db", "group_by": ["Region"]}', "query"),
    ],
)
def test_the_built_in_services_are_told_apart_by_their_parameters(body: bytes, service: str) -> None:
    response = handle(Request(body=body), LOCAL)
    assert msgspec.json.decode(response.body)["service"] == service


@pytest.mark.parametrize(
    ("body", "path", "status", "detail"),
    [
        (b"", "/add", 400, "the body is not JSON"),
        (b"{", "/add", 400, "the body is not JSON"),
        (b"\xff", "/add", 400, "the body is not JSON"),
        (b"[" * 100_000, "/add", 400, "the body is not JSON"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "/add", 400, "the body is not JSON"),
        (b'{"a": 1}', "/\ud800", 404, "there is no service"),
        (b"[1]", "/add", 400, "the body is a JSON array: send a JSON object"),
        (b"null", "/add", 400, "the body is a JSON null: send a JSON object"),
        (b"true", "/add", 400, "the body is a JSON boolean: send a JSON object"),
        (b"1.5", "/add", 400, "the body is a JSON number: send a JSON object"),
        (b'"x"', "/add", 400, "the body is a JSON string: send a JSON object"),
        (b"{}", "/nope", 404, "there is no service 'nope': use one of add, fail"),
        (b'{"service": "nope"}', "/", 404, "there is no service 'nope': use one of add, fail"),
        (b'{"service": 7}', "/", 404, "there is no service 7"),
        (b'{"service": "fail", "a": 1}', "/add", 400, "the path says 'add' and the body says 'fail'"),
        (b"{}", "/", 400, "the parameters fit no service"),
        (b'{"a": 1, "text": "x"}', "/", 400, "the parameters fit no service"),
        (b'{"a": "x"}', "/add", 400, "wrong at $.a: Expected `int`, got `str`"),
        (b"{}", "/add", 400, "missing required field `a`"),
        (b'{"a": 1, "c": 1}', "/add", 400, "unknown field `c`"),
        (b'{"a": 1, "profile": "loud"}', "/add", 400, '"profile" is "loud": use one of full, saaf, saaf-ticks'),
    ],
)
def test_a_wrong_request_is_a_problem_with_a_cure(body: bytes, path: str, status: int, detail: str) -> None:
    answer = answered(body, path)
    assert answer["status"] == answer["error"]["status"] == status
    assert detail in answer["error"]["detail"]
    assert set(answer["error"]) >= {"type", "title", "status", "detail", "instance"}
    assert answer["profile"]["duration_ms"] > 0


def test_other_methods_than_post_are_refused() -> None:
    assert answered(b"", "/add", "GET")["error"]["title"] == "Method not allowed"


def test_the_path_of_a_bad_field_is_given() -> None:
    assert answered(b'{"a": "x"}', "/add")["error"]["errors"] == [
        {"detail": "Expected `int`, got `str`", "path": "$.a"}
    ]


def test_a_failing_service_is_a_500_that_tells_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "polyfaas"):
        answer = answered(b'{"text": "x"}', "/fail")
    assert answer["status"] == 500
    assert "hunter" not in str(answer)
    assert "ZeroDivisionError" in caplog.text
    assert "fail" in [span["name"] for span in answer["profile"]["spans"]]


def test_the_same_request_gives_the_same_result_bytes() -> None:
    def raw() -> bytes:
        response = handle(Request(path="/add", body=b'{"a": 40}'), LOCAL, SERVICES)
        return bytes(msgspec.json.decode(response.body, type=dict[str, msgspec.Raw])["result"])

    assert raw() == raw() == b'{"sum":41}'


@pytest.mark.usefixtures("allowed_here")
def test_a_money_sum_is_a_json_number_with_its_cents(loaded: Callable[..., str]) -> None:
    from tests.conftest import row

    database = loaded([row(Total_Revenue="150.00")])
    body = msgspec.json.encode({"database": database})
    assert b'"Total Revenue":150.00,' in handle(Request(path="/query", body=body), LOCAL).body


def test_the_saaf_view_is_flat_and_has_the_results_keys() -> None:
    answer = msgspec.json.decode(
        handle(Request(path="/add", body=b'{"a": 2, "profile": "saaf"}'), LOCAL, SERVICES).body
    )
    assert (answer["sum"], answer["lang"], answer["version"]) == (3, "python", 0.7)


def test_two_services_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two services are named 'add'"):
        registry([SERVICES["add"], SERVICES["add"]])


def test_every_error_has_a_status_and_a_type_of_its_own() -> None:
    def tree(kind: type[PolyfaasError]) -> list[type[PolyfaasError]]:
        return [kind, *(below for child in kind.__subclasses__() for below in tree(child))]

    kinds = [kind for kind in tree(PolyfaasError) if kind.__module__ == "core.errors"]
    assert len({kind.slug for kind in kinds}) == len(kinds)
    assert all(400 <= kind.status <= 599 for kind in kinds)


def test_the_built_in_services_are_the_pipeline() -> None:
    assert sorted(built_in()) == ["load", "probe", "query", "shard", "transform"]


@pytest.fixture
def own_instance() -> Iterator[None]:
    """The platform's word counts for good: afterwards the clocks are asked again."""
    yield
    restore.renew()


@pytest.mark.usefixtures("own_instance")
def test_a_call_after_a_restore_says_that_its_instance_was_restored() -> None:
    before = answered(b'{"a": 2}', "/add")["profile"]
    restore.said()
    after, later = (answered(b'{"a": 2}', "/add")["profile"] for _ in range(2))
    assert (after["restored"], after["cold"], after["invocation"]) == (True, True, 1)
    assert after["instance_id"] != before["instance_id"]
    assert ("restored" in later, later["instance_id"]) == (False, after["instance_id"])
