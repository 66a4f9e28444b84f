"""The differential fuzzer: what answers otherwise is found and made small, and what answers alike is not."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from adapters.conformance.examine import in_process
from adapters.conformance.fuzz import differs, fuzz
from adapters.conformance.record import Fuzz
from adapters.conformance.subjects import deployed
from core.message import Request, Response
from tests.test_conformance import serving

COUNT, SEED = 150, 7
Answer = Callable[[Request], Response]


def fuzzed(answer: Answer, seed: int = SEED, count: int = COUNT) -> Fuzz:
    with serving(answer) as url:
        return fuzz(deployed(url), count, seed)


def test_an_endpoint_that_answers_as_in_process_has_no_miss() -> None:
    found = fuzzed(in_process)
    assert (found.asked, found.seed, found.miss) == (COUNT, SEED, None)


def asked(seed: int, count: int = COUNT) -> list[Request]:
    requests: list[Request] = []

    def answer(request: Request) -> Response:
        requests.append(msgspec.structs.replace(request, headers={}))
        return in_process(request)

    fuzzed(answer, seed, count)
    return requests


def test_a_seed_makes_the_same_requests_each_time_and_another_seed_others() -> None:
    first, again, other = asked(SEED), asked(SEED), asked(SEED + 1)
    assert (first == again, first == other) == (True, False)


def test_made_up_requests_are_of_every_kind() -> None:
    requests = asked(SEED, 400)
    statuses = {in_process(request).status for request in requests}
    assert {request.method for request in requests} == {"POST", "GET", "PUT", "PATCH", "DELETE"}
    assert {200, 400, 403, 404, 405} <= statuses
    assert [any(test(request) for request in requests) for test in (not_text, with_query, not_ascii)] == [True] * 3


def not_text(request: Request) -> bool:
    return request.body.decode(errors="replace").encode() != request.body


def with_query(request: Request) -> bool:
    return bool(request.query)


def not_ascii(request: Request) -> bool:
    return not request.path.isascii()


def latin_1(request: Request) -> Response:
    response = in_process(request)
    return msgspec.structs.replace(response, body=response.body.decode().encode("latin-1", errors="replace"))


def no_numbers(request: Request) -> Response:
    """Numbers beyond 2^53 lose digits on their way in."""
    if b"9007199254740993" in request.body:
        return in_process(msgspec.structs.replace(request, body=request.body.replace(b"993", b"992")))
    return in_process(request)


def no_patch(request: Request) -> Response:
    response = in_process(request)
    return msgspec.structs.replace(response, status=500) if request.method == "PATCH" else response


SMALLEST: dict[str, tuple[Answer, Callable[[Request], bool]]] = {
    "latin-1": (latin_1, lambda request: len(request.body) + len(request.path) < 100),
    "digits": (no_numbers, lambda request: len(request.body) < 40),
    "a method": (
        no_patch,
        lambda request: (request.path, dict(request.headers)) == ("/", {}) and len(request.body) < 20,
    ),
}


@pytest.mark.parametrize("fault", SMALLEST)
def test_a_request_that_is_answered_otherwise_is_found_and_made_small(fault: str) -> None:
    answer, small = SMALLEST[fault]
    with serving(answer) as url:
        found = fuzz(deployed(url), 1000, SEED).miss
        assert found is not None
        assert differs(deployed(url), found.request) == found.difference
    assert small(found.request), found.request
    assert found.curl.startswith(("curl -s", "echo "))


def test_an_answer_that_is_wrong_only_once_is_a_miss_all_the_same() -> None:
    calls: list[Request] = []

    def once(request: Request) -> Response:
        calls.append(request)
        response = in_process(request)
        return msgspec.structs.replace(response, status=500) if len(calls) == 5 else response

    found = fuzzed(once).miss
    assert found is not None
    assert (found.difference.aspect, found.difference.found[:3]) == ("status", "500")


def test_nothing_is_left_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fuzzed(in_process)
    assert list(tmp_path.iterdir()) == []
