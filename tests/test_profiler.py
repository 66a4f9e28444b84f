"""A call's profile: spans, overlap, failure."""

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from core.profiler import Call, Profile, span


def names(call: Call) -> list[str]:
    return [found.name for found in call.profile.spans]


def test_a_span_that_lies_in_another_lies_within_its_time() -> None:
    with Call() as call, span("outer"), span("inner"):
        pass
    outer, inner = call.profile.spans
    assert [outer.name, inner.name] == ["outer", "inner"]
    assert 0 <= outer.start_ms <= inner.start_ms
    assert inner.start_ms + inner.duration_ms <= outer.start_ms + outer.duration_ms + 1e-6
    assert outer.start_ms + outer.duration_ms <= call.profile.duration_ms + 1e-6


def test_a_span_outside_a_call_does_nothing() -> None:
    with span("nobody asks"):
        pass
    with Call() as call:
        pass
    assert call.profile.spans == []


def test_a_span_after_the_call_does_not_reach_its_profile() -> None:
    with Call() as call:
        pass
    with span("late"):
        pass
    assert call.profile.spans == []


def test_a_call_inside_a_call_keeps_its_spans_to_itself() -> None:
    with Call() as outer:
        with Call() as inner, span("inner's"):
            pass
        with span("outer's"):
            pass
    assert (names(outer), names(inner)) == (["outer's"], ["inner's"])


def test_spans_of_calls_in_two_threads_do_not_mix() -> None:
    barrier = threading.Barrier(2, timeout=10)
    calls: dict[str, Call] = {}

    def work(name: str) -> None:
        with Call() as calls[name]:
            for part in range(3):
                barrier.wait()
                with span(f"{name}{part}"):
                    barrier.wait()

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {name: names(call) for name, call in calls.items()} == {
        "a": ["a0", "a1", "a2"],
        "b": ["b0", "b1", "b2"],
    }


def test_spans_of_calls_in_two_tasks_do_not_mix() -> None:
    async def work(name: str, mine: asyncio.Event, other: asyncio.Event) -> Call:
        with Call() as call, span(f"{name} outer"):
            mine.set()
            await other.wait()
            with span(f"{name} inner"):
                await asyncio.sleep(0)
        return call

    async def both() -> list[Call]:
        first, second = asyncio.Event(), asyncio.Event()
        return list(await asyncio.gather(work("a", first, second), work("b", second, first)))

    assert [names(call) for call in asyncio.run(both())] == [["a outer", "a inner"], ["b outer", "b inner"]]


def test_a_span_in_another_thread_of_the_call_is_the_calls() -> None:
    def read() -> None:
        with span("read"):
            pass

    async def work() -> Call:
        with Call() as call:
            await asyncio.to_thread(read)
        return call

    assert names(asyncio.run(work())) == ["read"]


def test_a_span_still_open_ends_with_its_call() -> None:
    with Call() as call:
        opened = span("left open")
        opened.__enter__()
    (found,) = call.profile.spans
    opened.__exit__(None, None, None)
    assert found.start_ms + found.duration_ms == pytest.approx(call.profile.duration_ms)


def test_a_body_that_raises_leaves_a_complete_profile() -> None:
    with Call() as quiet:
        pass
    call = Call()
    with pytest.raises(KeyError), call, span("read"), span("parse"):
        raise KeyError("Order ID")
    assert names(call) == ["read", "parse"]
    assert call.profile.metrics.keys() == quiet.profile.metrics.keys()


def test_an_error_is_not_held_back() -> None:
    with pytest.raises(KeyboardInterrupt), Call():
        raise KeyboardInterrupt


def test_calls_that_overlap_say_that_their_cpu_is_shared() -> None:
    with Call() as first, Call() as second:
        pass
    assert [call.profile.metrics.get("cpu_shared") for call in (first, second)] == [True, True]


def test_a_call_alone_does_not_say_that_its_cpu_is_shared() -> None:
    with Call():
        pass
    with Call() as call:
        pass
    assert "cpu_shared" not in call.profile.metrics


def test_invocations_are_counted_without_gaps_in_threads() -> None:
    with Call() as before:
        pass
    found: list[int] = []

    def work() -> None:
        for _ in range(50):
            with Call() as call:
                pass
            found.append(call.profile.invocation)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    first = before.profile.invocation + 1
    assert sorted(found) == list(range(first, first + 200))


def test_a_step_of_the_wall_clock_does_not_change_a_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    begin = time.perf_counter_ns()
    with Call() as call, span("read"):
        stepped = time.time_ns() - 2_000_000_000
        monkeypatch.setattr(time, "time_ns", lambda: stepped)
        monkeypatch.setattr(time, "time", lambda: stepped / 1e9)
    elapsed_ms = (time.perf_counter_ns() - begin) / 1e6
    assert 0 <= call.profile.spans[0].duration_ms <= call.profile.duration_ms <= elapsed_ms


def test_the_start_is_labelled_in_utc() -> None:
    with Call() as call:
        pass
    started = datetime.fromisoformat(call.profile.started_at)
    assert started.utcoffset() == timedelta(0)
    assert abs(datetime.now(UTC) - started) < timedelta(minutes=1)


def test_a_profile_survives_json() -> None:
    with Call() as call, Call(), span("read"):
        pass
    assert msgspec.json.decode(msgspec.json.encode(call.profile), type=Profile) == call.profile


def test_a_profile_cannot_be_changed() -> None:
    with Call() as call:
        pass
    with pytest.raises(AttributeError):
        call.profile.cold = True  # type: ignore[misc]  # that is the promise
