"""The kernel's text files as numbers: pure functions from the text of a file under /proc to what it says.

A field that a kernel does not have, or that is not a number, is absent from what is returned.
"""

# Columns of the "cpu" line of /proc/stat in order; older kernels end earlier: proc_stat(5).
CPU_STATES = (
    "user",
    "nice",
    "system",
    "idle",
    "iowait",
    "irq",
    "softirq",
    "steal",
    "guest",
    "guest_nice",
)


def cpu_ticks(stat: bytes) -> dict[str, int]:
    """Clock ticks since boot by CPU state, summed over all CPUs.

    Args:
        stat: Text of /proc/stat, or its beginning.
    """
    line, ended, _ = stat.partition(b"\n")
    words = line.split()
    if not ended or words[:1] != [b"cpu"]:
        return {}
    columns = zip(CPU_STATES, words[1:], strict=False)
    return {state: int(word) for state, word in columns if word.isdigit()}


def number(text: bytes, label: bytes) -> int | None:
    """The number that follows a label at the start of a line, None when there is none.

    Reads "VmHWM:     1620 kB" of /proc/self/status, "MemTotal: ..." of /proc/meminfo, "pgfault 12" of
    /proc/vmstat and "btime 12" of /proc/stat.

    Args:
        text: Text of the file.
        label: First word of the line with its colon or blank, for example b"VmHWM:" or b"btime ".
    """
    _, _, rest = (b"\n" + text).partition(b"\n" + label)
    line, ended, _ = rest.partition(b"\n")
    words = line.split(maxsplit=1)
    if not ended or not words or not words[0].isdigit():
        return None
    return int(words[0])


def processors(cpuinfo: str) -> list[dict[str, str]]:
    """The processors of /proc/cpuinfo, each a mapping of the kernel's own keys.

    The keys differ by architecture; blocks about the whole board are left out.
    """
    blocks = [_pairs(block) for block in cpuinfo.split("\n\n")]
    return [block for block in blocks if "processor" in block]


def _pairs(block: str) -> dict[str, str]:
    lines = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, colon, value in lines if colon}
