"""The metrics tell the truth about a call, and each of them is in the table."""

import mmap
import select
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from core.profiler import Call, sample
from core.profiler.instance import Instance, ProcFile
from core.profiler.metrics import METRICS

MIB = 1 << 20

# Burns 200 ms of CPU when it is told to, and says when it has.
NEIGHBOUR = """
import time
input()
end = time.process_time() + 0.2
while time.process_time() < end:
    pass
print("burnt", flush=True)
"""

PEAK = """
from core.profiler import Call
with Call() as call:
    pass
print(call.profile.metrics["peak_rss_mib"])
"""


def burn(milliseconds: float) -> None:
    """Spends CPU time of this thread, and only that counts: a busy machine makes it no shorter."""
    end = time.thread_time_ns() + milliseconds * 1e6
    while time.thread_time_ns() < end:
        pass


def cpu_ms(call: Call, scope: str) -> float:
    metrics = call.profile.metrics
    return float(metrics[f"{scope}_cpu_user_ms"]) + float(metrics[f"{scope}_cpu_system_ms"])


@pytest.mark.parametrize("scope", ["thread", "process"])
def test_cpu_that_a_call_burns_is_charged_to_it(scope: str) -> None:
    with Call() as call:
        burn(60)
    assert cpu_ms(call, scope) == pytest.approx(60, abs=5)


def test_cpu_under_a_scheduler_tick_is_charged() -> None:
    missing_ms = []
    for _ in range(20):
        begin = time.thread_time_ns()
        with Call() as call:
            # Not `burn`: to ask for the thread's clock would bring the kernel's counters up to date.
            end = time.perf_counter_ns() + 2_000_000
            while time.perf_counter_ns() < end:
                pass
        missing_ms.append((time.thread_time_ns() - begin) / 1e6 - cpu_ms(call, "thread"))
    assert max(missing_ms) < 1


def test_cpu_of_another_thread_is_the_processs_but_not_the_calls() -> None:
    with Call() as call:
        worker = threading.Thread(target=burn, args=(60,))
        worker.start()
        worker.join()
    assert cpu_ms(call, "process") == pytest.approx(60, abs=10)
    assert cpu_ms(call, "thread") == pytest.approx(0, abs=5)


def test_a_call_that_waits_is_not_charged_with_its_neighbours_cpu() -> None:
    command = [sys.executable, "-c", NEIGHBOUR]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as neighbour,
        Call() as call,
    ):
        assert neighbour.communicate(b"now\n", timeout=60)[0] == b"burnt\n"
    busy = ("user", "nice", "system", "steal")
    assert cpu_ms(call, "process") == pytest.approx(0, abs=10)
    assert sum(float(call.profile.metrics[f"vm_cpu_{state}_ms"]) for state in busy) >= 100


def test_a_call_that_ends_in_another_thread_has_no_cpu_of_a_thread() -> None:
    instance = Instance()
    begun: list[sample.Sample] = []
    other = threading.Thread(target=lambda: begun.append(sample.before(instance)))
    other.start()
    other.join()
    metrics = sample.spent(begun[0], sample.after(instance))
    assert [name for name in metrics if name.startswith("thread")] == []


def test_a_page_touched_for_the_first_time_is_a_minor_fault() -> None:
    with Call() as call, mmap.mmap(-1, 4 * MIB) as pages:
        pages.madvise(mmap.MADV_NOHUGEPAGE)
        for start in range(0, len(pages), mmap.PAGESIZE):
            pages[start] = 1
    assert int(call.profile.metrics["page_faults_minor"]) >= 4 * MIB // mmap.PAGESIZE


def test_a_wait_is_a_voluntary_context_switch() -> None:
    with Call() as call:
        for _ in range(10):
            select.select([], [], [], 0.001)
    assert int(call.profile.metrics["context_switches_voluntary"]) >= 10


def test_the_peak_is_what_was_resident_at_most_and_never_falls() -> None:
    with Call() as call:
        held = b"x" * (64 * MIB)
        now_mib = len(held) / MIB
        del held
    with Call() as later:
        pass
    assert float(call.profile.metrics["peak_rss_mib"]) >= now_mib
    assert float(later.profile.metrics["peak_rss_mib"]) >= float(call.profile.metrics["peak_rss_mib"])


def test_resident_memory_follows_what_is_held() -> None:
    with Call() as before:
        pass
    held = b"x" * (64 * MIB)
    with Call() as after:
        pass
    grown_mib = float(after.profile.metrics["rss_mib"]) - float(before.profile.metrics["rss_mib"])
    assert grown_mib == pytest.approx(len(held) / MIB, abs=4)


def test_the_peak_is_not_inherited_from_the_process_that_started_the_instance() -> None:
    held = b"x" * (150 * MIB)
    done = subprocess.run([sys.executable, "-c", PEAK], stdout=subprocess.PIPE, check=True, timeout=60)
    assert float(done.stdout) < len(held) / MIB


def test_what_cannot_be_read_is_absent() -> None:
    instance = Instance()
    instance.stat = ProcFile("/proc/no such file", 512)
    instance.status = ProcFile("/proc/no such file", 512)
    found = sample.spent(sample.before(instance), sample.after(instance))
    found |= sample.memory(instance.status.read())
    assert [name for name in found if name.startswith("vm_") or name.endswith("_mib")] == []


def test_a_counter_that_goes_backwards_is_absent() -> None:
    begin = sample.before(Instance())
    thread, process = begin.thread, begin.process
    first = sample.Sample(1, thread, process, {"idle": 5, "iowait": 9})
    last = sample.Sample(1, thread, process, {"idle": 6, "iowait": 8})
    vm = {name: value for name, value in sample.spent(first, last).items() if name.startswith("vm_")}
    assert vm == {"vm_cpu_idle_ms": sample.TICK_MS}


def test_every_metric_of_a_call_is_in_the_table_and_the_other_way_round() -> None:
    emitted: set[str] = set()
    # The kernel may take back a counter now and then, and it is left out of that one call.
    for _ in range(5):
        with Call() as call, Call():
            pass
        emitted |= call.profile.metrics.keys()
    assert emitted == {metric.name for metric in METRICS}


def test_no_metric_is_in_the_table_twice() -> None:
    assert [name for name, count in Counter(metric.name for metric in METRICS).items() if count > 1] == []


def test_a_metrics_name_ends_with_its_unit() -> None:
    suffixes = {"ms": "_ms", "MiB": "_mib", "1": "", "": ""}
    assert [metric.name for metric in METRICS if not metric.name.endswith(suffixes[metric.unit])] == []


def test_no_two_metrics_claim_one_name_of_saaf() -> None:
    claimed = Counter(metric.saaf for metric in METRICS if metric.saaf is not None)
    assert [name for name, count in claimed.items() if count > 1] == []
