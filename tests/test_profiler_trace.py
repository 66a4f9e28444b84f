"""Which calls belong together: W3C Trace Context, in and out."""

import asyncio
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import Request, Service, handle, registry
from core.message import LOCAL
from core.profiler import Call, trace, traceparent

TRACE_ID, PARENT_ID = trace.EXAMPLE.split("-")[1:3]


class Nothing(msgspec.Struct):
    pass


SERVICES = registry([Service(name="ask", request=Nothing, run=lambda _: traceparent())])


def answered(headers: dict[str, str] | None = None, **body: object) -> dict[str, Any]:
    request = Request(path="/ask", headers=headers or {}, body=msgspec.json.encode(body))
    answer: dict[str, Any] = msgspec.json.decode(handle(request, LOCAL, SERVICES).body)
    return answer


def test_a_call_joins_the_trace_of_its_header_with_a_span_of_its_own() -> None:
    joined = trace.joined(trace.EXAMPLE)
    assert (joined.trace_id, joined.parent_id, joined.flags) == (TRACE_ID, PARENT_ID, "01")
    assert joined.span_id != PARENT_ID


def test_what_is_handed_on_is_a_traceparent_of_the_calls_own_span() -> None:
    joined = trace.joined(trace.EXAMPLE)
    handed = trace.parsed(trace.header(joined))
    assert handed is not None
    assert (handed.trace_id, handed.span_id) == (TRACE_ID, joined.span_id)


def test_a_call_without_a_header_begins_a_trace() -> None:
    first, second = trace.joined(None), trace.joined(None)
    assert first.trace_id != second.trace_id
    assert (len(first.trace_id), len(first.span_id), first.parent_id) == (32, 16, None)


# The recommendation's own rules, one broken in each.
@pytest.mark.parametrize(
    "text",
    [
        "",
        "00",
        f"00-{TRACE_ID}-{PARENT_ID}",
        f"00-{TRACE_ID}-{PARENT_ID}-01-more",
        f"ff-{TRACE_ID}-{PARENT_ID}-01",
        f"00-{TRACE_ID.upper()}-{PARENT_ID}-01",
        f"00-{'0' * 32}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID[1:]}-{PARENT_ID}-01",
        f"00-{TRACE_ID}-{PARENT_ID}-1",
        f"0-{TRACE_ID}-{PARENT_ID}-01",
        f"00-{TRACE_ID[:-1]}g-{PARENT_ID}-01",
    ],
)
def test_a_header_that_is_no_traceparent_is_passed_over(text: str) -> None:
    assert trace.parsed(text) is None
    assert trace.joined(text).parent_id is None


def test_a_later_version_may_say_more() -> None:
    assert trace.joined(f"01-{TRACE_ID}-{PARENT_ID}-01-more").trace_id == TRACE_ID


def test_blanks_around_a_header_are_none_of_it() -> None:
    assert trace.joined(f" {trace.EXAMPLE} ").parent_id == PARENT_ID


@given(st.text())
def test_no_header_breaks_a_call(text: str) -> None:
    assert len(trace.joined(text).trace_id) == 32


def test_a_service_hands_its_own_place_on() -> None:
    answer = answered({"traceparent": trace.EXAMPLE})
    place = answer["profile"]["trace"]
    assert answer["result"] == f"00-{TRACE_ID}-{place['span_id']}-01"


def test_outside_a_call_there_is_nothing_to_hand_on() -> None:
    assert traceparent() is None
    with Call():
        assert traceparent() is None


def test_tasks_of_a_call_hand_on_its_place() -> None:
    async def ask() -> str | None:
        return traceparent()

    async def work() -> list[str | None]:
        return list(await asyncio.gather(ask(), asyncio.to_thread(traceparent)))

    place = trace.joined(None)
    with Call(trace=place):
        assert asyncio.run(work()) == [trace.header(place)] * 2


def test_a_body_says_the_trace_where_no_header_can() -> None:
    place = answered(traceparent=trace.EXAMPLE)["profile"]["trace"]
    assert (place["trace_id"], place["parent_id"]) == (TRACE_ID, PARENT_ID)


@pytest.mark.parametrize("wrong", [7, "no traceparent", {}])
def test_a_body_that_says_it_wrongly_is_told_so(wrong: object) -> None:
    error = answered(traceparent=wrong)["error"]
    assert (error["status"], error["errors"][0]["path"]) == (400, "$.traceparent")
    assert trace.EXAMPLE in error["detail"]


def test_the_answer_carries_the_calls_place_in_a_header() -> None:
    response = handle(Request(path="/ask", body=b"{}"), LOCAL, SERVICES)
    place = msgspec.json.decode(response.body)["profile"]["trace"]
    assert response.headers["traceparent"] == f"00-{place['trace_id']}-{place['span_id']}-01"
