"""Each defect of SAAF's Python Inspector 0.7 that was found, as what the Inspector here does instead."""

import importlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from adapters import PROVIDERS
from adapters.base import Runtime
from adapters.connection import Connection
from adapters.lab.instance import run
from core.message import Request
from core.profiler import machine, platforms
from core.profiler.saaf import Inspector, answer

ROOT = Path(__file__).parents[1]


def inspected(body: Callable[[], None] = lambda: None) -> dict[str, Any]:
    """The answer of a function that does this between its inspections."""
    inspector = Inspector()
    inspector.inspectAll()
    body()
    inspector.inspectAllDeltas()
    return inspector.finish()


def burn(cpu_ms: float) -> None:
    """Use this much of this thread's CPU time."""
    end_ns = time.thread_time_ns() + cpu_ms * 1e6
    while time.thread_time_ns() < end_ns:
        pass


def answered(script: str, **environment: str) -> Any:
    """What a script prints as JSON in a fresh process."""
    command = [sys.executable, "-c", script]
    variables = {**os.environ, **environment}
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60, env=variables)
    return msgspec.json.decode(done.stdout)


WATCHED = """
import json, sys
seen = []
FORKS = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen")
def watch(event, args):
    if event in FORKS:
        seen.append(event)
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"{event} {args[0]}")
sys.addaudithook(watch)
sys.dont_write_bytecode = True
from core.profiler.saaf import Inspector
for _ in range(2):
    inspector = Inspector()
    inspector.inspectAll()
    inspector.pollCPUStats()
    inspector.processCPUPolls()
    inspector.inspectAllDeltas()
    inspector.finish()
print(json.dumps(seen))
"""


def test_no_call_forks_or_leaves_a_file() -> None:
    assert answered(WATCHED, AWS_LAMBDA_FUNCTION_NAME="hello", AWS_LAMBDA_FUNCTION_MEMORY_SIZE="512") == []


NEIGHBOUR = """
import sys, time
sys.stdin.readline()
while time.process_time() < 0.4:
    pass
print("done", flush=True)
sys.stdin.readline()
"""


def test_a_neighbours_cpu_is_the_machines_and_not_the_calls() -> None:
    command = [sys.executable, "-c", NEIGHBOUR]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as neighbour:
        assert neighbour.stdin is not None
        assert neighbour.stdout is not None
        pipe_in, pipe_out = neighbour.stdin, neighbour.stdout

        def wait() -> None:
            pipe_in.write("go\n")
            pipe_in.flush()
            assert pipe_out.readline() == "done\n"

        began_ns = time.process_time_ns()
        found = inspected(wait)
        own_ms = (time.process_time_ns() - began_ns) / 1e6
    assert found["cpuUserDelta"] + found["cpuKernelDelta"] > 300
    assert found["cpu_ms"] <= own_ms < 100


def test_cpu_time_is_finer_than_a_clock_tick() -> None:
    found = inspected(lambda: burn(3))
    assert 3 <= found["thread_cpu_user_ms"] + found["thread_cpu_system_ms"] < 5


def test_a_step_of_the_clock_is_in_no_duration(monkeypatch: pytest.MonkeyPatch) -> None:
    def step_back() -> None:
        monkeypatch.setattr(time, "time_ns", lambda: now_ns - 2_000_000_000)
        monkeypatch.setattr(time, "time", lambda: now_ns / 1e9 - 2)

    now_ns = time.time_ns()
    found = inspected(step_back)
    durations = [found[key] for key in ("runtime", "userRuntime", "frameworkRuntime", "frameworkRuntimeDeltas")]
    assert [each for each in durations if not 0 < each < 1000] == []
    assert found["startTime"] <= found["endTime"] < found["startTime"] + 1000


def test_a_call_that_took_no_time_is_divided_by_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    still_ns = time.perf_counter_ns()
    monkeypatch.setattr(time, "perf_counter_ns", lambda: still_ns)
    found = inspected()
    assert found["userRuntime"] == 0
    assert {"utilizedCPUs", "SAAFRecommendConfigurationError"} & found.keys() == set()


def test_overlapping_calls_are_told_apart() -> None:
    both = threading.Barrier(2)
    found: dict[int, tuple[float, dict[str, Any]]] = {}

    def call(cpu_ms: int) -> None:
        inspector = Inspector()
        inspector.inspectAll()
        began_ns = time.thread_time_ns()
        both.wait()
        burn(cpu_ms)
        inspector.inspectAllDeltas()
        used_ms = (time.thread_time_ns() - began_ns) / 1e6
        both.wait()
        found[cpu_ms] = used_ms, inspector.finish()

    threads = [threading.Thread(target=call, args=(cpu_ms,)) for cpu_ms in (30, 120)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(view["cpu_shared"], view["thread_shared"]) for _, view in found.values()] == [(1, 0), (1, 0)]
    assert [cpu_ms <= view["cpu_ms"] <= used_ms for cpu_ms, (used_ms, view) in found.items()] == [True, True]


SECOND = """
import json
from core.profiler.saaf import Inspector
found = []
for _ in range(2):
    inspector = Inspector()
    inspector.inspectContainer()
    found.append(inspector.finish())
print(json.dumps([[each["newcontainer"], each["invocations"], each["uuid"]] for each in found]))
"""


def test_a_second_process_on_the_same_temporary_folder_is_a_new_container(tmp_path: Path) -> None:
    first, second = (answered(SECOND, TMPDIR=str(tmp_path)) for _ in range(2))
    assert [[call[:2] for call in each] for each in (first, second)] == [[[1, 1], [0, 2]]] * 2
    assert len({call[2] for each in (first, second) for call in each}) == 2


@pytest.mark.parametrize(
    ("environment", "platform"),
    [
        ({"CONTAINER_NAME": "web-1"}, "Unknown Platform"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "KUBERNETES_SERVICE_PORT_HTTPS": "443"}, "Kubernetes"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "CONTAINER_NAME": "web-1"}, "Kubernetes"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "fprocess": "python index.py"}, "OpenFaaS"),
        ({"FUNCTIONS_WORKER_RUNTIME": "python", "CONTAINER_NAME": "c"}, "Azure Functions"),
        ({"K_SERVICE": "hello", "FUNCTION_TARGET": "main"}, "Google Cloud Functions"),
        ({"K_SERVICE": "any-knative-service"}, "Unknown Platform"),
        ({"X_GOOGLE_FUNCTION_NAME": "hello"}, "Google Cloud Functions"),
        ({"K_SERVICE": "hello", "CE_FUNCTION": "hello", "FUNCTION_TARGET": "main"}, "IBM Code Engine"),
        ({"__OW_ACTION_NAME": "/guest/hello"}, "Apache OpenWhisk"),
        ({"AWS_LAMBDA_FUNCTION_NAME": "hello", "CONTAINER_NAME": "c"}, "AWS Lambda"),
        ({}, "Unknown Platform"),
    ],
)
def test_a_platform_is_told_by_what_only_it_sets(environment: dict[str, str], platform: str) -> None:
    assert platforms.place(environment)["platform"] == platform


def test_a_failing_call_keeps_its_metrics_in_a_with() -> None:
    def fail() -> dict[str, Any]:
        with Inspector() as inspector:
            inspector.inspectAll()
            kept.append(inspector)
            raise KeyError("secret")

    kept: list[Inspector] = []
    with pytest.raises(KeyError):
        fail()
    found = kept[0].finish()
    assert (found["error"], found["version"]) == ("KeyError", 0.7)
    assert {"cpu_ms", "runtime", "cpuType", "frameworkRuntime"} <= found.keys()


def test_a_failing_function_that_nobody_changed_keeps_its_metrics(caplog: pytest.LogCaptureFixture) -> None:
    def function(request: dict[str, str], _context: None) -> dict[str, Any]:
        inspector = Inspector()
        inspector.inspectAll()
        inspector.addAttribute("message", f"Hello {request['name']}!")
        inspector.inspectAllDeltas()
        return inspector.finish()

    assert answer(function, {"name": "Bob"}, None)["message"] == "Hello Bob!"
    found = answer(function, {}, None)
    assert (found["error"], found["version"]) == ("KeyError", 0.7)
    assert {"cpu_ms", "userRuntime", "cpuUserDelta"} <= found.keys()
    assert [(record.name, record.exc_info is not None) for record in caplog.records] == [("polyfaas.profiler", True)]


def test_a_functions_value_does_not_replace_what_was_measured() -> None:
    inspector = Inspector()
    inspector.inspectContainer()
    for key in ("uuid", "runtime", "cpu_ms", "message"):
        inspector.addAttribute(key, "mine")
    assert inspector.getAttribute("uuid") == "mine"
    found = inspector.finish()
    assert found["result"] == {"uuid": "mine", "runtime": "mine", "cpu_ms": "mine"}
    assert found["message"] == "mine"
    assert len(found["uuid"]) == 32
    assert found["runtime"] > 0


X86 = "processor\t: 0\nvendor_id\t: GenuineIntel\nmodel\t\t: 63\nmodel name\t: Intel(R) Xeon(R)\nflags\t\t: fpu vme\n"
ARM = "processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU revision\t: 1\n"
BOARD = f"{ARM}\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 4\n"
S390 = "vendor_id       : IBM/S390\n# processors    : 2\nprocessor 0: version = FF\nprocessor 1: version = FF\n"
POWER = "processor\t: 0\ncpu\t\t: POWER9\n\nprocessor\t: 1\ncpu\t\t: POWER9\n\ntimebase\t: 512000000\n"


@pytest.mark.parametrize(
    ("text", "kernel", "told"),
    [
        (f"{X86}power management:\n\n", "x86_64", ("Intel(R) Xeon(R)", "63", 1, "x86")),
        (X86, "x86_64", ("Intel(R) Xeon(R)", "63", 1, "x86")),
        (f"{ARM}\n{ARM}", "aarch64", (None, None, 2, "arm64")),
        (BOARD, "aarch64", (None, "Raspberry Pi 4", 1, "arm64")),
        (POWER, "ppc64le", (None, None, 2, "ppc64le")),
        (S390, "s390x", (None, None, 2, "s390x")),
        ("", "x86_64", (None, None, None, "x86")),
        ("no colon here\n\n:\n", "riscv64", (None, None, None, "riscv64")),
    ],
)
def test_an_odd_cpuinfo_breaks_nothing(text: str, kernel: str, told: tuple[object, ...]) -> None:
    found = machine.processors(text, kernel)
    assert tuple(found[key] for key in ("cpuType", "cpuModel", "cpuCores", "architecture")) == told


def test_major_page_faults_are_told() -> None:
    found = inspected()
    assert type(found["majorPageFaults"]) is int
    assert found["majorPageFaultsDelta"] >= 0


APP = """
import os
import azure.functions as func
from adapters.azure import events
from core.runtime import handle
from tests.test_saaf_runner import SERVICES

app = func.FunctionApp()

@app.route(route=events.ROUTE)
def polyfaas(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    response = handle(events.request(req), events.context(os.environ, context.invocation_id), SERVICES)
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)
"""


def test_azures_answer_is_json_also_for_none_true_and_an_apostrophe(tmp_path: Path) -> None:
    odd = {"none": None, "true": True, "text": 'it\'s "quoted"'}
    runtime = cast("Runtime", importlib.import_module(PROVIDERS["azure"].runtime))
    launch = runtime.launch(tmp_path)
    (tmp_path / "app" / "function_app.py").write_text(APP)
    body = msgspec.json.encode({"answer": odd})
    with run(PROVIDERS["azure"], launch, tmp_path) as instance:
        connection = Connection(int(instance.url.rpartition(":")[2]))
        reply = connection.exchange(Request(path="/api/echo", body=body))
        connection.close()
    assert msgspec.json.decode(reply.response.body)["result"] == odd
