"""The probe does what it says, no more than it may, and tells the truth about it."""

import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.message import LOCAL, Request
from core.runtime import handle

CPU = ("cpu_ms", "thread_cpu_ms", "process_cpu_ms", "children_cpu_ms")
MIB = 1 << 20
# Of the Python around the probe, and of a scheduler that is busy with others.
AROUND_MS = 3.0
# The process of a whole test run has threads of other tests' clients, which work now and then.
PROCESS_MS = 20.0


def asked(**parameters: Any) -> dict[str, Any]:
    body = msgspec.json.encode({"service": "probe", **parameters})
    answer: dict[str, Any] = msgspec.json.decode(handle(Request(body=body), LOCAL).body)
    return answer


def truth(**parameters: Any) -> dict[str, float]:
    found: dict[str, float] = asked(**parameters)["result"]["truth"]
    return found


def measured(answer: dict[str, Any], name: str) -> float:
    """A metric of the profile; the CPU time of user and system as one."""
    metrics = answer["profile"]["metrics"]
    if name == "cpu_ms" or not name.endswith("_cpu_ms"):
        return float(metrics[name])
    stem = name.removesuffix("_ms")
    return float(metrics[f"{stem}_user_ms"] + metrics[f"{stem}_system_ms"])


@pytest.fixture(autouse=True)
def warm() -> None:
    """What the first call imports is not what is measured."""
    asked(kind="idle")


@pytest.mark.parametrize("kind", ["burn", "sleep", "child", "idle"])
@pytest.mark.parametrize("name", CPU)
def test_the_profile_agrees_with_the_truth_about_the_cpu_time(kind: str, name: str) -> None:
    answer = asked(kind=kind)
    expected = answer["result"]["truth"][name]
    around_ms = AROUND_MS if name in ("thread_cpu_ms", "children_cpu_ms") else PROCESS_MS
    assert measured(answer, name) == pytest.approx(expected, rel=0.05, abs=around_ms)


def test_burning_uses_the_cpu_time_that_was_asked_for() -> None:
    assert truth(kind="burn", ms=40)["cpu_ms"] == pytest.approx(40, abs=AROUND_MS)


def test_the_profile_sees_what_other_threads_burn_and_whose_it_is() -> None:
    answer = asked(kind="burn", ms=40, threads=2)
    found = {name: measured(answer, name) for name in CPU[:3]}
    expected = {"cpu_ms": 80, "thread_cpu_ms": 40, "process_cpu_ms": 80}
    assert found == pytest.approx(expected, rel=0.05, abs=AROUND_MS)
    assert answer["result"]["truth"]["process_cpu_ms"] == pytest.approx(80, abs=AROUND_MS)


def test_what_other_threads_burn_stays_the_calls_own_beside_another_call() -> None:
    beside = threading.Thread(target=asked, kwargs={"kind": "burn", "ms": 100})
    beside.start()
    answer = asked(kind="burn", ms=40, threads=2)
    beside.join()
    assert answer["profile"]["metrics"]["cpu_shared"] is True
    assert measured(answer, "cpu_ms") == pytest.approx(answer["result"]["truth"]["cpu_ms"], rel=0.05, abs=AROUND_MS)


def test_sleeping_costs_next_to_nothing_for_as_long_as_it_was_asked() -> None:
    found = truth(kind="sleep", ms=30)
    assert (found["cpu_ms"] < AROUND_MS, found["duration_ms"] >= 30) == (True, True)


def test_a_child_burns_what_was_asked_for_and_its_start_besides() -> None:
    answer = asked(kind="child", ms=60)
    found = answer["result"]["truth"]
    assert found["children_cpu_ms"] >= 60
    assert found["cpu_ms"] == pytest.approx(found["children_cpu_ms"] + found["thread_cpu_ms"], abs=0.01)


def test_what_the_neighbour_burns_is_not_the_calls() -> None:
    answer = asked(kind="neighbour", ms=150)
    result = answer["result"]
    assert result["neighbour_cpu_ms"] > 10
    for name in ("thread_cpu_ms", "process_cpu_ms"):
        assert result["truth"][name] < AROUND_MS
        assert measured(answer, name) == pytest.approx(result["truth"][name], abs=AROUND_MS)
    assert measured(answer, "children_cpu_ms") == pytest.approx(result["truth"]["children_cpu_ms"], abs=AROUND_MS)


def test_the_machines_metrics_see_the_neighbour() -> None:
    answer = asked(kind="neighbour", ms=500)
    machine_ms = sum(answer["profile"]["metrics"][f"vm_cpu_{state}_ms"] for state in ("user", "nice", "system"))
    # Two ticks may be missing at either end of each of the neighbour's turns on a processor.
    assert machine_ms >= answer["result"]["neighbour_cpu_ms"] / 2


def test_the_neighbour_has_ended_when_the_call_has() -> None:
    before = descendants()
    asked(kind="neighbour", ms=20)
    assert descendants() == before


def descendants() -> list[str]:
    """Command lines of the processes that run a probe's code."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                found.append((entry / "cmdline").read_text())
            except OSError:
                continue
    return [line for line in found if "process_time_ns" in line and "-I" in line]


# A process that inherits orphans, as the first of a container does, sees the neighbour become its child.
ADOPTING = """
import ctypes, msgspec
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
from core.message import LOCAL, Request
from core.runtime import handle
request = Request(body=b'{"service": "probe", "kind": "neighbour", "ms": 150}')
handle(request, LOCAL)
print(handle(request, LOCAL).body.decode())
import os
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child is left")
"""


def test_a_neighbour_that_is_adopted_is_waited_for_and_told_as_a_child() -> None:
    finished = subprocess.run([sys.executable, "-c", ADOPTING], capture_output=True, text=True, check=True)
    body, left = finished.stdout.splitlines()
    answer = msgspec.json.decode(body)
    found = answer["result"]
    assert found["truth"]["children_cpu_ms"] > found["neighbour_cpu_ms"]
    assert measured(answer, "children_cpu_ms") == pytest.approx(found["truth"]["children_cpu_ms"], abs=AROUND_MS)
    assert left == "no child is left"


def test_held_memory_is_touched_and_given_back() -> None:
    asked(kind="hold", mib=48)
    answer = asked(kind="hold", mib=48)
    metrics, found = answer["profile"]["metrics"], answer["result"]["truth"]
    pages = 48 * MIB / os.sysconf("SC_PAGE_SIZE")
    assert found["page_faults_minor"] == pages
    assert metrics["page_faults_minor"] == pytest.approx(pages, rel=0.05)
    assert metrics["peak_rss_mib"] == pytest.approx(found["peak_rss_mib"], abs=2)
    assert abs(metrics["rss_growth_mib"]) < 4


def test_a_file_is_written_and_read_in_full() -> None:
    answer = asked(kind="file", mib=3)
    metrics, found = answer["profile"]["metrics"], answer["result"]["truth"]
    for name in ("syscall_read_bytes", "syscall_write_bytes"):
        assert found[name] == 3 * MIB
        assert metrics[name] == pytest.approx(3 * MIB, rel=0.05)


def test_what_reached_the_disk_is_told_only_where_a_disk_is_below(tmp_path: Path) -> None:
    on_disk = os.major(tmp_path.stat().st_dev) != 0
    found = in_folder(tmp_path, kind="file", mib=1)["result"]["truth"]
    assert ("disk_write_bytes" in found) is on_disk


def test_a_folder_in_memory_is_not_taken_for_a_disk() -> None:
    folder = Path("/dev/shm")
    found = in_folder(folder, kind="file", mib=1)["result"]["truth"]
    assert [name for name in found if name.startswith("disk_")] == []


def in_folder(folder: Path, **parameters: Any) -> dict[str, Any]:
    """The answer of a process of its own, whose temporary folder this is."""
    body = msgspec.json.encode({"service": "probe", **parameters})
    program = f"""
from core.message import LOCAL, Request
from core.runtime import handle
print(handle(Request(body={body!r}), LOCAL).body.decode())
"""
    environment = {**os.environ, "TMPDIR": str(folder)}
    finished = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=True)
    answer: dict[str, Any] = msgspec.json.decode(finished.stdout)
    return answer


LIMITED = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
from core.message import LOCAL, Request
from core.runtime import handle
print(handle(Request(body=b'{"service": "probe", "kind": "file", "mib": 2}'), LOCAL).body.decode())
"""


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    finished = subprocess.run([sys.executable, "-c", LIMITED], env=environment, capture_output=True, check=True)
    answer = msgspec.json.decode(finished.stdout)
    assert (answer["status"], "File too large" in answer["error"]["detail"]) == (502, True)
    assert list(tmp_path.iterdir()) == []


def test_a_temporary_folder_that_is_missing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    answer = asked(kind="file")
    assert (answer["status"], "/nowhere" in answer["error"]["detail"]) == (502, True)


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    answer = asked(kind="child", ms=1)
    assert (answer["status"], "no process can be started" in answer["error"]["detail"]) == (500, True)


@pytest.mark.parametrize(
    ("parameters", "path"),
    [
        ({}, "$"),
        ({"kind": "dig"}, "$.kind"),
        ({"kind": "burn", "ms": 2001}, "$.ms"),
        ({"kind": "sleep", "ms": 0}, "$.ms"),
        ({"kind": "sleep", "ms": 1.5}, "$.ms"),
        ({"kind": "neighbour", "ms": 10**9}, "$.ms"),
        ({"kind": "hold", "mib": 65}, "$.mib"),
        ({"kind": "file", "mib": -1}, "$.mib"),
        ({"kind": "burn", "threads": 5}, "$.threads"),
        ({"kind": "burn", "threads": 0}, "$.threads"),
        ({"kind": "hold", "ms": 5}, "$.ms"),
        ({"kind": "burn", "mib": 5}, "$.mib"),
        ({"kind": "sleep", "threads": 2}, "$.threads"),
        ({"kind": "idle", "ms": 5}, "$.ms"),
    ],
)
def test_more_than_is_allowed_is_refused_with_its_path(parameters: dict[str, Any], path: str) -> None:
    answer = asked(**parameters)
    assert (answer["status"], answer["error"]["errors"][0]["path"]) == (400, path)


def test_nothing_of_the_request_names_a_file_a_host_or_a_program() -> None:
    answer = asked(kind="file", folder="/etc")
    assert (answer["status"], "unknown field `folder`" in answer["error"]["detail"]) == (400, True)
