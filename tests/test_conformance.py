"""The conformance kit is held against endpoints that break one thing each: they lose these points and no other."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.conformance.curl import command
from adapters.conformance.examine import examine, in_process
from adapters.conformance.goldens import GOLDENS, data
from adapters.conformance.goldens.calls import AT_ONCE
from adapters.conformance.record import Golden, Sheet
from adapters.conformance.subjects import deployed
from adapters.lab.front import server
from core.errors import PolyfaasError
from core.message import Request, Response
from tests.servers import run

Answer = Callable[[Request], Response]
Change = Callable[[Answer], Answer]
TRACED = {"traceparent in a header", "traceparent in a header in capitals", "several at once", "of a call in a trace"}
TRACES = {*TRACED, *(f"traceparent {where}" for where in ("in the body", "in neither", "in a header that is none"))}


@contextmanager
def serving(answer: Answer) -> Iterator[str]:
    """An endpoint that gives these answers."""
    with server(0, answer) as listening:
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.server_address[1]}"
        finally:
            listening.shutdown()
            thread.join()


def sheet(change: Change, scratch: Path) -> Sheet:
    """The score of an endpoint that does something otherwise."""
    roots = [str(scratch)]
    with serving(change(lambda request: in_process(request, roots))) as url, data.laid_out(str(scratch)) as start:
        return examine(deployed(url), [*GOLDENS, *data.goldens(start)], roots)


def lost(change: Change, scratch: Path) -> set[str]:
    return {miss.name for miss in sheet(change, scratch).misses}


def replaced(response: Response, **parts: Any) -> Response:
    return msgspec.structs.replace(response, **parts)


def on_body(change: Callable[[Any], Any], **how: Any) -> Change:
    """Requests whose JSON goes through Python's and a change."""

    def changed(body: bytes) -> bytes:
        try:
            msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return body
        return json.dumps(change(json.loads(body, **how))).encode()

    return lambda answer: lambda request: answer(msgspec.structs.replace(request, body=changed(request.body)))


def on_answer(change: Callable[[Response], Response]) -> Change:
    return lambda answer: lambda request: change(answer(request))


def through_floats(response: Response) -> Response:
    text = json.dumps(json.loads(response.body), ensure_ascii=False, separators=(",", ":"))
    return replaced(response, body=text.encode())


def without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_nulls(each) for name, each in value.items() if each is not None}
    return [without_nulls(each) for each in value] if isinstance(value, list) else value


def results_without_nulls(response: Response) -> Response:
    parts = msgspec.json.decode(response.body, type=dict[str, msgspec.Raw])
    if "result" not in parts:
        return response
    result = without_nulls(json.loads(bytes(parts["result"]), parse_float=lambda digits: msgspec.Raw(digits.encode())))
    return replaced(response, body=msgspec.json.encode({**parts, "result": result}))


def headers_dropped(answer: Answer) -> Answer:
    kept = ("content-type", "content-length")
    return lambda request: answer(
        msgspec.structs.replace(
            request, headers={name: value for name, value in request.headers.items() if name in kept}
        )
    )


def without(name: str) -> Change:
    return on_answer(
        lambda response: replaced(
            response, headers={each: value for each, value in response.headers.items() if each != name}
        )
    )


def status(told: int, said: int) -> Change:
    return on_answer(lambda response: replaced(response, status=said) if response.status == told else response)


def latin_1(response: Response) -> Response:
    return replaced(response, body=response.body.decode().encode("latin-1", errors="replace"))


def not_ascii(goldens: list[Golden]) -> set[str]:
    return {each.name for each in goldens if not all(in_process(one).body.isascii() for one in each.requests)}


METHODS = {f"405, {method}" for method in ("GET", "PUT", "PATCH", "DELETE")}
FAULTS: dict[str, tuple[Change, set[str]]] = {
    "nothing": (lambda answer: answer, set()),
    "digits of an answer": (on_answer(through_floats), {"query, every metric", "query, 30 digits"}),
    "digits of a request": (
        on_body(lambda value: value, parse_int=lambda digits: int(float(digits))),
        {"2^53 + 1", "-(2^53 + 1)", "2^64 - 1", "30 digits"},
    ),
    "null in a request": (
        on_body(without_nulls),
        {"null", "null and false in an object", "null for a field"},
    ),
    "null in a result": (
        on_answer(results_without_nulls),
        {"transform, no rejects", "query, null and 2^53 + 1", "of a call that worked"},
    ),
    "headers of a request": (headers_dropped, TRACED),
    "Allow": (without("allow"), METHODS),
    "traceparent of an answer": (without("traceparent"), {*TRACES, "the same again"}),
    "422": (status(422, 400), {"422, a day that there is not", "422, not transformed yet"}),
    "403": (status(403, 404), {"403, a URL on a network"}),
    "502": (status(502, 500), {"502, a broken database"}),
    "405": (status(405, 404), METHODS),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_endpoint_loses_the_points_of_what_it_breaks_and_no_other(fault: str, tmp_path: Path) -> None:
    change, expected = FAULTS[fault]
    assert lost(change, tmp_path) == expected


def test_an_answer_in_latin_1_loses_every_point_whose_answer_is_not_ascii(tmp_path: Path) -> None:
    expected = not_ascii(list(GOLDENS))
    assert {"letters with accents", "beyond the basic plane, escaped", "path: another script"} <= expected
    found = lost(on_answer(latin_1), tmp_path)
    assert {name for name in found if name in {golden.name for golden in GOLDENS}} == expected


def test_a_path_that_is_normalised_loses_its_combining_marks(tmp_path: Path) -> None:
    def composed(answer: Answer) -> Answer:
        return lambda request: answer(msgspec.structs.replace(request, path=request.path.replace("e\u0301", "é")))

    assert lost(composed, tmp_path) == {"path: combining marks stay as they are"}


def test_query_parameters_that_become_fields_are_seen(tmp_path: Path) -> None:
    def merged(answer: Answer) -> Answer:
        def changed(request: Request) -> Response:
            try:
                body = {**request.query, **msgspec.json.decode(request.body, type=dict[str, msgspec.Raw])}
            except (msgspec.DecodeError, UnicodeDecodeError):
                return answer(request)
            return answer(msgspec.structs.replace(request, body=msgspec.json.encode(body)))

        return changed

    assert lost(merged, tmp_path) == {"query: a service's name", "query: a field of the body"}


def test_a_profile_that_does_not_fit_its_schema_is_a_miss(tmp_path: Path) -> None:
    def no_truth(response: Response) -> Response:
        return replaced(response, body=response.body.replace(b'"cold":false', b'"cold":0'))

    assert lost(on_answer(no_truth), tmp_path) == {
        "of a call that worked",
        "of a call that failed",
        "of a call in a trace",
    }


def test_calls_that_share_a_number_are_a_miss(tmp_path: Path) -> None:
    def first(response: Response) -> Response:
        parts = msgspec.json.decode(response.body)
        if "profile" not in parts or parts["service"] is not None:
            return response
        parts["profile"]["invocation"] = 1
        return replaced(response, body=msgspec.json.encode(parts))

    assert lost(on_answer(first), tmp_path) == {"the same again", "several at once"}


def test_several_are_sent_at_once(tmp_path: Path) -> None:
    together = threading.Barrier(AT_ONCE, timeout=30)

    def waiting(answer: Answer) -> Answer:
        def wait(request: Request) -> Response:
            if request.path.startswith("/call "):
                together.wait()
            return answer(request)

        return wait

    assert lost(waiting, tmp_path) == set()


def test_a_miss_says_what_was_asked_what_was_expected_and_where_it_differs(tmp_path: Path) -> None:
    change, _ = FAULTS["digits of a request"]
    found = next(miss for miss in sheet(change, tmp_path).misses if miss.name == "2^53 + 1")
    at = found.difference.at
    texts = [text[at - 15 : at + 1] for text in (found.difference.expected, found.difference.found)]
    assert (found.group, found.request.body, found.difference.aspect) == (
        "numbers",
        b'{"profile":9007199254740993}',
        "outcome",
    )
    assert texts == ["9007199254740993"[:16], "9007199254740992"[:16]]


def test_a_wrong_answer_of_handle_itself_is_seen_where_the_expectation_is_written_by_hand() -> None:
    by_hand = {golden.name for golden in GOLDENS if "outcome" in golden.by_hand}
    groups = {golden.group for golden in GOLDENS if "outcome" in golden.by_hand}
    assert groups == {
        "unicode",
        "numbers",
        "null and false",
        "bodies",
        "bytes",
        "errors",
        "paths",
        "queries",
        "headers",
    }
    assert len(by_hand) > len(GOLDENS) / 2


def test_every_status_that_a_caller_can_bring_about_is_asked_for(tmp_path: Path) -> None:
    kinds = {each.status for each in all_errors(PolyfaasError) if each.__module__ == "core.errors"}
    with data.laid_out(str(tmp_path)) as start:
        asked = [*GOLDENS, *data.goldens(start)]
        answers = {in_process(request, [str(tmp_path)]).status for golden in asked for request in golden.requests}
    assert answers == {200, *kinds} - {500}


def all_errors(kind: type[PolyfaasError]) -> Iterator[type[PolyfaasError]]:
    for each in kind.__subclasses__():
        yield each
        yield from all_errors(each)


def test_names_are_there_once_in_their_group() -> None:
    names = [(golden.group, golden.name) for golden in GOLDENS]
    assert sorted(set(names)) == sorted(names)


def test_the_files_of_the_data_group_are_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    sheet(lambda answer: answer, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


ASKED = {
    "text": Request(path="/größe a", query={"a b": "1&2"}, body=b'{"it\'s": "$HOME `x` \\\\"}'),
    "headers": Request(method="PUT", headers={"x-note": "it's 'one'", "x-empty": ""}, body=b"@file"),
    "no text": Request(body=bytes(range(256))),
    "line ends": Request(body=b'{\r\n"a": 1}\n'),
    "none": Request(method="GET", path="/openapi.json"),
}
# curl as a shell function: what it was given, a line's end after each, then what was piped to it.
CURL = 'curl() { for word; do printf "%s\\0" "$word"; done; case "$*" in *@-*) base64;; esac; }\n'


@pytest.mark.parametrize("name", ASKED)
def test_the_command_that_repeats_a_request_sends_the_same(name: str, tmp_path: Path) -> None:
    request = ASKED[name]
    line = command(request, "http://host")
    *words, piped = run(["sh", "-c", CURL + line], tmp_path).split("\0")
    *options, url = words
    given = dict(zip(options[3::2], options[4::2], strict=False))
    body = base64.b64decode(piped) if piped else given.get("--data-raw", "").encode()
    assert (options[:4], body) == (["-s", "-X", request.method, "-H"], request.body)
    assert url.startswith("http://host/")
