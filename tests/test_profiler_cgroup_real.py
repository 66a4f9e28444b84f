"""A real cgroup: the kernel throttles a process for its quota, and the reader says so."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests import services

# Enters the folders named on its command line, burns 100 ms of CPU, and prints what the reader says before and after.
BURNT = """
import json, os, sys, time
for folder in sys.argv[1:]:
    with open(folder + "/cgroup.procs", "w") as file:
        file.write(str(os.getpid()))
from core.profiler.cgroup import growth, own
group = own()
before = group.counters()
end = time.process_time() + 0.1
while time.process_time() < end:
    pass
print(json.dumps([growth(before, group.counters()), group.gauges(), group.cpus()]))
"""
NAME = f"polyfaas-test-{os.getpid()}"


@pytest.fixture
def limited() -> Iterator[list[Path]]:
    """Folders of a real cgroup that may use a tenth of a CPU and 256 MiB; of version 1, else of version 2.

    A busy machine leaves more than a tenth of a CPU to it: the quota is what it waits for.
    """
    made: list[Path] = []
    try:
        yield _version_1(made) if Path("/sys/fs/cgroup/memory").is_dir() else _version_2(made)
    except OSError as error:
        services.left_out("cgroup", f"no cgroup can be made here, run the tests as root: {error}")
    finally:
        for folder in reversed(made):
            folder.rmdir()


def _version_1(made: list[Path]) -> list[Path]:
    # cpu and cpuacct are one folder by two names on most machines.
    for controller in ("cpu", "cpuacct", "memory"):
        folder = Path("/sys/fs/cgroup", controller, NAME)
        if not folder.exists():
            folder.mkdir()
            made.append(folder)
    Path("/sys/fs/cgroup/cpu", NAME, "cpu.cfs_quota_us").write_text("10000")
    Path("/sys/fs/cgroup/memory", NAME, "memory.limit_in_bytes").write_text(str(256 << 20))
    return made


def _version_2(made: list[Path]) -> list[Path]:
    Path("/sys/fs/cgroup/cgroup.subtree_control").write_text("+cpu +memory")
    folder = Path("/sys/fs/cgroup", NAME)
    folder.mkdir()
    made.append(folder)
    (folder / "cpu.max").write_text("10000 100000")
    (folder / "memory.max").write_text(str(256 << 20))
    return made


def test_a_real_cgroup_with_a_quota_says_that_it_was_throttled(limited: list[Path]) -> None:
    command = [sys.executable, "-c", BURNT, *map(str, limited)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60)
    grown, gauges, cpus = msgspec.json.decode(done.stdout)
    # At 10 ms in each period of 100 ms; the reader's own work is in it.
    assert 100 <= grown["cgroup_cpu_ms"] <= 150
    assert grown["cgroup_throttled_ms"] > 100
    assert grown["cgroup_throttled_periods"] >= 4
    assert gauges["cgroup_memory_limit_mib"] == 256.0
    assert 0 < gauges["cgroup_memory_mib"] <= gauges["cgroup_memory_peak_mib"] <= 256
    assert cpus == 0.1
