"""A call's profile: spans, overlap, failure."""

import asyncio
import contextlib
import gc
import threading
import time
import weakref
from datetime import UTC, datetime, timedelta
from typing import ClassVar

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


def test_a_span_that_a_task_of_the_call_opens_after_it_does_not_reach_its_profile() -> None:
    async def late() -> None:
        with span("late"):
            await asyncio.sleep(0)

    async def work() -> Call:
        with Call() as call:
            task = asyncio.create_task(late())
        await task
        return call

    assert names(asyncio.run(work())) == []


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


def burn(milliseconds: float) -> None:
    """Spends CPU time of this thread, and only that counts: a busy machine makes it no shorter."""
    end = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end:
        pass


def test_two_threads_calls_are_charged_with_their_own_cpu_only() -> None:
    barrier = threading.Barrier(2, timeout=30)
    calls: dict[int, Call] = {}

    def work(milliseconds: int) -> None:
        with Call() as calls[milliseconds]:
            barrier.wait()
            burn(milliseconds)
            barrier.wait()

    threads = [threading.Thread(target=work, args=(milliseconds,)) for milliseconds in (20, 80)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for milliseconds, call in calls.items():
        metrics = call.profile.metrics
        assert metrics["cpu_ms"] == pytest.approx(milliseconds, abs=8)
        assert (metrics["cpu_shared"], "thread_shared" in metrics) == (True, False)


def test_cpu_of_tasks_that_share_a_thread_is_not_told_apart_and_this_is_said() -> None:
    async def work() -> Call:
        with Call() as call:
            burn(5)
            await asyncio.sleep(0.001)
        return call

    async def both() -> list[Call]:
        return list(await asyncio.gather(work(), work()))

    for call in asyncio.run(both()):
        metrics = call.profile.metrics
        assert (metrics["cpu_shared"], metrics["thread_shared"], "cpu_ms" in metrics) == (True, True, False)


def test_cpu_of_coroutines_that_are_stepped_is_told_apart() -> None:
    async def work(milliseconds: int) -> int:
        for _ in range(4):
            with span("quarter"):
                burn(milliseconds / 4)
                await asyncio.sleep(0)
        return milliseconds

    async def both() -> dict[int, Call]:
        calls = {20: Call(), 80: Call()}
        results = await asyncio.gather(*(call.measure(work(milliseconds)) for milliseconds, call in calls.items()))
        assert results == [20, 80]
        return calls

    for milliseconds, call in asyncio.run(both()).items():
        assert call.profile.metrics["cpu_ms"] == pytest.approx(milliseconds, abs=8)
        assert "thread_shared" not in call.profile.metrics
        assert names(call) == ["quarter"] * 4


def test_a_stepped_coroutine_gets_what_it_waits_for_and_what_is_thrown_at_it() -> None:
    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "cancelled"
        return "slept"

    async def cancel() -> str:
        task = asyncio.create_task(Call().measure(work()))
        await asyncio.sleep(0)
        task.cancel()
        return await task

    assert asyncio.run(cancel()) == "cancelled"


def test_an_error_of_a_stepped_coroutine_is_not_held_back() -> None:
    async def work() -> None:
        await asyncio.sleep(0)
        raise KeyError("Order ID")

    call = Call()
    with pytest.raises(KeyError):
        asyncio.run(call.measure(work()))
    assert call.profile.error == "KeyError"


def test_cpu_of_a_span_in_another_thread_is_the_calls_also_when_it_overlaps() -> None:
    def work() -> None:
        with span("outer"), span("inner"):
            burn(40)

    async def overlapped() -> Call:
        call = Call()
        with Call():  # in the same thread: only steps and spans can tell
            await call.measure(asyncio.to_thread(work))
        return call

    assert asyncio.run(overlapped()).profile.metrics["cpu_ms"] == pytest.approx(40, abs=8)


def test_a_failing_call_says_its_error_and_the_innermost_span_that_it_left() -> None:
    call = Call()
    with pytest.raises(KeyError), call, span("load"), span("parse"):
        raise KeyError("Order ID")
    profile = call.profile
    assert (profile.error, profile.phase) == ("KeyError", "parse")
    assert [(found.name, found.failed) for found in profile.spans] == [("load", True), ("parse", True)]


def fail(phase: str, error: Exception) -> None:
    with span(phase):
        raise error


def test_an_error_that_was_dealt_with_is_not_the_calls() -> None:
    with Call() as call, contextlib.suppress(KeyError):
        fail("first try", KeyError("Order ID"))
    assert (call.profile.error, call.profile.phase, call.profile.spans[0].failed) == (None, None, True)


def test_the_phase_is_that_of_the_error_that_led_to_the_calls() -> None:
    def work() -> None:
        with contextlib.suppress(OSError):
            fail("other", OSError("unrelated"))
        try:
            fail("parse", KeyError("cause"))
        except KeyError as error:
            raise ValueError("no number") from error

    call = Call()
    with pytest.raises(ValueError, match="no number"), call:
        work()
    assert (call.profile.error, call.profile.phase) == ("ValueError", "parse")


def test_a_call_says_itself_that_it_fails_where_its_body_does_not() -> None:
    with Call() as call:
        try:
            with span("parse"):
                int("x")
        except ValueError as error:
            call.failed(error)
    assert (call.profile.error, call.profile.phase) == ("ValueError", "parse")


class HeldError(Exception):
    """An error that can be seen to go."""

    made: ClassVar[list["weakref.ref[HeldError]"]] = []

    def __init__(self) -> None:
        self.made.append(weakref.ref(self))


def test_a_call_lets_go_of_its_errors() -> None:
    gc.disable()
    try:
        with Call(), contextlib.suppress(HeldError), span("parse"):
            raise HeldError
        assert HeldError.made[-1]() is None
    finally:
        gc.enable()


def test_a_profile_of_the_first_version_can_still_be_read() -> None:
    first = (
        b'{"instance_id":"00","invocation":1,"cold":true,"started_at":"2026-11-24T00:00:00+00:00",'
        b'"duration_ms":1.5,"spans":[{"name":"read","start_ms":0.5,"duration_ms":1.0}],"metrics":{"rss_mib":20.5}}'
    )
    profile = msgspec.json.decode(first, type=Profile)
    assert (profile.version, profile.spans[0].failed, profile.unavailable) == (1, False, {})
