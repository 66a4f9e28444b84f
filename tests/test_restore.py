"""A restored instance is told from one whose clock was set, by clocks and by the platform's word."""

import json
import os
import subprocess
import sys

import pytest
from snapshot_restore_py import get_after_restore  # type: ignore[import-untyped]  # AWS ships no types

from core.profiler import restore as module
from core.profiler.restore import INITIALIZATION, Restore
from tests import services

S = 1_000_000_000


class Clocks:
    """Clocks that a test sets: seconds of the wall clock, of the boot clock, and the process's start in ticks."""

    def __init__(self) -> None:
        self.wall, self.boot, self.ticks = 1_800_000_000.0, 5_000.0, 12_345
        self.waits: list[float] = []

    def realtime_ns(self) -> int:
        found = int(self.wall * S)
        if self.waits:  # the process has to wait before it can read the next clock
            self.passes(self.waits.pop(0))
        return found

    def boottime_ns(self) -> int:
        return int(self.boot * S)

    def started_ticks(self) -> int | None:
        return self.ticks

    def passes(self, seconds: float) -> None:
        self.wall, self.boot = self.wall + seconds, self.boot + seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    monkeypatch.delenv(INITIALIZATION, raising=False)
    return Clocks()


def test_time_that_goes_by_is_no_restore(clocks: Clocks) -> None:
    restore = Restore(clocks)
    clocks.passes(86_400)
    assert restore.check() is False


def test_a_wall_clock_that_went_on_alone_is_a_restore_once(clocks: Clocks) -> None:
    restore = Restore(clocks)
    clocks.wall += 3_600
    assert (restore.check(), restore.gap_ms, restore.check()) == (True, 3_600_000.0, False)


def test_a_second_restore_is_seen_too(clocks: Clocks) -> None:
    restore = Restore(clocks)
    clocks.wall += 60
    first = restore.check()
    clocks.passes(10)
    clocks.wall += 30
    assert (first, restore.check(), restore.gap_ms) == (True, True, 30_000.0)


@pytest.mark.parametrize("step", [-3_600, -1, 0.3, 1])
def test_a_step_back_a_small_step_and_a_leap_second_are_no_restore(clocks: Clocks, step: float) -> None:
    restore = Restore(clocks)
    clocks.wall += step
    assert restore.check() is False


def test_small_steps_do_not_add_up(clocks: Clocks) -> None:
    restore = Restore(clocks)
    found = []
    for _ in range(10):
        clocks.wall += 0.6
        found.append(restore.check())
    assert found == [False] * 10


def test_a_process_that_waited_between_two_clocks_was_not_restored(clocks: Clocks) -> None:
    clocks.waits = [5.0]
    restore = Restore(clocks)
    clocks.waits = [7.0, 6.0]
    assert (restore.check(), restore.check()) == (False, False)


@pytest.mark.parametrize("kind", ["on-demand", "provisioned-concurrency"])
def test_where_aws_says_there_is_no_snapshot_a_step_ahead_is_none(
    clocks: Clocks, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INITIALIZATION, kind)
    restore = Restore(clocks)
    clocks.wall += 3_600
    assert restore.check() is False


def test_a_process_that_began_anew_was_restored_whatever_the_platform_says(
    clocks: Clocks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(INITIALIZATION, "on-demand")
    restore = Restore(clocks)
    clocks.wall, clocks.ticks = clocks.wall + 3_600, 99_999
    assert restore.check() is True


def test_the_platform_s_word_needs_no_clock_and_its_later_correction_is_no_second_restore(clocks: Clocks) -> None:
    restore = Restore(clocks)
    restore.said()
    first = restore.check()
    clocks.wall += 3_600
    assert (first, restore.gap_ms, restore.check()) == (True, 0.0, False)


def test_a_child_begins_with_its_own_clocks(clocks: Clocks) -> None:
    restore = Restore(clocks)
    clocks.wall, clocks.ticks = clocks.wall + 3_600, 99_999
    restore.renew()
    assert restore.check() is False


# Has a running process's clocks go on as CRIU does: in a time namespace of its own that is 100 s behind the machine's.
RESTORED = """
import ctypes, json, os
from core.profiler.restore import restore
before = restore.check()
libc, time = ctypes.CDLL(None, use_errno=True), 0x80
def do(result):
    if result:
        raise SystemExit("cannot: " + os.strerror(ctypes.get_errno()))
do(libc.unshare(time))
with open("/proc/self/timens_offsets", "w") as file:
    file.write("monotonic -100 0\\nboottime -100 0")
own = os.open("/proc/self/ns/time_for_children", os.O_RDONLY)
do(libc.setns(own, time))
print(json.dumps([before, restore.check(), restore.gap_ms, restore.check()]))
"""


def test_a_process_in_a_time_namespace_as_criu_restores_it_is_told_so_by_the_kernel_s_own_clocks() -> None:
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), INITIALIZATION: "on-demand"}
    command = [sys.executable, "-c", RESTORED]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if "cannot:" in done.stderr or "PermissionError" in done.stderr:
        services.left_out("time namespace", f"none can be made here, run the tests as root: {done.stderr[-200:]}")
    before, restored, gap_ms, after = json.loads(done.stdout)
    assert (before, restored, round(gap_ms / 1000), after) == (False, True, 100, False)


def test_snap_start_s_own_hook_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters.aws.snapshot import hooked

    monkeypatch.setenv(INITIALIZATION, "snap-start")
    hooked()
    function, arguments, named = get_after_restore().pop()
    function(*arguments, **named)
    found = (module.restore.check(), module.restore.check())
    module.restore.renew()  # this process goes on
    assert found == (True, False)


def test_other_instances_of_lambda_register_no_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    from adapters.aws.snapshot import hooked

    monkeypatch.setenv(INITIALIZATION, "on-demand")
    before = len(get_after_restore())
    hooked()
    assert len(get_after_restore()) == before
