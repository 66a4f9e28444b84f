"""What SAAF's FaaS Runner asks of an answer to count it and to put it into its columns.

The Runner (test/tools/experiment_caller.py and report_generator.py of https://github.com/wlloyduw/SAAF) cannot be
run here: it stops without the AWS command line. Its rules are stated by `counted` and the tests.
"""

import ast
import json
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from core.message import Context, Request
from core.profiler.saaf import Inspector
from core.runtime import handle
from core.service import Service, registry

LAMBDA = Context(platform="AWS Lambda", function="sales", region="eu-central-1", memory_mib=1769)


class Given(msgspec.Struct):
    """What to answer."""

    answer: Any = None


def echo(request: Given) -> Any:
    """What was given."""
    return request.answer


SERVICES = registry([Service(name="echo", request=Given, run=echo)])


def counted(text: str) -> bool:
    """Whether the Runner counts an answer: a Python literal, of a dictionary that says its version."""
    try:
        found = ast.literal_eval(text)
        int(found.get("runtime", 0))
    except (ValueError, SyntaxError, AttributeError):
        return False
    return "version" in found


def handled(answer: Any) -> str:
    """The answer of `handle` in SAAF's view."""
    body = json.dumps({"answer": answer, "profile": "saaf"}).encode()
    return handle(Request(path="/echo", body=body), LAMBDA, SERVICES).body.decode()


def finished() -> str:
    """The answer of a function with an Inspector, as an adapter encodes it."""
    inspector = Inspector()
    inspector.inspectAll()
    inspector.addAttribute("message", "it's")
    inspector.inspectAllDeltas()
    return json.dumps(inspector.finish())


def viewed(text: str) -> dict[str, Any]:
    """An answer as the Runner reads it."""
    found = ast.literal_eval(text)
    assert isinstance(found, dict)
    return found


ANSWERS = {"of handle": handled({"rows": 3}), "of an Inspector": finished()}


@pytest.fixture(params=ANSWERS)
def text(request: pytest.FixtureRequest) -> str:
    return ANSWERS[request.param]


def test_the_rule_refuses_what_the_runner_refuses() -> None:
    dropped = ['{"version": 1, "a": null}', '{"version": 1, "a": true}', '{"version": 1, "runtime": "long"}']
    refused = [*dropped, '{"a": 1}', "[1]", "not JSON"]
    assert [counted(each) for each in refused] == [False] * len(refused)


def test_an_answer_is_counted(text: str) -> None:
    assert counted(text)


def test_a_version_and_a_language_are_there(text: str) -> None:
    assert (viewed(text)["version"], viewed(text)["lang"]) == (0.7, "python")


def test_start_and_end_are_whole_milliseconds_for_the_overlap_of_runs(text: str) -> None:
    times = [viewed(text)[key] for key in ("startTime", "endTime")]
    assert [type(each) for each in times] == [int, int]
    assert times[0] <= times[1]


def test_the_cpu_type_is_text_that_the_model_can_be_put_behind(text: str) -> None:
    assert (type(viewed(text)["cpuType"]), type(viewed(text)["cpuModel"])) == (str, str)


def test_what_runs_are_grouped_by_is_there(text: str) -> None:
    groups = ("uuid", "cpuType", "newcontainer", "vmID", "platform")
    assert [key for key in groups if key not in viewed(text)] == []


def test_every_number_is_one_that_the_runner_can_average(text: str) -> None:
    found = viewed(text)
    keys = [key for key in found if key.endswith(("Delta", "_ms", "_mib", "CPUs", "untime", "Runtime"))]
    assert len(keys) > 15
    assert [key for key in keys if type(found[key]) not in (int, float)] == []


@pytest.mark.parametrize(
    ("answer", "read"),
    [
        ({"a": None}, {"a": "NONE"}),
        ({"a": True, "b": False}, {"a": 1, "b": 0}),
        ({"a": [{"b": None}, True]}, {"a": [{"b": "NONE"}, 1]}),
        ({"a": 'null, true or "false"'}, {"a": 'null, true or "false"'}),
        ({'the "null" key': 1}, {'the "null" key': 1}),
        ({"a": "it's a backslash \\ and a quote \""}, {"a": "it's a backslash \\ and a quote \""}),
        (None, {"result": "NONE"}),
        (True, {"result": 1}),
        ([None], {"result": ["NONE"]}),
    ],
)
def test_an_answer_with_what_is_no_python_is_counted_and_read(answer: Any, read: Mapping[str, Any]) -> None:
    text = handled(answer)
    assert counted(text)
    assert {key: value for key, value in viewed(text).items() if key in read} == read


def test_a_failing_call_is_counted() -> None:
    body = b'{"answer": 1, "nope": 2, "profile": "saaf"}'
    assert counted(handle(Request(path="/none", body=body), LAMBDA, SERVICES).body.decode())


def test_runs_have_the_same_columns_whether_calls_overlapped_or_not() -> None:
    first, second = (viewed(handled({"rows": 1})) for _ in range(2))
    assert first.keys() == second.keys()
    assert (first["cpu_shared"], first["thread_shared"]) == (0, 0)
