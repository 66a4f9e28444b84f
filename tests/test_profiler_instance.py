"""What an instance is: cold once, its own after a fork, light to import, and it never forks itself."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.profiler import Call
from core.profiler.files import ProcFile, ProcFiles
from core.profiler.flights import Flight
from core.profiler.instance import Instance


def answer(script: str) -> Any:
    """What a script prints as JSON in a fresh instance."""
    done = subprocess.run([sys.executable, "-c", script], stdout=subprocess.PIPE, check=True, timeout=60)
    return msgspec.json.decode(done.stdout)


TWO_CALLS = """
import json
from core.profiler import Call
calls = []
for _ in range(2):
    with Call() as call:
        pass
    calls.append(call.profile)
print(json.dumps([[p.cold, p.invocation] for p in calls]))
"""

FORKED = """
import json, os
from core.profiler import Call
with Call() as call:
    b"x" * (64 << 20)  # a peak that is the parent's alone
if os.fork() == 0:
    with Call() as child:
        pass
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    peak = int(status["VmHWM"].split()[0]) / 1024
    own = abs(child.profile.metrics["peak_rss_mib"] - peak) < 8
    same = child.profile.instance_id == call.profile.instance_id
    print(json.dumps([child.profile.cold, child.profile.invocation, same, own]), flush=True)
    os._exit(0)
os.wait()
"""

WATCHED = """
import json, sys
import msgspec
from core.message import Context
seen = []
FORKS = ("os.fork", "os.forkpty", "os.exec", "os.posix_spawn", "os.spawn", "os.system", "subprocess.Popen")
sys.addaudithook(lambda event, args: event in FORKS and seen.append(event))
from core.profiler import Call, saaf, span
for _ in range(3):
    with Call() as call, span("read"):
        pass
    saaf.flat(call.profile, Context(platform="local"), msgspec.Raw(b"{}"))
print(json.dumps(seen))
"""

IMPORTED = """
import sys
before = set(sys.modules)
from core.profiler import Call, span
with Call(), span("read"):
    pass
print("[" + ",".join(f'"{name}"' for name in set(sys.modules) - before) + "]")
"""


def test_only_the_first_call_of_an_instance_is_cold() -> None:
    assert answer(TWO_CALLS) == [[True, 1], [False, 2]]


def test_a_forked_child_is_an_instance_of_its_own_and_reads_its_own_files() -> None:
    assert answer(FORKED) == [True, 1, False, True]


def test_a_call_and_its_flat_view_start_no_process() -> None:
    assert answer(WATCHED) == []


def test_the_profiler_brings_in_little_beside_itself_not_even_for_a_call() -> None:
    others = {name for name in answer(IMPORTED) if name != "core" and not name.startswith("core.profiler")}
    assert others <= {"__future__", "_contextvars", "_thread", "contextvars", "gc", "resource", "time"}


def test_a_scope_that_there_is_not_is_told_and_all_are_read(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("POLYFAAS_PROFILE", "proc")
    assert Instance().scope == "vm"
    assert caplog.messages == ["POLYFAAS_PROFILE is 'proc': use process or vm; all scopes are read"]
    monkeypatch.setenv("POLYFAAS_PROFILE", "process")
    assert Instance().scope == "process"


def test_a_call_of_a_scope_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="the scope is 'thread': use process or vm"):
        Call("thread")  # type: ignore[arg-type]  # that is the mistake


def test_two_instances_have_different_ids() -> None:
    assert Instance().id != Instance().id


def test_an_instance_id_is_32_hexadecimal_digits() -> None:
    found = Instance().id
    assert (len(found), int(found, 16) > 0) == (32, True)


def test_a_file_that_cannot_be_read_is_empty() -> None:
    assert ProcFile("/proc/no such file", 512).read() == b""


def test_a_file_is_read_again_from_its_start() -> None:
    file = ProcFile("/proc/self/status", 512)
    assert (file.read()[:5], file.read()[:5]) == (b"Name:", b"Name:")
    file.close()


def test_a_file_of_several_pages_is_read_until_it_says_what_is_wanted() -> None:
    file = ProcFile("/proc/self/status", 64, until=b"\nThreads:")
    assert b"\nThreads:" in file.read()


def test_a_file_says_why_it_cannot_be_read(tmp_path: Path) -> None:
    missing, empty = ProcFile("/proc/no such file", 512), ProcFile(str(tmp_path / "empty"), 512)
    (tmp_path / "empty").touch()
    assert (missing.read(), empty.read()) == (b"", b"")
    assert (missing.reason, empty.reason) == (
        "/proc/no such file: No such file or directory",
        f"{tmp_path / 'empty'} is empty",
    )


def test_a_descriptor_that_somebody_closed_is_opened_again() -> None:
    file = ProcFile("/proc/self/status", 512)
    together = ProcFiles([file, ProcFile("/proc/self/stat", 1024)])
    assert together.read()[0].startswith(b"Name:")
    steady = file.steady(b"")
    assert steady is not None
    os.close(steady[0])
    assert (together.read()[0][:5], file.read()[:5]) == (b"Name:", b"Name:")


def test_files_that_are_read_together_say_the_same_as_one_by_one(tmp_path: Path) -> None:
    paths = [tmp_path / "first", tmp_path / "second"]
    for path in paths:
        path.write_bytes(b"1\n")
    files = ProcFiles([ProcFile(str(path), 512) for path in paths])
    for text in (b"2\n", b"33\n", b"", b"4\n"):
        paths[0].write_bytes(text)
        assert files.read() == [text, b"1\n"]
    paths[1].write_bytes(b"x" * 600)  # more than a page: what is read is a page, as one by one
    assert files.read()[1] == b"x" * 512


def test_files_of_which_one_is_missing_are_read_all_the_same(tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_bytes(b"1\n")
    files = ProcFiles([ProcFile(str(tmp_path / "none"), 512), ProcFile(str(there), 512)])
    assert [files.read(), files.read()] == [[b"", b"1\n"]] * 2


def shared(*flights: Flight) -> list[tuple[bool, bool]]:
    return [(flight.shared, flight.thread_shared) for flight in flights]


def test_calls_that_follow_each_other_share_nothing() -> None:
    instance = Instance()
    first = instance.begin(1)
    instance.end(first)
    second = instance.begin(1)
    assert shared(first, second) == [(False, False), (False, False)]


def test_a_call_that_began_during_another_shares_with_it() -> None:
    instance = Instance()
    assert shared(instance.begin(1), instance.begin(2)) == [(True, False), (True, False)]


def test_calls_in_one_thread_share_the_thread_and_others_do_not() -> None:
    instance = Instance()
    first, other, second = instance.begin(1), instance.begin(2), instance.begin(1)
    assert shared(first, other, second) == [(True, True), (True, False), (True, True)]


def test_a_call_that_steps_its_coroutine_shares_no_thread() -> None:
    instance = Instance()
    flights = [instance.begin(1, stepped=True), instance.begin(1, stepped=True), instance.begin(1)]
    assert shared(*flights) == [(True, False), (True, False), (True, True)]


def test_a_restored_instance_is_a_new_one_and_its_next_call_says_so() -> None:
    instance = Instance()
    instance.end(instance.begin(1))
    before = instance.id
    instance.restored(5.5)
    first, second = instance.begin(1), instance.begin(2)
    assert (instance.id != before, first.invocation, first.snapshot_age_ms, second.snapshot_age_ms) == (
        True,
        1,
        5.5,
        None,
    )
