"""The kernel's text files as numbers: pure functions from the text of a file under /proc to what it says.

A field that a kernel does not have, or that is not a number, is absent from what is returned. No text, however
broken, makes them raise.
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
# Digits of the largest number of 64 bits. Python refuses to read numbers of thousands of digits.
_DIGITS = 20
# Columns, counted from 0: of /proc/net/dev behind the name, of /proc/self/statm, of /proc/self/stat behind the name
# (its 22nd field), of /proc/self/mountinfo.
_RECEIVED, _SENT = 0, 8
_RESIDENT, _DATA = 1, 5
_START = 19
_THREADS = 17
_ROOT, _POINT = 3, 4
_OCTAL_DIGITS = 3
_IO = {
    b"rchar:": "rchar",
    b"char:": "rchar",
    b"wchar:": "wchar",
    b"syscr:": "syscr",
    b"syscw:": "syscw",
    b"read_bytes:": "read_bytes",
    b"write_bytes:": "write_bytes",
}
# Two lines of /proc/vmstat are shorter, and five words are more than two lines have.
_TWO_LINES = 96
_BEHIND_FAULTS = 4


def whole(word: bytes) -> int | None:
    """The number that a word is, None when it is none or one that no kernel counts to."""
    return int(word) if word.isdigit() and len(word) <= _DIGITS else None


def cpu_ticks(stat: bytes) -> dict[str, int]:
    """Clock ticks since boot by CPU state, summed over all CPUs; none where they are not counted.

    Args:
        stat: Text of /proc/stat, or its beginning.
    """
    line, ended, _ = stat.partition(b"\n")
    words = line.split()
    if not ended or words[:1] != [b"cpu"]:
        return {}
    try:
        found = dict(zip(CPU_STATES, map(int, words[1:]), strict=False))
    except ValueError:  # a word that is no number: the others are all the same
        columns = zip(CPU_STATES, map(whole, words[1:]), strict=False)
        found = {state: ticks for state, ticks in columns if ticks is not None}
    # gVisor has the line and counts nothing: a machine that runs has been busy or idle.
    return found if any(found.values()) else {}


def context_switches(stat: bytes) -> int | None:
    """Switches of context since boot, of /proc/stat; None where they are not counted (gVisor says 0)."""
    return number(stat, b"ctxt ") or None


def faults(vmstat: bytes) -> tuple[int | None, int | None]:
    """Page faults since boot, all and those with I/O, of /proc/vmstat; None where one is not counted."""
    at = vmstat.find(b"\npgfault ")
    # Kernels say one behind the other: then one search is enough.
    words = vmstat[at : at + _TWO_LINES].split()
    if at >= 0 and words[2:3] == [b"pgmajfault"] and len(words) > _BEHIND_FAULTS:
        return whole(words[1]), whole(words[3])
    return number(vmstat, b"pgfault "), number(vmstat, b"pgmajfault ")


def number(text: bytes, label: bytes) -> int | None:
    """The number that follows a label at the start of a line, None when there is none.

    Reads "VmHWM:     1620 kB" of /proc/self/status, "MemTotal: ..." of /proc/meminfo, "pgfault 12" of
    /proc/vmstat and "btime 12" of /proc/stat.

    Args:
        text: Text of the file.
        label: First word of the line with its colon or blank, for example b"VmHWM:" or b"btime ".
    """
    at = 0 if text.startswith(label) else text.find(b"\n" + label) + 1
    end = text.find(b"\n", at)
    if end < 0 or not text.startswith(label, at):
        return None
    words = text[at + len(label) : end].split(maxsplit=1)
    return whole(words[0]) if words else None


def processors(cpuinfo: str) -> list[dict[str, str]]:
    """The processors of /proc/cpuinfo, each a mapping of the kernel's own keys.

    The keys differ by architecture; blocks about the whole board are left out.
    """
    blocks = [_pairs(block) for block in cpuinfo.split("\n\n")]
    return [block for block in blocks if "processor" in block]


def _pairs(block: str) -> dict[str, str]:
    lines = (line.partition(":") for line in block.splitlines())
    return {key.strip(): value.strip() for key, colon, value in lines if colon}


def pressure_us(text: bytes) -> int | None:
    """Microseconds since boot in which some task waited for the resource of a file under /proc/pressure."""
    line, _, _ = text.partition(b"\n")
    _, _, total = line.partition(b" total=")
    return whole(total) if line.startswith(b"some ") else None


def interface_bytes(net_dev: bytes) -> dict[str, tuple[int, int]]:
    """Bytes received and sent by each network interface of /proc/net/dev."""
    found = {}
    # Two lines of headings. A wide number stands right behind the colon in older kernels.
    for line in net_dev.split(b"\n")[2:]:
        name, _, counts = line.rpartition(b":")
        words = counts.split()
        if len(words) > _SENT:
            received, sent = whole(words[_RECEIVED]), whole(words[_SENT])
            if received is not None and sent is not None:
                found[name.strip().decode(errors="replace")] = (received, sent)
    return found


def beside_loopback(net_dev: bytes) -> tuple[int, int] | None:
    """Bytes received and sent by all network interfaces but the one to oneself; None where there is no table."""
    if b":" not in net_dev:
        return None
    counts = [pair for name, pair in interface_bytes(net_dev).items() if name != "lo"]
    return sum(received for received, _ in counts), sum(sent for _, sent in counts)


def io_counts(io: bytes) -> dict[str, int]:
    """The counters of /proc/self/io by the names of proc_pid_io(5)."""
    words = io.split()
    pairs = zip(words[::2], words[1::2], strict=False)
    # gVisor has another name for one: pkg/sentry/fsimpl/proc/task_files.go.
    return {_IO[key]: int(word) for key, word in pairs if key in _IO and word.isdigit() and len(word) <= _DIGITS}


def pages(statm: bytes) -> tuple[int, int] | None:
    """Pages resident, and pages of data and stack, of /proc/self/statm.

    gVisor says that data and stack have 0 pages, which no process has: it does not count them.
    """
    words = statm.split()
    if len(words) <= _DATA:
        return None
    resident, data = whole(words[_RESIDENT]), whole(words[_DATA])
    return None if resident is None or data is None else (resident, data)


def started_ticks(stat: bytes) -> int | None:
    """Clock ticks from the machine's boot to the start of the process of /proc/self/stat.

    The second field, the command's name, may hold blanks, parentheses and line ends; no later one does.
    """
    return _behind_name(stat, _START)


def threads(stat: bytes) -> int | None:
    """Threads of the process of /proc/self/stat."""
    return _behind_name(stat, _THREADS)


def _behind_name(stat: bytes, place: int) -> int | None:
    _, named, rest = stat.rpartition(b")")
    words = rest.split(maxsplit=place + 1)
    return whole(words[place]) if named and len(words) > place else None


def memberships(cgroup: bytes) -> dict[bytes, bytes]:
    """The cgroup of this process by controller, of /proc/self/cgroup; that of version 2 under b"": cgroups(7)."""
    found = {}
    for line in cgroup.split(b"\n"):
        hierarchy, _, rest = line.partition(b":")
        # A path may hold colons itself, as those of containerd's do.
        controllers, colon, path = rest.partition(b":")
        if colon and path.startswith(b"/") and (controllers or hierarchy == b"0"):
            found.update(dict.fromkeys(controllers.split(b","), path))
    return found


def cgroup_mounts(mountinfo: bytes) -> list[tuple[bytes, bytes, frozenset[bytes]]]:
    """What /proc/self/mountinfo says of each visible mount of cgroups: proc_pid_mountinfo(5).

    Returns:
        Path of the cgroup that is mounted; the mount point; the controllers, b"" alone for version 2.
    """
    found = {}
    for line in mountinfo.split(b"\n"):
        fields, of_cgroups, source = line.partition(b" - cgroup")
        words = fields.split(b" ")
        kind, _, options = source.partition(b" ")
        if of_cgroups and len(words) > _POINT and kind in (b"", b"2"):
            controllers = (b"",) if kind else options.rpartition(b" ")[2].split(b",")
            # A later mount at the same point hides the earlier one.
            found[words[_POINT]] = (_unescaped(words[_ROOT]), _unescaped(words[_POINT]), frozenset(controllers))
    return list(found.values())


def _unescaped(word: bytes) -> bytes:
    """A path with its blanks, tabs, line ends and backslashes, which are written as octal numbers."""
    first, *others = word.split(b"\\")
    return first + b"".join(_character(other) for other in others)


def _character(escaped: bytes) -> bytes:
    digits = escaped[:_OCTAL_DIGITS]
    if len(digits) < _OCTAL_DIGITS or digits.strip(b"01234567") or digits > b"377":
        return b"\\" + escaped
    return bytes((int(digits, 8),)) + escaped[_OCTAL_DIGITS:]
