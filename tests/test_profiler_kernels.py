"""What kernels of many kinds have said, recorded in tests/kernels; the expectations were read off the texts by eye."""

from pathlib import Path
from typing import NamedTuple

import pytest

from core.profiler import procfs
from core.profiler.cgroup import Cgroup
from core.profiler.cgroup_files import locate

KERNELS = Path(__file__).parent / "kernels"


def said(kernel: str, file: str) -> bytes:
    return (KERNELS / kernel / file).read_bytes()


def reader(kernel: str) -> Cgroup:
    """The reader on a recorded machine: its mount points are moved to where the recording is."""
    folder = str(KERNELS / kernel).replace("\\", r"\134").replace(" ", r"\040").encode()
    mountinfo = said(kernel, "proc/self/mountinfo").replace(b" /sys/fs/cgroup", b" " + folder + b"/sys/fs/cgroup")
    return Cgroup(locate(said(kernel, "proc/self/cgroup"), mountinfo))


class Group(NamedTuple):
    """What a cgroup says: counters, gauges in MiB, CPUs."""

    counters: dict[str, int]
    memory_mib: float
    peak_mib: float | None
    limit_mib: float | None
    cpus: float | None


GROUPS = {
    # The slice above allows less memory than the scope does, and more CPU.
    "linux-6.1-x86-v2": Group(
        {
            "usage_us": 6995404,
            "throttled_us": 21532275,
            "throttled_periods": 279,
            "periods": 279,
            "oom_kills": 1,
        },
        2.730,
        128.242,
        128.0,
        0.25,
    ),
    "linux-6.1-arm64-v2": Group(
        {
            "usage_us": 7616501,
            "throttled_us": 23732798,
            "throttled_periods": 304,
            "periods": 304,
            "oom_kills": 1,
        },
        2.566,
        128.242,
        128.0,
        0.25,
    ),
    # Seen from within a cgroup namespace: the path is "/".
    "linux-6.1-x86-v2-namespace": Group(
        {
            "usage_us": 6511463,
            "throttled_us": 6596563,
            "throttled_periods": 130,
            "periods": 131,
            "oom_kills": 1,
        },
        2.578,
        128.0,
        128.0,
        0.5,
    ),
    # As Docker does it: the path is the host's, and only this cgroup is mounted.
    "linux-6.1-x86-v1-container": Group(
        {
            "usage_us": 6209550,
            "throttled_us": 6185187,
            "throttled_periods": 122,
            "periods": 124,
            "oom_kills": 1,
        },
        2.645,
        128.0,
        128.0,
        0.5,
    ),
    # The controllers are in version 1, a version 2 without any is mounted beside; the limit is the slice's.
    "linux-6.1-x86-hybrid": Group(
        {
            "usage_us": 6467653,
            "throttled_us": 20348206,
            "throttled_periods": 258,
            "periods": 258,
            "oom_kills": 1,
        },
        2.812,
        128.242,
        128.0,
        0.25,
    ),
    "amazon-linux-2-kubernetes": Group(
        {
            "usage_us": 124659500367,
            "throttled_us": 0,
            "throttled_periods": 0,
            "periods": 0,
            "oom_kills": 0,
        },
        1159.535,
        1461.656,
        2048.0,
        None,
    ),
    # Its files for the CPU were not recorded.
    "ubuntu-18.04-systemd": Group({"oom_kills": 0}, 8.621, 9.449, None, None),
    # Two controllers, and of the memory's files only usage and limit.
    "gvisor-cgroup": Group({}, 2.430, None, None, None),
}


@pytest.mark.parametrize("kernel", GROUPS)
def test_a_recorded_cgroup_says_what_stands_in_its_files(kernel: str) -> None:
    group, expected = reader(kernel), GROUPS[kernel]
    gauges = group.gauges()
    assert group.counters() == expected.counters
    assert gauges.get("cgroup_memory_mib") == pytest.approx(expected.memory_mib, abs=0.001)
    assert gauges.get("cgroup_memory_peak_mib") == expected.peak_mib
    assert gauges.get("cgroup_memory_limit_mib") == expected.limit_mib
    assert group.cpus() == expected.cpus


@pytest.mark.parametrize(
    ("kernel", "reason"),
    [
        # A process that was moved out of its cgroup namespace: of what is above, no name is told.
        ("linux-6.1-x86-v2-outside", "cgroup /../other.scope of memory is not mounted"),
        ("gvisor", "/proc/self/cgroup names none for memory"),
    ],
)
def test_a_cgroup_that_cannot_be_seen_has_no_numbers_but_a_reason(kernel: str, reason: str) -> None:
    group = reader(kernel)
    assert (group.counters(), group.gauges(), group.cpus()) == ({}, {}, None)
    assert group.missing()["cgroup_memory_mib"] == reason


@pytest.mark.parametrize(
    ("kernel", "memory", "cpu"),
    [
        ("aws-lambda-separate", "/sandbox-cdf823", "/sandbox-root-8ZJPiN/sandbox-16222b"),
        (
            "aws-lambda-nested",
            "/sandbox-service-062f38/sandbox-dfb3bf",
            "/sandbox-root-siNKWg/sandbox-service-9857cb/sandbox-36b98a",
        ),
    ],
)
def test_the_cgroups_of_lambda_are_known_though_no_mount_shows_them(kernel: str, memory: str, cpu: str) -> None:
    files = locate(said(kernel, "proc/self/cgroup"), b"")
    assert (files.memory, files.cpu_stat) == (None, None)
    assert files.reasons["memory"] == f"cgroup {memory} of memory is not mounted"
    assert files.reasons["cpu"] == f"cgroup {cpu} of cpu is not mounted"


class Machine(NamedTuple):
    """What a kernel says of the whole machine; None for what it lacks."""

    ticks: list[int]
    context_switches: int | None
    started: int
    available_kib: int | None
    faults: tuple[int | None, int | None]
    stalled_us: tuple[int | None, int | None, int | None]
    interfaces: dict[str, tuple[int, int]]


LOOPBACK = {"lo": (336, 336)}
MACHINES = {
    "linux-3-x86": Machine(
        [301854, 612, 111922, 8979004, 3552, 2, 3944, 0, 0, 0],
        38014093,
        1418183276,
        None,
        (2320168809, 507162),
        (None, None, None),
        {
            "vethf345468": (648, 438),
            "lo": (1664039048, 1664039048),
            "docker0": (2568, 438),
            "eth0": (874354587, 563352563),
        },
    ),
    "linux-6.1-x86-v2": Machine(
        [466, 0, 417, 4862, 0, 0, 3, 0, 0, 0],
        2786,
        1795549782,
        448948,
        (33918, 0),
        (19476252, 0, 78901),
        LOOPBACK,
    ),
    "linux-6.1-arm64-v2": Machine(
        [594, 0, 298, 5143, 0, 0, 0, 0, 0, 0],
        2674,
        1795549894,
        467608,
        (33797, 0),
        (20369654, 0, 13221),
        LOOPBACK,
    ),
    "linux-6.18-firecracker": Machine(
        [3570233, 27961, 742725, 7296328, 52141, 0, 17407, 58902, 67, 0],
        57238142,
        1795491094,
        23822264,
        (524161535, 107365),
        (6745922563, 694815151, 691594794),
        {
            "lo": (85118153186, 85118153186),
            "ifb0": (0, 0),
            "ifb1": (0, 0),
            "eth0": (5572202855, 12090218),
        },
    ),
    "gvisor-cgroup": Machine([], None, 1795549078, 24681604, (None, None), (None, None, None), {"lo": (0, 0)}),
}


def said_if_there(kernel: str, file: str) -> bytes:
    return said(kernel, file) if (KERNELS / kernel / file).exists() else b""


@pytest.mark.parametrize("kernel", MACHINES)
def test_a_recorded_machine_says_what_stands_in_its_files(kernel: str) -> None:
    stat, vmstat = said(kernel, "proc/stat"), said_if_there(kernel, "proc/vmstat")
    pressure = [procfs.pressure_us(said_if_there(kernel, f"proc/pressure/{name}")) for name in ("cpu", "io", "memory")]
    read = Machine(
        list(procfs.cpu_ticks(stat).values()),
        procfs.context_switches(stat),
        procfs.number(stat, b"btime ") or 0,
        procfs.number(said(kernel, "proc/meminfo"), b"MemAvailable:"),
        (procfs.number(vmstat, b"pgfault "), procfs.number(vmstat, b"pgmajfault ")),
        (pressure[0], pressure[1], pressure[2]),
        procfs.interface_bytes(said(kernel, "proc/self/net/dev")),
    )
    assert read == MACHINES[kernel]


class Process(NamedTuple):
    """What a kernel says of a process; None for what it lacks."""

    started_ticks: int | None
    pages: tuple[int, int] | None
    io: tuple[int, int, int, int]
    peak_kib: int | None


PROCESSES = {
    "linux-3-x86": Process(82375, (12547, 14531), (750339, 818609, 1024, 2048), None),
    "linux-6.1-x86-v2": Process(373, (415, 77), (137708576, 3974446, 0, 0), 1660),
    "linux-6.1-arm64-v2": Process(300, (341, 77), (137431188, 3700194, 0, 0), 1364),
    "gvisor-cgroup": Process(14, (825, 0), (0, 0, 0, 0), None),
}


@pytest.mark.parametrize("kernel", PROCESSES)
def test_a_recorded_process_says_what_stands_in_its_files(kernel: str) -> None:
    counts = procfs.io_counts(said(kernel, "proc/self/io"))
    read = Process(
        procfs.started_ticks(said(kernel, "proc/self/stat")),
        procfs.pages(said(kernel, "proc/self/statm")),
        (counts["rchar"], counts["wchar"], counts["read_bytes"], counts["write_bytes"]),
        procfs.number(said_if_there(kernel, "proc/self/status"), b"VmHWM:"),
    )
    assert read == PROCESSES[kernel]


@pytest.mark.parametrize(
    ("kernel", "key", "models"),
    [
        ("linux-6.1-x86-v2", "model name", ["QEMU TCG CPU version 2.5+"] * 2),
        ("linux-6.1-arm64-v2", "CPU part", ["0xd0c"] * 2),
        ("gvisor-cgroup", "model name", ["unknown"] * 2),
    ],
)
def test_recorded_processors_are_told_apart(kernel: str, key: str, models: list[str]) -> None:
    assert [found[key] for found in procfs.processors(said(kernel, "proc/cpuinfo").decode())] == models


def test_each_recording_has_its_source_in_the_readme() -> None:
    readme = (KERNELS / "README.md").read_text(encoding="utf-8")
    assert [folder.name for folder in KERNELS.iterdir() if folder.is_dir() and f"`{folder.name}`" not in readme] == []
