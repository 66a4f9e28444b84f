"""The metrics tell the truth about a call, and each of them is in the table."""

import gc
import mmap
import os
import select
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from resource import struct_rusage
from types import SimpleNamespace
from typing import cast

import pytest

from core.profiler import Call, growth, sample
from core.profiler.files import ProcFile
from core.profiler.instance import Instance
from core.profiler.meter import Meter
from core.profiler.metrics import METRICS, markdown

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
        with Call("process") as call:  # its own readings are not the call's, and these are short
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
    meter = Meter(Instance(), "process")
    other = threading.Thread(target=meter.start)
    other.start()
    other.join()
    assert [name for name in meter.stop() if name.startswith("thread_")] == []


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


def unreadable() -> Instance:
    """An instance on a platform that shows nothing under /proc, as the strictest sandboxes do."""
    instance = Instance()
    sources, nothing = instance.sources, ProcFile("/proc/no such file", 512)
    for name in ("io", "meminfo", "network", "process", "stat", "statm", "status", "vmstat"):
        setattr(sources, name, nothing)
    sources.pressure = dict.fromkeys(sources.pressure, nothing)
    return instance


def test_what_cannot_be_read_is_absent_and_listed_with_its_reason() -> None:
    instance = unreadable()
    meter = Meter(instance, "vm")
    meter.start()
    found = meter.stop()
    gone = {metric.name for metric in METRICS if metric.source.startswith("proc_") or metric.scope == "vm"}
    gone -= {"peak_rss_mib"}  # getrusage(2) has it too
    assert gone & found.keys() == set()
    assert {name: (instance.unavailable or {}).get(name) for name in gone} == dict.fromkeys(
        gone, "/proc/no such file: No such file or directory"
    )


def test_what_a_file_does_not_say_is_listed_by_the_file(tmp_path: Path) -> None:
    path = tmp_path / "vmstat"
    path.write_bytes(b"pgfault 5\n")
    instance = Instance()
    instance.sources.vmstat = ProcFile(str(path), 512)
    meter = Meter(instance, "vm")
    meter.start()
    assert "vm_page_faults" in meter.stop()
    assert (instance.unavailable or {})["vm_page_faults_major"] == f"{path} does not count it"


def test_a_counter_that_falls_in_the_first_call_is_not_called_unavailable(tmp_path: Path) -> None:
    path = tmp_path / "stat"
    path.write_bytes(b"cpu  1 2 3 5 9 0 0 0 0 0\nctxt 7\nprocesses 1\n")
    instance = Instance()
    instance.sources.stat = ProcFile(str(path), 512)
    meter = Meter(instance, "vm")
    meter.start()
    path.write_bytes(b"cpu  1 2 3 5 8 0 0 0 0 0\nctxt 7\nprocesses 1\n")
    assert "vm_cpu_iowait_ms" not in meter.stop()
    assert "vm_cpu_iowait_ms" not in (instance.unavailable or {})


def usage(**counts: float) -> SimpleNamespace:
    names = ("ru_utime", "ru_stime", "ru_minflt", "ru_majflt", "ru_nvcsw", "ru_nivcsw", "ru_maxrss")
    return SimpleNamespace(**{**dict.fromkeys(names, 0), **counts})


def test_a_count_that_a_sandbox_does_not_keep_is_absent() -> None:
    """As seen in gVisor: no faults, no switches, no storage, no data pages, though all of them happened."""
    begin, end = sample.Sample(), sample.Sample()
    for reading in (begin, end):
        reading.thread_id, reading.gc_ns, reading.gc_collections = 1, 0, 0
        reading.thread = reading.process = reading.children = cast("struct_rusage", usage(ru_utime=0.5))
        reading.statm = b"31942 6120 0 0 0 0 0\n"
        reading.io = (
            b"char: 500\nwchar: 20\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n"
        )
    end.io = end.io.replace(b"500", b"9999")
    found = growth.process(begin, end) | growth.input_output(begin, end)
    assert found.keys().isdisjoint([*growth.EVENTS, "disk_read_bytes", "disk_write_bytes", "heap_growth_mib"])
    assert (found["rss_growth_mib"], found["syscall_write_bytes"]) == (0, 0)
    assert found["syscall_read_bytes"] == 9999 - 500 - len(begin.io)


def test_a_profile_says_what_is_unavailable() -> None:
    with Call() as call:
        burn(2)
    metrics, unavailable = call.profile.metrics, call.profile.unavailable
    labels = {metric.name for metric in METRICS if metric.kind == "label"}
    limit = {"cgroup_memory_limit_mib"} - unavailable.keys()  # there may be none
    assert {metric.name for metric in METRICS} - labels - limit <= metrics.keys() | unavailable.keys() | {
        "vm_cpu_iowait_ms"
    }
    assert metrics.keys() & unavailable.keys() == set()


def test_a_narrow_call_reads_nothing_beyond_the_process() -> None:
    with Call("process") as call:
        pass
    scopes = {metric.name: metric.scope for metric in METRICS}
    assert {scopes[name] for name in call.profile.metrics} == {"call", "thread", "process"}
    assert call.profile.unavailable == {}


def test_the_peak_of_a_narrow_call_is_that_of_a_wide_one() -> None:
    with Call("process") as narrow:
        pass
    with Call("vm") as wide:
        pass
    assert narrow.profile.metrics["peak_rss_mib"] == pytest.approx(wide.profile.metrics["peak_rss_mib"], abs=2)


def test_a_counter_that_goes_backwards_is_absent() -> None:
    begin, end = sample.Wide(Instance()), sample.Wide(Instance())
    begin.stat, end.stat = b"cpu  1 2 3 5 9\nctxt 7\n", b"cpu  1 2 3 6 8\nctxt 6\n"
    vm = growth.beyond(begin, end)
    assert (vm["vm_cpu_idle_ms"], "vm_cpu_iowait_ms" in vm, "vm_context_switches" in vm) == (
        growth.TICK_MS,
        False,
        False,
    )


def test_memory_that_is_given_back_is_a_negative_growth() -> None:
    held = mmap.mmap(-1, 64 * MIB)
    for start in range(0, len(held), mmap.PAGESIZE):
        held[start] = 1
    with Call() as call:
        held.close()
    assert call.profile.metrics["rss_growth_mib"] == pytest.approx(-64, abs=4)
    assert call.profile.metrics["heap_growth_mib"] <= 0


def test_bytes_read_and_written_are_exact_and_not_the_profilers_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with Call() as call:
        fd = os.open(path, os.O_RDWR | os.O_CREAT)
        os.write(fd, b"x" * MIB)
        os.fsync(fd)
        os.pread(fd, MIB, 0)
        os.close(fd)
    metrics = call.profile.metrics
    assert (metrics["syscall_write_bytes"], metrics["syscall_read_bytes"]) == (MIB, MIB)


def test_a_call_that_does_nothing_reads_nothing() -> None:
    with Call():
        pass
    with Call() as call:
        pass
    assert (call.profile.metrics["syscall_read_bytes"], call.profile.metrics["syscall_write_bytes"]) == (0, 0)


def test_a_garbage_collection_is_counted_and_timed() -> None:
    with Call() as call:
        begin_ns = time.perf_counter_ns()
        gc.collect()
        gc.collect()
        elapsed_ms = (time.perf_counter_ns() - begin_ns) / 1e6
    assert call.profile.metrics["gc_collections"] == 2
    assert 0 < call.profile.metrics["gc_ms"] <= elapsed_ms


def test_a_thread_that_runs_at_the_end_is_counted() -> None:
    stop = threading.Event()
    with Call() as call:
        worker = threading.Thread(target=stop.wait)
        worker.start()
        with Call() as inner:
            pass
        stop.set()
        worker.join()
    assert int(inner.profile.metrics["threads"]) - int(call.profile.metrics["threads"]) == 1


def test_a_childs_cpu_is_apart_from_the_processs_own() -> None:
    burn_100 = "import time\nwhile time.process_time() < 0.1: pass"
    with Call() as call:
        subprocess.run([sys.executable, "-I", "-S", "-c", burn_100], check=True, timeout=60)
    assert 100 <= cpu_ms(call, "children") < 400
    assert cpu_ms(call, "process") < 50
    assert call.profile.metrics["cpu_ms"] == pytest.approx(cpu_ms(call, "children") + cpu_ms(call, "process"), abs=0.01)


def test_two_threads_that_burn_without_pause_use_as_many_processors_as_they_can() -> None:
    with Call() as call:
        burn(50)
    assert 0.1 < float(call.profile.metrics["utilized_cpus"]) <= 1.05


def test_every_metric_of_a_call_is_in_the_table_and_the_other_way_round() -> None:
    emitted: set[str] = set()
    # The kernel may take back a counter now and then, and it is left out of that one call.
    for _ in range(5):
        with Call() as call, Call():
            pass
        with Call() as alone:
            burn(2)
        emitted |= call.profile.metrics.keys() | alone.profile.metrics.keys() | alone.profile.unavailable.keys()
    assert emitted | {"cgroup_memory_limit_mib"} == {metric.name for metric in METRICS}


def test_the_page_of_metrics_is_made_from_the_table() -> None:
    page = Path(__file__).parents[1] / "docs" / "metrics.md"
    assert page.read_text() == markdown()


def test_no_metric_is_in_the_table_twice() -> None:
    assert [name for name, count in Counter(metric.name for metric in METRICS).items() if count > 1] == []


def test_a_metrics_name_ends_with_its_unit() -> None:
    suffixes = {"ms": "_ms", "MiB": "_mib", "byte": "_bytes", "vCPU": "_cpus", "1": "", "": ""}
    assert [metric.name for metric in METRICS if not metric.name.endswith(suffixes[metric.unit])] == []


@pytest.mark.parametrize("spelling", ["saaf", "saaf_ticks"])
def test_no_two_metrics_claim_one_name_of_saaf(spelling: str) -> None:
    claimed = Counter(name for metric in METRICS if (name := getattr(metric, spelling)) is not None)
    assert [name for name, count in claimed.items() if count > 1] == []
