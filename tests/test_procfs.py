"""The kernel's texts as numbers, on texts of kernels old and new."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


def test_a_kernel_that_counts_nothing_tells_nothing() -> None:
    assert procfs.cpu_ticks(STAT_GVISOR) == {}
    assert procfs.context_switches(STAT_GVISOR) is None


def test_context_switches_are_read() -> None:
    assert procfs.context_switches(STAT_6) == 279323


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


def test_pressure_is_the_time_in_which_some_task_waited() -> None:
    text = b"some avg10=0.10 avg60=2.00 avg300=3.85 total=1500\nfull avg10=0.20 avg60=3.00 avg300=4.95 total=2500\n"
    assert procfs.pressure_us(text) == 1500


@pytest.mark.parametrize("text", [b"", b"full avg10=0.00 total=5\n", b"some avg10=0.00\n", b"some total=\n"])
def test_a_kernel_without_pressure_tells_none(text: bytes) -> None:
    assert procfs.pressure_us(text) is None


# Linux 2.6 writes a wide number right behind the colon.
NET_DEV = b"""Inter-|   Receive                                   |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier
    lo:     100       5    0    0    0     0          0         0      100       5    0    0    0     0       0
  eth0:4294967297  1036395    0    0    0     0          0         0 563352563  732147    0    0    0     0     0
 short:       1       2
"""


def test_bytes_are_told_by_interface_also_where_a_wide_number_touches_the_colon() -> None:
    assert procfs.interface_bytes(NET_DEV) == {"lo": (100, 100), "eth0": (4294967297, 563352563)}


def test_the_bytes_beside_the_loopbacks_are_summed() -> None:
    assert procfs.beside_loopback(NET_DEV + b"docker0: 9 1 0 0 0 0 0 0 4 1\n") == (4294967306, 563352567)


@pytest.mark.parametrize("text", [b"", b"no table\n"])
def test_no_table_of_interfaces_is_not_no_bytes(text: bytes) -> None:
    assert procfs.beside_loopback(text) is None


def test_the_counters_of_input_and_output_have_the_kernels_names() -> None:
    assert procfs.io_counts(b"rchar: 750339\nwchar: 818609\ncancelled_write_bytes: -1024\n") == {
        "rchar": 750339,
        "wchar": 818609,
    }


def test_what_gvisor_calls_char_is_rchar() -> None:
    assert procfs.io_counts(b"char: 12\nwchar: 3\n") == {"rchar": 12, "wchar": 3}


def test_pages_are_resident_and_data() -> None:
    assert procfs.pages(b"565 415 401 388 0 77 0\n") == (415, 77)


@pytest.mark.parametrize("text", [b"", b"565 415\n", b"565 x 401 388 0 77 0\n", b"565 415 401 388 0 y 0\n"])
def test_a_statm_that_is_cut_short_or_odd_has_no_pages(text: bytes) -> None:
    assert procfs.pages(text) is None


@pytest.mark.parametrize("name", [b"cat", b"a b", b"(sd-pam)", b") S 1 2 3 (", b"", b"a\nb"])
def test_the_start_of_a_process_is_read_whatever_its_name(name: bytes) -> None:
    stat = b"7 (%b) R 1 1 1 0 0 0 0 0 0 0 1 0 0 0 20 0 1 0 13 10555392 559 18446744073709551615 0 0\n" % name
    assert procfs.started_ticks(stat) == 13


@pytest.mark.parametrize("stat", [b"", b"7 cat R 1 1\n", b"7 (cat) R 1 1 1 0\n"])
def test_a_stat_that_is_cut_short_has_no_start(stat: bytes) -> None:
    assert procfs.started_ticks(stat) is None


PARSERS: list[Callable[[bytes], object]] = [
    procfs.cpu_ticks,
    procfs.context_switches,
    procfs.beside_loopback,
    procfs.pressure_us,
    procfs.interface_bytes,
    procfs.io_counts,
    procfs.pages,
    procfs.started_ticks,
    procfs.memberships,
    procfs.cgroup_mounts,
    lambda text: procfs.number(text, b"VmHWM:"),
    lambda text: procfs.processors(text.decode("latin-1")),
]
# Pieces that the parsers look for, so that arbitrary texts come near to real ones.
PIECES = st.one_of(
    st.binary(max_size=8),
    st.sampled_from([b"cpu ", b"VmHWM:", b"some ", b" total=", b": ", b":", b"\n", b" ", b")", b"/", b"\\04"]),
    st.sampled_from([b"0::/", b" - cgroup", b" - cgroup2 ", b"processor\t: 0\n\n", b"1 2 3 4 5 6 7 8 9 ", b"9" * 5000]),
)


@pytest.mark.parametrize("parser", PARSERS)
@given(pieces=st.lists(PIECES, max_size=30))
def test_no_text_makes_a_parser_raise(parser: Callable[[bytes], object], pieces: list[bytes]) -> None:
    parser(b"".join(pieces))


def test_a_number_of_thousands_of_digits_is_no_number() -> None:
    digits = b"9" * 5000
    assert procfs.number(b"VmHWM: " + digits + b" kB\n", b"VmHWM:") is None
    assert procfs.cpu_ticks(b"cpu 1 " + digits + b"\n") == {"user": 1}
