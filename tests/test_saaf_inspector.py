"""SAAF's Inspector as a function uses it: its methods, keys, units and types."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.profiler import Call, procfs
from core.profiler.growth import TICK_MS
from core.profiler.inspector import VARIABLE
from core.profiler.saaf import Inspector

LAMBDA = {
    "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/24/[$LATEST]0123456789abcdef",
    "AWS_LAMBDA_FUNCTION_NAME": "hello",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
    "AWS_REGION": "eu-central-1",
}

STATES = ("User", "Nice", "Kernel", "Idle", "IOWait", "Irq", "SoftIrq", "Steal", "Guest", "GuestNice")

# By method: the keys that SAAF 0.7 has after it, with their types there.
KEYS: dict[str, dict[str, type]] = {
    "finish": {
        "version": float,
        "lang": str,
        "startTime": int,
        "endTime": int,
        "runtime": float,
        "invocations": int,
        "initializationTime": int,
    },
    "inspectContainer": {"uuid": str, "newcontainer": int},
    "inspectCPUInfo": {"architecture": str, "cpuCores": int, "cpuInfo": list},
    "inspectLinux": {"linuxVersion": str},
    "inspectPlatform": {
        "platform": str,
        "containerID": str,
        "functionName": str,
        "functionMemory": str,
        "functionRegion": str,
        "vmID": str,
    },
    "inspectMemory": {"totalMemory": int, "freeMemory": int, "pageFaults": int, "majorPageFaults": int},
    "inspectCPU": {"bootTime": int, **{f"cpu{state}": float for state in STATES}},
}
DELTAS: dict[str, type] = {
    "userRuntime": float,
    "frameworkRuntimeDeltas": float,
    "pageFaultsDelta": int,
    "majorPageFaultsDelta": int,
    **{f"cpu{state}Delta": float for state in STATES},
    "availableCPUs": float,
    "utilizedCPUs": float,
    "recommendedMemory": int,
}


@pytest.fixture
def on_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in LAMBDA.items():
        monkeypatch.setenv(name, value)


def types(found: dict[str, Any], keys: dict[str, type]) -> dict[str, type]:
    return {key: type(found[key]) for key in keys if key in found}


@pytest.mark.usefixtures("on_lambda")
@pytest.mark.parametrize("method", KEYS)
def test_a_method_gives_saafs_keys_with_saafs_types(method: str) -> None:
    inspector = Inspector()
    found = getattr(inspector, method)() or inspector.finish()
    assert types(found, KEYS[method]) == KEYS[method]


@pytest.mark.usefixtures("on_lambda")
def test_all_together_give_every_key() -> None:
    inspector = Inspector()
    inspector.inspectAll()
    inspector.inspectAllDeltas()
    found = inspector.finish()
    every = {key: kind for keys in (*KEYS.values(), DELTAS) for key, kind in keys.items()}
    assert types(found, every) == every
    assert [key for key in found if key.startswith("SAAF")] == []


def test_an_answer_without_inspections_has_none_of_their_keys() -> None:
    inspected = {key for method, keys in KEYS.items() if method != "finish" for key in keys} | DELTAS.keys()
    assert inspected & Inspector().finish().keys() == set()


def test_nothing_that_the_inspector_tells_is_null() -> None:
    inspector = Inspector()
    inspector.inspectAll()
    inspector.inspectAllDeltas()
    found = json.loads(json.dumps(inspector.finish()))
    assert [key for key, value in found.items() if value is None or isinstance(value, bool)] == []


def test_parts_of_the_run_time_add_up() -> None:
    inspector = Inspector()
    inspector.inspectAll()
    inspector.inspectAllDeltas()
    found = inspector.finish()
    parts = sum(found[key] for key in ("frameworkRuntime", "userRuntime", "frameworkRuntimeDeltas"))
    assert 0 < parts <= found["runtime"] + 0.002


def test_cpu_times_are_the_kernels_in_milliseconds() -> None:
    def user_ms() -> float:
        return procfs.cpu_ticks(Path("/proc/stat").read_bytes())["user"] * TICK_MS

    inspector, before = Inspector(), user_ms()
    inspector.inspectCPU()
    end_ns = time.thread_time_ns() + 60_000_000
    while time.thread_time_ns() < end_ns:
        pass
    inspector.inspectCPUDelta()
    found = inspector.finish()
    assert before <= found["cpuUser"]
    # A tick may find the loop in the kernel, which it asks for the time.
    assert found["cpuUserDelta"] + found["cpuKernelDelta"] > 0
    assert found["cpuUserDelta"] <= user_ms() - before


def test_deltas_begin_at_the_first_poll() -> None:
    inspector = Inspector()
    inspector.pollCPUStats()
    inspector.pollCPUStats()
    inspector.inspectCPU()
    inspector.inspectCPUDelta()
    inspector.processCPUPolls()
    found = inspector.finish()
    first, last = found["cpuPolls"][0], found["cpuPolls"][-1]
    assert len(found["cpuPolls"]) == 4
    assert found["cpuUser"] == first["cpuTotal"]["cpuUser"]
    assert found["cpuUserDelta"] == last["cpuTotal"]["cpuUser"] - first["cpuTotal"]["cpuUser"]


def test_a_poll_has_every_processor_and_the_other_counters() -> None:
    inspector = Inspector()
    inspector.inspectCPU()
    inspector.processCPUPolls()
    found = inspector.finish()
    (poll,) = found["cpuPolls"]
    assert list(poll["cpu0"]) == [f"cpu{state}" for state in STATES]
    assert poll["btime"] == found["bootTime"]
    assert abs(poll["time"] - found["startTime"]) < 60_000
    assert {"ctxt", "processes", "intr"} <= poll.keys()


@pytest.mark.parametrize(
    ("call", "key"),
    [
        (Inspector.inspectCPUDelta, "SAAFCPUDeltaError"),
        (Inspector.inspectMemoryDelta, "SAAFMemoryDeltaError"),
        (Inspector.inspectAllDeltas, "SAAFRecommendConfigurationError"),
    ],
)
def test_a_delta_without_its_beginning_is_told_as_an_error(call: Callable[[Inspector], None], key: str) -> None:
    inspector = Inspector()
    call(inspector)
    assert "inspect" in inspector.finish()[key]


def test_an_attribute_is_given_back_and_is_in_the_answer() -> None:
    inspector = Inspector()
    inspector.addAttribute("rows", [1, {"a": None}])
    assert inspector.getAttribute("rows") == [1, {"a": None}]
    assert inspector.finish()["rows"] == [1, {"a": None}]


def test_what_was_measured_is_given_to_the_function_too() -> None:
    inspector = Inspector()
    inspector.inspectAll()
    assert inspector.getAttribute("uuid") == inspector.finish()["uuid"]


def test_an_attribute_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="nope"):
        Inspector().getAttribute("nope")


def test_a_variable_that_the_platform_does_not_set_is_none_to_the_function_and_absent_from_the_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "hello")
    monkeypatch.delenv("AWS_REGION", raising=False)
    inspector = Inspector()
    inspector.inspectPlatform()
    assert inspector.getAttribute("functionRegion") is None
    assert "functionRegion" not in inspector.finish()


def test_a_time_stamp_is_the_time_since_the_inspector_was_made() -> None:
    inspector = Inspector()
    inspector.addTimeStamp("first")
    inspector.addTimeStamp("second")
    found = inspector.finish()
    assert 0 <= found["first"] <= found["second"] <= found["runtime"]


def test_a_time_stamp_may_count_from_another_time() -> None:
    inspector = Inspector()
    inspector.addTimeStamp("since", inspector.getAttribute("startTime") - 5000)
    found = inspector.finish()
    assert 4999 <= found["since"] <= 5001 + found["runtime"]


def test_a_function_may_take_saafs_own_time_stamp_itself() -> None:
    inspector = Inspector()
    inspector.inspectCPU()
    inspector.addTimeStamp("frameworkRuntime")
    inspector.inspectAllDeltas()
    found = inspector.finish()
    assert 0 < found["frameworkRuntime"] + found["userRuntime"] <= found["runtime"]
    assert "result" not in found


def test_a_time_stamp_does_not_replace_one_that_was_taken() -> None:
    inspector = Inspector()
    inspector.inspectAll()
    taken = inspector.getAttribute("frameworkRuntime")
    inspector.addTimeStamp("frameworkRuntime")
    found = inspector.finish()
    assert (found["frameworkRuntime"], list(found["result"])) == (taken, ["frameworkRuntime"])


def test_the_older_spelling_is_there_when_the_deployment_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "ticks")
    inspector = Inspector()
    inspector.inspectAll()
    assert inspector.getAttribute("cpuUsr") * TICK_MS == inspector.getAttribute("cpuUser")
    inspector.inspectAllDeltas()
    found = inspector.finish()
    older = ("cpuUsr", "cpuNice", "cpuKrn", "cpuIdle", "cpuIowait", "cpuIrq", "cpuSoftIrq", "vmcpusteal")
    assert [type(found[f"{key}{suffix}"]) for key in older for suffix in ("", "Delta")] == [int] * 16
    assert (found["version"], found["vmuptime"]) == (0.5, found["bootTime"])
    assert found["contextSwitchesDelta"] >= 0


def test_an_inspector_in_a_call_does_not_take_itself_for_another_call() -> None:
    with Call() as call:
        inspector = Inspector()
        inspector.inspectAll()
        inspector.inspectAllDeltas()
        found = inspector.finish()
    assert {"cpu_shared", "thread_shared"} & call.profile.metrics.keys() == set()
    assert {"cpu_ms", "cpu_shared"} & found.keys() == set()
    assert found["thread_cpu_user_ms"] >= 0


STARTED = """
import sys
before = set(sys.modules)
from core.profiler.saaf import Inspector
inspector = Inspector()
inspector.inspectAll()
inspector.inspectAllDeltas()
inspector.finish()
print(*sorted(set(sys.modules) - before))
"""

HEAVY = ("msgspec", "typing", "datetime", "pathlib", "re", "threading", "dataclasses", "enum", "json", "subprocess")


def test_a_function_pays_for_no_heavy_import() -> None:
    # -S: what the environment's own .pth files import is not ours.
    command = [sys.executable, "-S", "-c", STARTED]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60, text=True, env=environment)
    loaded = done.stdout.split()
    assert "core.profiler.inspector" in loaded
    assert [module for module in loaded if module in HEAVY] == []
