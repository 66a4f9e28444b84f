"""What an instance is: cold once, its own after a fork, light to import, and it never forks itself."""

import subprocess
import sys
from typing import Any

import msgspec

from core.profiler.instance import Instance, ProcFile


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
import importlib.util, json, sys
import msgspec
# The package without what its own __init__ imports, which is the whole library.
sys.modules["core"] = importlib.util.module_from_spec(importlib.util.find_spec("core"))
before = set(sys.modules)
import core.profiler
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_only_the_first_call_of_an_instance_is_cold() -> None:
    assert answer(TWO_CALLS) == [[True, 1], [False, 2]]


def test_a_forked_child_is_an_instance_of_its_own_and_reads_its_own_files() -> None:
    assert answer(FORKED) == [True, 1, False, True]


def test_a_call_and_its_flat_view_start_no_process() -> None:
    assert answer(WATCHED) == []


def test_importing_the_profiler_brings_in_little_beside_itself() -> None:
    others = {name for name in answer(IMPORTED) if not name.startswith("core.")}
    assert others <= {"_contextvars", "contextvars", "resource", "threading", "_weakrefset"}


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


def test_calls_that_follow_each_other_share_nothing() -> None:
    instance = Instance()
    instance.end(instance.begin())
    assert instance.end(instance.begin()) is False


def test_a_call_that_began_during_another_shares_with_it() -> None:
    instance = Instance()
    first, second = instance.begin(), instance.begin()
    assert [instance.end(second), instance.end(first)] == [True, True]
