"""The kernel's texts as numbers, on texts of kernels old and new."""

import pytest

from core.profiler import procfs

# Linux 6.x: ten columns.
STAT_6 = b"""cpu  43213 7 5920 150785 547 1 99 3375 12 3
cpu0 15822 0 2533 81830 85 0 16 1700 0 0
intr 276472 0 0 0 1
ctxt 279323
btime 1795491094
processes 4450
"""
# Linux 2.6.9: no steal, guest or guest_nice yet.
STAT_2_6 = b"""cpu  10132153 290696 3084719 46828483 16683 0 25195
cpu0 1393280 32966 572056 13343292 6130 0 17875
ctxt 1990473
btime 1062191376
"""
# Linux 2.4: four states.
STAT_2_4 = b"cpu  100 2 30 4000\ncpu0 100 2 30 4000\nbtime 1000000000\n"
# gVisor: all states, all nought.
STAT_GVISOR = b"cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 0\nctxt 0\nbtime 1700000000\n"

STATUS_6 = b"""Name:\tpython3
Umask:\t0022
Tgid:\t4450
Groups:\t \nVmPeak:\t   30600 kB
VmHWM:\t   16200 kB
VmRSS:\t    9620 kB
Threads:\t1
voluntary_ctxt_switches:\t5
"""
# gVisor: VmRSS, no peak.
STATUS_GVISOR = b"Name:\tpython3\nState:\tR (running)\nVmSize:\t   55012 kB\nVmRSS:\t   24064 kB\nThreads:\t2\n"

CPUINFO_X86 = """processor\t: 0
vendor_id\t: GenuineIntel
model\t\t: 63
model name\t: Intel(R) Xeon(R) Processor @ 2.50GHz
flags\t\t: fpu vme

processor\t: 1
vendor_id\t: GenuineIntel
model\t\t: 63
model name\t: Intel(R) Xeon(R) Processor @ 2.50GHz

"""
CPUINFO_ARM64 = """processor\t: 0
BogoMIPS\t: 243.75
CPU implementer\t: 0x41
CPU part\t: 0xd0c

processor\t: 1
BogoMIPS\t: 243.75
CPU implementer\t: 0x41
CPU part\t: 0xd0c

Hardware\t: BCM2835
Model\t\t: Raspberry Pi 4
"""


def test_every_cpu_state_of_a_new_kernel_is_read() -> None:
    assert procfs.cpu_ticks(STAT_6) == {
        "user": 43213,
        "nice": 7,
        "system": 5920,
        "idle": 150785,
        "iowait": 547,
        "irq": 1,
        "softirq": 99,
        "steal": 3375,
        "guest": 12,
        "guest_nice": 3,
    }


@pytest.mark.parametrize(
    ("stat", "states"),
    [
        (STAT_2_6, ["user", "nice", "system", "idle", "iowait", "irq", "softirq"]),
        (STAT_2_4, ["user", "nice", "system", "idle"]),
    ],
)
def test_cpu_states_that_an_old_kernel_lacks_are_absent(stat: bytes, states: list[str]) -> None:
    assert list(procfs.cpu_ticks(stat)) == states


def test_a_kernel_that_counts_nothing_is_read_as_it_says() -> None:
    assert set(procfs.cpu_ticks(STAT_GVISOR).values()) == {0}


def test_only_the_first_bytes_of_stat_are_needed() -> None:
    assert procfs.cpu_ticks(STAT_6[:60]) == procfs.cpu_ticks(STAT_6)


@pytest.mark.parametrize("stat", [b"", b"\n", b"cpu", b"cpu  12 34 5", b"cpu0 1 2 3 4\n", b"intr 5\n"])
def test_a_text_without_a_whole_cpu_line_has_no_ticks(stat: bytes) -> None:
    assert procfs.cpu_ticks(stat) == {}


def test_a_cpu_column_that_is_no_number_is_absent() -> None:
    assert procfs.cpu_ticks(b"cpu  1 x 3\n") == {"user": 1, "system": 3}


@pytest.mark.parametrize(
    ("text", "label", "expected"),
    [
        (STATUS_6, b"VmHWM:", 16200),
        (STATUS_6, b"VmRSS:", 9620),
        (STATUS_GVISOR, b"VmRSS:", 24064),
        (STAT_6, b"btime ", 1795491094),
        (STAT_6, b"ctxt ", 279323),
        (b"pgfree 1\npgfault 77\npgmajfault 8\n", b"pgfault ", 77),
        (b"MemTotal:       24684092 kB\nMemFree:  1 kB\n", b"MemTotal:", 24684092),
    ],
)
def test_the_number_behind_a_label_is_read(text: bytes, label: bytes, expected: int) -> None:
    assert procfs.number(text, label) == expected


def test_the_peak_that_gvisor_does_not_tell_is_absent() -> None:
    assert procfs.number(STATUS_GVISOR, b"VmHWM:") is None


@pytest.mark.parametrize(
    "text", [b"", b"VmHWM:", b"VmHWM:\n", b"VmHWM:\nVmRSS:\t12 kB\n", b"VmHWM:\t x kB\n", b"VmHWM:\t12"]
)
def test_a_line_that_is_cut_short_or_odd_has_no_number(text: bytes) -> None:
    assert procfs.number(text, b"VmHWM:") is None


def test_a_label_inside_a_line_is_not_taken() -> None:
    assert procfs.number(b"Name:\tVmHWM: 5\n", b"VmHWM:") is None


def test_each_x86_processor_tells_its_model() -> None:
    assert [found["model name"] for found in procfs.processors(CPUINFO_X86)] == [
        "Intel(R) Xeon(R) Processor @ 2.50GHz",
        "Intel(R) Xeon(R) Processor @ 2.50GHz",
    ]


def test_an_arm64_board_is_not_counted_as_a_processor() -> None:
    assert [found["CPU part"] for found in procfs.processors(CPUINFO_ARM64)] == ["0xd0c", "0xd0c"]


@pytest.mark.parametrize("text", ["", "\n\n", "nonsense", "a: b\n\nc", ":\n"])
def test_an_odd_cpuinfo_has_no_processors(text: str) -> None:
    assert procfs.processors(text) == []
