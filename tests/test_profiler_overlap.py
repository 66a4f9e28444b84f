"""Calls that overlap: what cannot be told apart is not told, and one odd call spoils no other."""

import asyncio
import contextvars
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from core.profiler import Call, Profile, span
from core.profiler.flights import Flight
from core.profiler.instance import Instance, instance
from core.profiler.spans import MOST, current

ROOT = Path(__file__).parents[1]
BURN_100 = "import time\nwhile time.process_time() < 0.1: pass"


def burn(milliseconds: float) -> None:
    """Spends CPU time of this thread, and only that counts: a busy machine makes it no shorter."""
    end = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end:
        pass


def in_a_library() -> None:
    """Work in threads that know nothing of the call."""
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(burn, [40, 40]))


def in_a_child() -> None:
    subprocess.run([sys.executable, "-I", "-S", "-c", BURN_100], check=True, timeout=60)


def beside_a_sleeping_call(work: Callable[[], None]) -> Profile:
    """The profile of a call that does the work while another thread's call does nothing."""
    done, begun = threading.Event(), threading.Event()

    def sleep() -> None:
        with Call():
            begun.set()
            done.wait(60)

    sleeper = threading.Thread(target=sleep)
    sleeper.start()
    begun.wait(60)
    with Call() as call:
        work()
    done.set()
    sleeper.join()
    return call.profile


@pytest.mark.parametrize("work", [in_a_library, in_a_child])
def test_work_that_may_be_another_calls_is_nobodys(work: Callable[[], None]) -> None:
    metrics = beside_a_sleeping_call(work).metrics
    assert (metrics["cpu_shared"], "cpu_ms" in metrics, "utilized_cpus" in metrics) == (True, False, False)


OWN = """
from tests.test_profiler_overlap import beside_a_sleeping_call, burn
metrics = beside_a_sleeping_call(lambda: burn(60)).metrics
print(metrics["cpu_shared"], metrics["cpu_ms"])
"""


def test_work_of_the_calls_own_thread_is_its_own_beside_a_sleeping_call() -> None:
    # In a process of its own: that of a whole test run has threads of other tests, whose work nobody could explain.
    done = subprocess.run([sys.executable, "-c", OWN], stdout=subprocess.PIPE, check=True, timeout=60, cwd=ROOT)
    shared, cpu_ms = done.stdout.split()
    assert shared == b"True"
    assert float(cpu_ms) == pytest.approx(60, abs=5)


@pytest.mark.parametrize("work", [in_a_library, in_a_child])
def test_such_work_is_the_calls_where_it_is_alone(work: Callable[[], None]) -> None:
    with Call() as call:
        work()
    assert float(call.profile.metrics["cpu_ms"]) >= 79


def test_a_call_beside_a_stepped_one_in_the_same_thread_says_that_it_cannot_be_told_apart() -> None:
    async def stepped() -> Call:
        call = Call()
        await call.measure(work())
        return call

    async def plain() -> Call:
        with Call() as call:
            await work()
        return call

    async def work() -> None:
        for _ in range(3):
            burn(5)
            await asyncio.sleep(0)

    async def both() -> list[Call]:
        return list(await asyncio.gather(plain(), stepped()))

    first, second = (call.profile.metrics for call in asyncio.run(both()))
    assert (first["thread_shared"], "cpu_ms" in first) == (True, False)
    assert "thread_shared" not in second
    assert second["cpu_ms"] == pytest.approx(15, abs=5)


def test_two_calls_of_one_clock_explain_it_once() -> None:
    here = threading.get_native_id()
    mine, first, second = Flight(1, 1), Flight(2, here), Flight(3, here)
    mine.meets(first)
    mine.meets(second)
    begin_ns = time.thread_time_ns()
    burn(20)
    mine.parts(first)
    mine.parts(second)
    assert mine.others_ns / 1e6 == pytest.approx((time.thread_time_ns() - begin_ns) / 1e6, abs=5)


def test_a_thread_that_has_ended_explains_nothing() -> None:
    mine, gone = Flight(1, 1), Flight(2, 2**22 + 1)
    mine.meets(gone)
    mine.parts(gone)
    assert mine.others_ns == 0


def opened() -> Generator[Call]:
    with Call() as call, span("inside"):
        yield call


def test_a_call_that_is_left_in_another_context_keeps_the_error_and_shares_with_nobody_later() -> None:
    generator = contextvars.copy_context().run(lambda: (made := opened(), next(made)))
    with pytest.raises(KeyError, match="mine"):
        generator[0].throw(KeyError("mine"))
    with Call() as later:
        burn(2)
    assert ("cpu_shared" in later.profile.metrics, "cpu_ms" in later.profile.metrics) == (False, True)


def test_a_call_that_has_ended_keeps_no_later_spans() -> None:
    first, second = opened(), opened()
    calls = [next(first), next(second)]
    first.close()
    second.close()
    with span("nobody's"):
        pass
    assert [[found.name for found in call.profile.spans] for call in calls] == [["inside"]] * 2
    current.set(None)


def test_a_clock_that_is_set_during_calls_does_not_let_them_mix() -> None:
    own = Instance()
    first = own.begin(1)
    own.gc_collections = 3
    own.restored(2000.0)
    second = own.begin(2)
    assert (first.shared, second.shared, own.gc_collections) == (True, True, 3)
    assert (second.invocation, second.snapshot_age_ms) == (1, 2000.0)


CLOSED = """
import os, socket
from core.profiler import Call
with Call() as first:
    pass
os.closerange(3, 200)
theirs = [open("/proc/version", "rb") for _ in range(40)]
with Call() as call:
    pass
child = os.fork()
if child == 0:
    os._exit(0 if all(os.fstat(file.fileno()) for file in theirs) else 1)
alive = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
alive = alive and all(file.read(5) == b"Linux" for file in theirs)
import json
same = call.profile.metrics.keys() == first.profile.metrics.keys()
print(json.dumps([alive, same, call.profile.metrics["rss_mib"]]))
"""


def test_descriptors_that_the_program_has_closed_and_used_anew_are_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", CLOSED], stdout=subprocess.PIPE, check=True, timeout=60)
    alive, whole, rss_mib = msgspec.json.decode(done.stdout)
    assert (alive, whole, 5 < rss_mib < 60) == (True, True, True)


class Finalized:
    """Makes a call when it goes."""

    def __del__(self) -> None:
        with Call("process"):
            pass


def test_a_call_within_the_counting_of_a_call_does_not_wait_for_itself() -> None:
    with instance._lock:
        item = Finalized()
        del item
    with Call() as later:
        pass
    assert later.profile.invocation > 1


@pytest.mark.usefixtures("alarms")
def test_a_call_in_a_signals_handler_does_not_wait_for_the_one_that_it_interrupted() -> None:
    end = time.monotonic() + 0.5
    while time.monotonic() < end:
        with Call("process"):
            pass


@pytest.fixture
def alarms() -> Generator[None]:
    def handle(*_: object) -> None:
        with Call("process"):
            pass

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_a_forked_child_that_leaves_its_parents_call_has_no_numbers_of_it() -> None:
    reader, writer = os.pipe()
    with Call() as call:
        child = os.fork()
    if child == 0:
        told = [len(call.profile.metrics), call.profile.unavailable]
        os.write(writer, msgspec.json.encode(told))
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    assert msgspec.json.decode(os.read(reader, 4096)) == [0, {"metrics": "the process was forked during the call"}]
    os.close(reader)
    assert call.profile.metrics["process_cpu_user_ms"] >= 0


def test_spans_beyond_what_an_answer_can_carry_are_left_out_and_counted() -> None:
    with Call() as call:
        for _ in range(MOST + 5):
            with span("one of many"):
                pass
    assert len(call.profile.spans) == MOST
    assert call.profile.unavailable["spans"] == f"5 more than {MOST} are left out"


@pytest.mark.parametrize(
    ("name", "shown"), [("größe", "größe"), ("\udcff.csv", "?.csv"), (7, "7"), (b"x", "b'x'"), (None, "None")]
)
def test_a_spans_name_is_text_whatever_it_was(name: object, shown: str) -> None:
    with Call() as call, span(name):  # type: ignore[arg-type]  # that is the promise
        pass
    decoded = msgspec.json.decode(msgspec.json.encode(call.profile), type=Profile)
    assert [found.name for found in decoded.spans] == [shown]


def test_the_phase_of_an_error_in_a_group_is_told() -> None:
    async def part() -> None:
        with span("part"):
            raise KeyError("Order ID")

    async def work() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(part())

    call = Call()
    with pytest.raises(ExceptionGroup), call:
        asyncio.run(work())
    assert (call.profile.error, call.profile.phase) == ("ExceptionGroup", "part")


def test_resident_memory_is_never_above_its_peak() -> None:
    for _ in range(50):
        with Call() as call:
            pass
        assert call.profile.metrics["rss_mib"] <= call.profile.metrics["peak_rss_mib"]


AT_ONCE = """
import os, threading
from core.profiler import Call
barrier = threading.Barrier(16)
def work():
    barrier.wait()
    with Call():
        pass
threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
opened = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
kept = [path for path in opened if path.startswith(("/proc/", "/sys/")) and os.path.isfile(path)]
print(len(kept) > 5, len(kept) - len(set(kept)))
"""


def test_calls_that_are_first_at_once_open_each_file_once() -> None:
    done = subprocess.run([sys.executable, "-c", AT_ONCE], stdout=subprocess.PIPE, check=True, timeout=60)
    assert done.stdout.split() == [b"True", b"0"]
