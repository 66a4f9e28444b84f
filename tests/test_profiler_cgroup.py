"""A process finds the files of its own cgroup, whatever is mounted where, and reads them in one vocabulary."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.profiler import cgroup, procfs
from core.profiler.cgroup import Cgroup
from core.profiler.cgroup_files import Files, locate

V2 = b"30 24 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
V1 = b"""31 30 0:32 / /cg/cpu,cpuacct rw shared:13 - cgroup cgroup rw,cpu,cpuacct
32 30 0:33 / /cg/memory rw shared:14 - cgroup cgroup rw,memory
"""


def test_on_version_2_all_files_are_in_one_folder_and_limits_in_those_above_too() -> None:
    files = locate(b"0::/a.slice/b.scope\n", V2)
    own = "/sys/fs/cgroup/a.slice/b.scope"
    assert (files.cpu_stat, files.cpu_usage) == (f"{own}/cpu.stat", None)
    assert (files.memory, files.memory_peak) == (f"{own}/memory.current", f"{own}/memory.peak")
    assert files.oom == f"{own}/memory.events"
    assert files.memory_limits == [
        (f"{own}/memory.max",),
        ("/sys/fs/cgroup/a.slice/memory.max",),
        ("/sys/fs/cgroup/memory.max",),
    ]
    assert files.cpu_quotas == [
        (f"{own}/cpu.max",),
        ("/sys/fs/cgroup/a.slice/cpu.max",),
        ("/sys/fs/cgroup/cpu.max",),
    ]


def test_on_version_1_each_controller_has_its_own_folder() -> None:
    files = locate(b"2:memory:/m\n1:cpu,cpuacct:/c\n", V1)
    assert (files.cpu_stat, files.cpu_usage) == ("/cg/cpu,cpuacct/c/cpu.stat", "/cg/cpu,cpuacct/c/cpuacct.usage")
    assert (files.memory, files.memory_peak) == (
        "/cg/memory/m/memory.usage_in_bytes",
        "/cg/memory/m/memory.max_usage_in_bytes",
    )
    assert files.oom == "/cg/memory/m/memory.oom_control"
    assert files.memory_limits == [("/cg/memory/m/memory.limit_in_bytes",), ("/cg/memory/m/memory.stat",)]
    assert files.cpu_quotas == [
        ("/cg/cpu,cpuacct/c/cpu.cfs_quota_us", "/cg/cpu,cpuacct/c/cpu.cfs_period_us"),
        ("/cg/cpu,cpuacct/cpu.cfs_quota_us", "/cg/cpu,cpuacct/cpu.cfs_period_us"),
    ]


def test_a_version_2_that_lacks_the_controller_does_not_win() -> None:
    files = locate(b"1:memory:/m\n0::/u\n", V1 + V2)
    assert files.memory == "/cg/memory/m/memory.usage_in_bytes"
    # cpu is in no hierarchy of version 1 here.
    assert files.cpu_stat == "/sys/fs/cgroup/u/cpu.stat"


def test_a_controller_of_version_1_that_is_not_mounted_is_not_looked_for_in_version_2() -> None:
    files = locate(b"1:memory:/m\n0::/u\n", V2)
    assert files.memory is None
    assert files.reasons["memory"] == "cgroup /m of memory is not mounted"


@pytest.mark.parametrize(
    ("path", "root", "expected"),
    [
        # Docker without a cgroup namespace: the host's path, the container's part.
        (b"/docker/7", b"/docker/7", "/sys/fs/cgroup/memory.current"),
        (b"/docker/7/job", b"/docker/7", "/sys/fs/cgroup/job/memory.current"),
        (b"/docker/7", b"/docker/77", None),
        (b"/docker/77", b"/docker/7", None),
        (b"/", b"/", "/sys/fs/cgroup/memory.current"),
        # The mount is older than the namespace, or the process lies outside of it.
        (b"/../other", b"/..", "/sys/fs/cgroup/other/memory.current"),
        (b"/../other", b"/../..", None),
        (b"/../other", b"/", None),
        (b"/", b"/../..", None),
    ],
)
def test_a_cgroup_is_found_below_the_root_of_its_mount_or_not_at_all(
    path: bytes, root: bytes, expected: str | None
) -> None:
    assert locate(b"0::%b\n" % path, V2.replace(b" / /sys", b" %b /sys" % root)).memory == expected


def test_of_several_mounts_the_one_that_shows_most_ancestors_is_taken() -> None:
    inner = b"40 24 0:27 /a/b /inner rw - cgroup2 cgroup2 rw\n"
    assert locate(b"0::/a/b\n", inner + V2 + inner).memory == "/sys/fs/cgroup/a/b/memory.current"


def test_a_mount_point_with_a_blank_is_found() -> None:
    assert locate(b"0::/a b\n", V2.replace(b"/sys/fs/cgroup", rb"/my\040cg")).memory == "/my cg/a b/memory.current"


def test_each_controller_has_its_own_cgroup() -> None:
    text = b"4:memory:/a\n3:cpu,cpuacct:/b:c\n1:name=systemd:/d\n0::/e\n"
    assert procfs.memberships(text) == {
        b"memory": b"/a",
        b"cpu": b"/b:c",
        b"cpuacct": b"/b:c",
        b"name=systemd": b"/d",
        b"": b"/e",
    }


@pytest.mark.parametrize("text", [b"", b"\n", b"4:memory\n", b"4::/a\n", b"4:memory:a\n"])
def test_a_line_that_names_no_cgroup_is_left_out(text: bytes) -> None:
    assert procfs.memberships(text) == {}


def test_a_mount_of_cgroups_tells_its_root_its_point_and_its_controllers() -> None:
    text = (
        b"29 28 0:26 / /sys/fs/cgroup ro shared:9 - tmpfs tmpfs ro,mode=755\n"
        b"36 29 0:32 /a /sys/fs/cgroup/cpu,cpuacct rw shared:13 master:1 - cgroup cgroup rw,cpu,cpuacct\n"
        b"37 29 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"
    )
    assert procfs.cgroup_mounts(text) == [
        (b"/a", b"/sys/fs/cgroup/cpu,cpuacct", frozenset((b"rw", b"cpu", b"cpuacct"))),
        (b"/", b"/sys/fs/cgroup/unified", frozenset((b"",))),
    ]


@pytest.mark.parametrize(
    ("escaped", "path"),
    [
        (rb"/a\040b", b"/a b"),
        (rb"/a\011\012\134040", b"/a\t\n\\040"),
        (rb"/\303\244", b"/\xc3\xa4"),
        (rb"/a\400\9\04", rb"/a\400\9\04"),
    ],
)
def test_octal_numbers_in_a_mount_point_are_characters(escaped: bytes, path: bytes) -> None:
    (mount,) = procfs.cgroup_mounts(b"37 29 0:33 / %b rw - cgroup2 cgroup2 rw\n" % escaped)
    assert mount[1] == path


def test_a_mount_hides_the_earlier_one_at_its_point() -> None:
    text = (
        b"37 29 0:33 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n38 29 0:33 /a /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
    )
    assert [root for root, _, _ in procfs.cgroup_mounts(text)] == [b"/a"]


PIECES = st.one_of(
    st.binary(max_size=6),
    st.sampled_from(
        [b"0::/", b"1:memory:/", b"..", b"/a", b"\n", b" ", b" - cgroup2 c rw\n", b" - cgroup c rw,memory\n"]
    ),
    st.sampled_from([b"30 24 0:27 / /sys/fs/cgroup rw", rb"\040", rb"\777"]),
)
TEXTS = st.lists(PIECES, max_size=20).map(b"".join)


@given(memberships=TEXTS, mountinfo=TEXTS)
def test_no_text_makes_the_search_raise(memberships: bytes, mountinfo: bytes) -> None:
    files = locate(memberships, mountinfo)
    assert (files.memory is None) == bool(files.reasons["memory"])


@given(text=st.binary())
def test_no_text_of_a_cgroup_makes_a_parser_raise(text: bytes) -> None:
    cgroup.cpu(text, text)
    cgroup.oom_kills(text)
    cgroup.limit(text)
    cgroup.quota(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"134217728\n", 134217728),
        (b"0\n", 0),
        (b"max\n", None),
        # Version 1 without a limit: Linux 3.19 and later with pages of 4 and of 64 KiB; before.
        (b"9223372036854771712\n", None),
        (b"9223372036854710272\n", None),
        (b"9223372036854775807\n", None),
        (b"cache 12\nhierarchical_memory_limit 134217728\nhierarchical_memsw_limit 1\n", 134217728),
        (b"cache 12\nhierarchical_memory_limit 9223372036854771712\n", None),
        (b"", None),
    ],
)
def test_a_limit_is_bytes_or_none(text: bytes, expected: int | None) -> None:
    assert cgroup.limit(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"25000 100000\n", 0.25),
        (b"150000\n 100000\n", 1.5),
        (b"max 100000\n", None),
        (b"-1\n 100000\n", None),
        (b"25000 0\n", None),
        (b"25000\n", None),
        (b"", None),
    ],
)
def test_a_quota_is_cpus_or_none(text: bytes, expected: float | None) -> None:
    assert cgroup.quota(text) == expected


@pytest.mark.parametrize(
    ("stat", "usage"),
    [
        (b"usage_usec 5000\nuser_usec 1\nnr_periods 9\nnr_throttled 4\nthrottled_usec 7000\n", b""),
        (b"nr_periods 9\nnr_throttled 4\nthrottled_time 7000999\n", b"5000999\n"),
    ],
)
def test_both_versions_count_the_cpu_in_microseconds(stat: bytes, usage: bytes) -> None:
    assert cgroup.cpu(stat, usage) == {"usage_us": 5000, "periods": 9, "throttled_periods": 4, "throttled_us": 7000}


def test_a_version_2_without_the_cpu_controller_tells_its_usage_alone() -> None:
    assert cgroup.cpu(b"usage_usec 5000\nuser_usec 1\nsystem_usec 2\n") == {"usage_us": 5000}


def test_growth_is_told_in_the_metrics_units() -> None:
    before = {"usage_us": 1000, "throttled_us": 0, "throttled_periods": 1, "oom_kills": 0, "periods": 3}
    after = {"usage_us": 3500, "throttled_us": 10, "throttled_periods": 4, "oom_kills": 1, "periods": 9}
    assert cgroup.growth(before, after) == {
        "cgroup_cpu_ms": 2.5,
        "cgroup_throttled_ms": 0.01,
        "cgroup_throttled_periods": 3,
        "cgroup_oom_kills": 1,
    }


def test_a_counter_that_fell_or_is_missing_has_no_growth() -> None:
    assert cgroup.growth({"usage_us": 5, "oom_kills": 1}, {"usage_us": 4, "throttled_us": 9}) == {}


@pytest.fixture
def unified(tmp_path: Path) -> Path:
    """The folder of a cgroup, in a substitute of a mounted version 2."""
    own = tmp_path / "slice/scope"
    own.mkdir(parents=True)
    return own


def found(unified: Path) -> Files:
    root = unified.parents[1]
    return locate(b"0::/slice/scope\n", b"30 24 0:27 / %b rw - cgroup2 c rw\n" % bytes(root))


def test_the_least_limit_of_a_cgroup_and_all_above_holds(unified: Path) -> None:
    (unified / "memory.max").write_text("max\n")
    (unified.parent / "memory.max").write_text("2097152\n")
    (unified.parents[1] / "memory.max").write_text("4194304\n")
    (unified / "cpu.max").write_text("max 100000\n")
    (unified.parent / "cpu.max").write_text("200000 100000\n")
    group = Cgroup(found(unified))
    assert group.gauges() == {"cgroup_memory_limit_mib": 2.0}
    assert group.cpus() == 2.0


def test_each_metric_that_is_missing_has_its_reason(unified: Path) -> None:
    (unified / "cpu.stat").write_text("usage_usec 5\n")
    (unified / "memory.max").write_text("max\n")
    group = Cgroup(found(unified))
    assert group.counters() == {"usage_us": 5}
    absent = "is not there or may not be read"
    assert {name: reason for name, reason in group.missing().items() if name != "cgroup_cpu_ms"} == {
        "cgroup_throttled_ms": f"not in {unified}/cpu.stat",
        "cgroup_throttled_periods": f"not in {unified}/cpu.stat",
        "cgroup_memory_mib": f"memory.current {absent}",
        "cgroup_memory_peak_mib": f"memory.peak {absent}",
        "cgroup_oom_kills": f"memory.events {absent}",
    }


def test_a_reader_keeps_its_files_open_until_it_is_closed(unified: Path) -> None:
    stat = unified / "cpu.stat"
    stat.write_text("usage_usec 5\n")
    group = Cgroup(found(unified))
    seen = [group.counters()]
    stat.write_text("usage_usec 6\n")
    seen.append(group.counters())
    stat.unlink()
    stat.write_text("usage_usec 7\n")
    seen.append(group.counters())
    group.close()
    seen.append(group.counters())
    assert [counters["usage_us"] for counters in seen] == [5, 6, 6, 7]
