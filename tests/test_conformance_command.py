"""The command `conform`: score sheets on the screen and as JSON, exit codes, and what it says of a misuse."""

import json
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from adapters import PROVIDERS
from adapters.conformance import terminal
from adapters.conformance.command import conform
from adapters.conformance.examine import in_process
from adapters.conformance.record import Difference, Fuzz, Miss, Score, Sheet
from core.message import Request, Response
from tests.test_conformance import serving

MISS = Miss(
    group="numbers",
    name="2^53 + 1",
    request=Request(query={"a": "1"}, body=b'{"profile":9007199254740993}' + b" " * 100),
    difference=Difference(aspect="outcome", expected="e" * 200 + "3: \0ü", found="e" * 200 + "2", at=200),
    curl="curl -s http://host/",
)
LOST = Sheet(
    provider="aws",
    about="runtime 1.0",
    substitute=None,
    scores=[Score(group="numbers", passed=3, total=4), Score(group="paths", passed=2, total=2)],
    misses=[MISS],
)
FULL = Sheet(
    provider="gcp",
    about="runtime 2.0",
    substitute="a stand-in",
    scores=[Score(group="numbers", passed=4, total=4)],
    misses=[],
    left_out={"paths": "no place"},
    fuzz=Fuzz(seed=3, asked=1200, miss=None),
)


def shown(*sheets: Sheet) -> list[str]:
    out = StringIO()
    terminal.show(sheets, Console(file=out, width=100, highlight=False))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def run(*arguments: str) -> Result:
    return CliRunner().invoke(conform, list(arguments))


def wrong(request: Request) -> Response:
    response = in_process(request)
    return msgspec.structs.replace(response, status=400) if response.status == 403 else response


def test_points_stand_in_one_table_with_a_column_a_runtime() -> None:
    rows = [line.split() for line in shown(LOST, FULL)]
    assert [row for row in rows if row and row[0] in ("group", "numbers", "paths", "all")] == [
        ["group", "aws", "gcp"],
        ["numbers", "3/4", "4/4"],
        ["paths", "2/2", "-"],
        ["all", "5/6", "4/4"],
    ]


def test_a_miss_is_shown_from_the_place_that_differs() -> None:
    lines = shown(LOST)
    at = lines.index("MISS numbers: 2^53 + 1, outcome differs")
    assert lines[at + 1 : at + 6] == [
        '  request   POST /?a=1 {"profile":9007199254740993}' + " " * 32 + "... (128 bytes)",
        "  expected  ..." + "e" * 24 + r"3: \x00ü",
        "  found     ..." + "e" * 24 + "2",
        "  first     character 201: '3' became '2'",
        "  repeat    curl -s http://host/",
    ]


def test_what_was_left_out_stood_in_for_and_made_up_is_said() -> None:
    lines = shown(FULL)
    assert lines[lines.index("gcp  runtime 2.0") + 1 :][:3] == [
        "stand-in    a stand-in",
        "left out    paths: no place",
        "fuzz        1,200 requests made up with --seed 3: all answered as in process",
    ]


def test_the_table_of_all_four_fits_100_columns() -> None:
    sheets = [msgspec.structs.replace(LOST, provider=name) for name in PROVIDERS]
    assert max(map(len, shown(*sheets))) <= 100


def document(answer: Any, *arguments: str) -> tuple[int, dict[str, Any]]:
    with serving(answer) as url:
        result = run("--endpoint", url, "--json", *arguments)
    (sheet,) = json.loads(result.stdout)
    return result.exit_code, sheet


def test_an_endpoint_that_agrees_in_everything_gives_0(tmp_path: Path) -> None:
    code, sheet = document(lambda request: in_process(request, [str(tmp_path)]), "--scratch", str(tmp_path))
    assert (code, sheet["passed"] == sheet["total"], sheet["misses"], sheet["left_out"]) == (0, True, [], {})


def test_without_a_place_for_files_the_group_that_needs_one_is_left_out() -> None:
    code, sheet = document(in_process)
    groups = {score["group"] for score in sheet["scores"]}
    assert (code, list(sheet["left_out"]), "data" in groups) == (0, ["data"], False)


def test_an_endpoint_that_misses_a_point_gives_1_and_the_json_has_the_miss() -> None:
    code, sheet = document(wrong)
    (miss,) = sheet["misses"]
    assert (code, sheet["passed"], miss["name"]) == (1, sheet["total"] - 1, "403, a URL on a network")
    assert (miss["difference"]["expected"], miss["difference"]["found"]) == ("403", "400 in HTTP, 403 in the body")
    assert miss["request"]["body"].startswith('{"source":"https://')


def test_a_made_up_request_that_is_answered_otherwise_gives_1_and_is_in_the_json() -> None:
    def no_patch(request: Request) -> Response:
        if request.method == "PATCH" and request.path != "/query":
            return Response(status=500, headers={}, body=b"crash")
        return in_process(request)

    code, sheet = document(no_patch, "--fuzz", "500", "--seed", "1")
    assert (code, sheet["passed"] == sheet["total"], sheet["fuzz"]["seed"]) == (1, True, 1)
    assert (sheet["fuzz"]["miss"]["request"]["method"], sheet["fuzz"]["miss"]["difference"]["found"][:3]) == (
        "PATCH",
        "500",
    )


def test_an_endpoint_that_is_not_there_gives_1_and_says_so() -> None:
    with serving(in_process) as url:
        pass
    result = run("--endpoint", url)
    assert (result.exit_code, "could not be reached" in result.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("aws", "--endpoint", "http://host"), "exclude each other"),
        (("--endpoint", "host"), "is no http:// or https:// URL"),
        (("--seed", "1"), "--seed is of --fuzz N"),
        (("nobody",), "is not one of"),
    ],
)
def test_a_misuse_gives_2_and_says_what_to_do(arguments: tuple[str, ...], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, said in result.stderr) == (2, True)


@pytest.mark.parametrize(
    ("package", "arguments"), [("hypothesis", ("--fuzz", "5")), ("jsonschema_rs", ())], ids=["fuzzer", "schema"]
)
def test_without_its_packages_it_says_how_to_get_them(
    package: str, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    from adapters.conformance import answer

    answer._validator.cache_clear()
    monkeypatch.setitem(sys.modules, package, None)
    with serving(in_process) as url:
        result = run("--endpoint", url, *arguments)
    answer._validator.cache_clear()
    assert (result.exit_code, "pip install 'polyfaas[conform]'" in result.stderr) == (1, True)
