"""The flat view: SAAF's keys and units, and SAAF's defects left out."""

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.message import Context
from core.profiler import Call, Profile, procfs, saaf, spelling
from core.profiler.growth import TICK_MS
from core.profiler.metrics import METRICS

LAMBDA = Context(platform="AWS Lambda", function="sales", region="eu-central-1", memory_mib=1769)
STARTED_MS = 1_700_000_000_123


def profile(**metrics: float) -> Profile:
    return Profile(
        instance_id="0123456789abcdef0123456789abcdef",
        invocation=3,
        cold=False,
        started_at="2023-11-14T22:13:20.123000+00:00",
        duration_ms=20.5,
        spans=[],
        metrics={"profiler_begin_ms": 0.25, "profiler_end_ms": 0.125, **metrics},
    )


def flat(outcome: saaf.Outcome = msgspec.UNSET, **metrics: float) -> dict[str, Any]:
    """The view as a reader gets it: from JSON."""
    view = saaf.flat(profile(**metrics), LAMBDA, outcome)
    return dict(msgspec.json.decode(msgspec.json.encode(view)))


def chosen(view: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: view[key] for key in keys if key in view}


def test_a_run_says_the_version_without_which_it_is_not_counted() -> None:
    assert chosen(flat(), "version", "lang") == {"version": 0.7, "lang": "python"}


def test_times_are_milliseconds_and_add_up() -> None:
    keys = ("startTime", "endTime", "runtime", "userRuntime", "frameworkRuntime", "frameworkRuntimeDeltas")
    assert chosen(flat(), *keys) == {
        "startTime": STARTED_MS,
        "endTime": STARTED_MS + 21,
        "runtime": 20.875,
        "userRuntime": 20.5,
        "frameworkRuntime": 0.25,
        "frameworkRuntimeDeltas": 0.125,
    }


def test_the_container_is_the_instance() -> None:
    assert chosen(flat(), "uuid", "newcontainer", "invocations") == {
        "uuid": "0123456789abcdef0123456789abcdef",
        "newcontainer": 0,
        "invocations": 3,
    }


def test_the_platform_is_the_contexts() -> None:
    assert chosen(flat(), "platform", "functionName", "functionRegion", "functionMemory") == {
        "platform": "AWS Lambda",
        "functionName": "sales",
        "functionRegion": "eu-central-1",
        "functionMemory": "1769",
    }


def test_what_the_context_does_not_know_is_absent() -> None:
    view = saaf.flat(profile(), Context(platform="local"), msgspec.UNSET)
    assert {"functionName", "functionRegion", "functionMemory"} & view.keys() == set()


def test_the_cpu_under_saafs_names_is_the_vms() -> None:
    view = flat(vm_cpu_user_ms=30.0, vm_cpu_system_ms=10.0, vm_cpu_iowait_ms=20.0, thread_cpu_user_ms=1.5)
    assert chosen(view, "cpuUserDelta", "cpuKernelDelta", "cpuIOWaitDelta", "cpuIdleDelta") == {
        "cpuUserDelta": 30.0,
        "cpuKernelDelta": 10.0,
        "cpuIOWaitDelta": 20.0,
    }


def test_a_cpu_total_is_the_one_before_the_call() -> None:
    def user_ms() -> float:
        return procfs.cpu_ticks(Path("/proc/stat").read_bytes())["user"] * TICK_MS

    before = user_ms()
    with Call() as call:
        end = time.thread_time_ns() + 60_000_000
        while time.thread_time_ns() < end:
            pass
    view: dict[str, Any] = saaf.flat(call.profile, LAMBDA, msgspec.UNSET)
    assert before <= view["cpuUser"] <= view["cpuUser"] + view["cpuUserDelta"] <= user_ms()


def test_totals_of_faults_and_switches_are_those_before_the_call() -> None:
    now = {key: flat()[key] for key in ("contextSwitches", "pageFaults", "majorPageFaults")}
    grown = flat(vm_context_switches=1e9, vm_page_faults=2e9, vm_page_faults_major=3e9)
    fell = {key: (total - grown[key]) / 1e9 for key, total in now.items()}
    assert {key: round(each) for key, each in fell.items()} == dict(zip(now, (1, 2, 3), strict=True))


def test_a_call_of_no_length_is_viewed_like_any_other() -> None:
    empty = msgspec.structs.replace(profile(), duration_ms=0.0, metrics={})
    view = saaf.flat(empty, LAMBDA, msgspec.UNSET)
    assert (view["runtime"], view["userRuntime"]) == (0.0, 0.0)


def test_the_machine_is_the_one_that_the_kernel_tells() -> None:
    told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    view = flat()
    assert view["totalMemory"] == int(told["MemTotal"].split()[0])
    assert view["linuxVersion"].split()[:3] == [os.uname().sysname, os.uname().nodename, os.uname().release]
    assert view["cpuCores"] >= 1


def test_a_real_call_has_every_cpu_delta() -> None:
    with Call() as call:
        pass
    view = saaf.flat(call.profile, LAMBDA, msgspec.UNSET)
    assert {"cpuUserDelta", "cpuNiceDelta", "cpuKernelDelta", "cpuIrqDelta", "cpuSoftIrqDelta"} <= view.keys()


def test_the_users_keys_stand_beside_saafs() -> None:
    assert chosen(flat(msgspec.Raw(b'{"rows_in":100,"target":"a.csv"}')), "rows_in", "target", "result") == {
        "rows_in": 100,
        "target": "a.csv",
    }


def test_a_users_key_cannot_overwrite_saafs() -> None:
    view = flat(msgspec.Raw(b'{"runtime":-1,"uuid":"mine","rows":2}'))
    assert chosen(view, "runtime", "rows", "result") == {
        "runtime": 20.875,
        "rows": 2,
        "result": {"runtime": -1, "uuid": "mine"},
    }


def test_a_users_key_cannot_pass_for_what_saaf_would_measure() -> None:
    view = flat(msgspec.Raw(b'{"cpuPolls":"mine"}'))
    assert ("cpuPolls" in view, view["result"]) == (False, {"cpuPolls": "mine"})


def test_a_users_result_key_is_not_lost_when_another_one_moves() -> None:
    assert flat(msgspec.Raw(b'{"result":[1],"version":9}'))["result"] == {"result": [1], "version": 9}


@pytest.mark.parametrize("outcome", [b"[1,2]", b'"text"', b"12", b"[]"])
def test_an_outcome_that_is_no_object_stands_under_result(outcome: bytes) -> None:
    assert flat(msgspec.Raw(outcome))["result"] == msgspec.json.decode(outcome)


def test_a_number_of_the_users_keeps_its_digits() -> None:
    view = saaf.flat(profile(), LAMBDA, msgspec.Raw(b'{"total":12345678901234567890.10}'))
    assert b'"total":12345678901234567890.10' in msgspec.json.encode(view)


def test_the_calls_own_cpu_stands_beside_the_vms() -> None:
    view = flat(vm_cpu_user_ms=30.0, thread_cpu_user_ms=1.5, cpu_ms=2.0, cpu_shared=True, gc_ms=1.0)
    assert chosen(view, "cpuUserDelta", "thread_cpu_user_ms", "cpu_ms", "cpu_shared", "thread_shared", "gc_ms") == {
        "cpuUserDelta": 30.0,
        "thread_cpu_user_ms": 1.5,
        "cpu_ms": 2.0,
        "cpu_shared": 1,
        "thread_shared": 0,
    }


def test_vcpus_and_memory_are_told_where_cpu_goes_by_memory() -> None:
    keys = ("availableCPUs", "utilizedCPUs", "recommendedMemory", "recommended_memory_is_lower_bound")
    view = flat(vm_cpu_user_ms=30.0, vm_cpu_system_ms=11.0, utilized_cpus=0.5)
    assert chosen(view, *keys) == {
        "availableCPUs": 1.0,
        "utilizedCPUs": 2.0,
        "recommendedMemory": 885,
        "recommended_memory_is_lower_bound": 0,
    }
    same = profile(vm_cpu_user_ms=30.0, vm_cpu_system_ms=11.0, utilized_cpus=0.5)
    elsewhere = saaf.flat(same, Context(platform="local", memory_mib=1769), msgspec.UNSET)
    assert chosen(elsewhere, *keys) == {"utilizedCPUs": 2.0}


def test_the_older_spelling_is_in_ticks_with_what_both_name_alike() -> None:
    metrics = {"vm_cpu_user_ms": 30.0, "vm_cpu_nice_ms": 20.0, "vm_cpu_steal_ms": 10.0, "vm_context_switches": 7.0}
    view = saaf.flat(profile(**metrics), LAMBDA, msgspec.UNSET, ticks=True)
    keys = ("version", "cpuUsrDelta", "cpuUserDelta", "cpuNiceDelta", "vmcpustealDelta", "contextSwitchesDelta")
    assert chosen(view, *keys) == {
        "version": 0.5,
        "cpuUsrDelta": 30.0 / TICK_MS,
        "cpuUserDelta": 30.0,
        "cpuNiceDelta": 20.0 / TICK_MS,
        "vmcpustealDelta": 10.0 / TICK_MS,
        "contextSwitchesDelta": 7.0,
    }
    assert view["vmuptime"] == view["bootTime"]


def test_the_spellings_are_those_of_the_table_of_metrics() -> None:
    table = {metric.name: (metric.saaf, metric.saaf_ticks) for metric in METRICS}
    spelled = {state: (spelling.STATES[state], spelling.TICKS.get(state)) for state in procfs.CPU_STATES}
    assert {state: table[f"vm_cpu_{state}_ms"] for state in spelled} == {
        state: (f"{new}Delta", old and f"{old}Delta") for state, (new, old) in spelled.items()
    }
    assert [name for name in spelling.OWN + spelling.LABELS if name not in table] == []


def test_an_error_keeps_its_metrics() -> None:
    view = flat({"title": "Bad data", "status": 422}, vm_cpu_user_ms=10.0)
    assert chosen(view, "title", "status", "cpuUserDelta", "version") == {
        "title": "Bad data",
        "status": 422,
        "cpuUserDelta": 10.0,
        "version": 0.7,
    }


FRESH = """
import msgspec
from core.message import Context
from core.profiler import Call, saaf
with Call() as call:
    pass
print(saaf.flat(call.profile, Context(platform="local"), msgspec.UNSET)["newcontainer"])
"""


def test_a_second_process_on_the_same_temporary_folder_is_cold(tmp_path: Path) -> None:
    def newcontainer() -> int:
        environment = {**os.environ, "TMPDIR": str(tmp_path)}
        command = [sys.executable, "-c", FRESH]
        return int(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, timeout=60).stdout)

    assert [newcontainer(), newcontainer()] == [1, 1]
