"""What stands above every table: the machine, the versions and how it was run."""

import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from bench.machine import describe
from benchmarks.rig.memory import Caps
from benchmarks.rig.process import Command, Setting, run

LIBRARIES = ("polars", "pandas", "pyarrow", "awslambdaric")
PROGRAMS = ("sqlite3", "psql", "g++")


def header(caps: Caps | None, rounds: int, folder: Path) -> str:
    """One paragraph."""
    machine = describe()
    libraries = {**machine.versions, **{name: found for name in LIBRARIES if (found := installed(name))}}
    programs = {f"{name} command": found for name in PROGRAMS if (found := version(name))}
    software = ", ".join(f"{name} {number}" for name, number in {**libraries, **programs}.items())
    nothing = run(Command("nothing", ("true",)), folder, Setting()).peak_mib
    capped = f"caps by control groups, version {caps.version}" if caps else "no cap can be set here: peaks only"
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {machine.cpu or 'unnamed processor'}, {machine.cores} cores,"
        f" {machine.memory_mib:,} MiB, {machine.kernel}, Python {machine.python}; {software}. n = {rounds} rounds at"
        f" most, whole processes, interleaved in random order; a ratio is taken within each round; {capped};"
        f" a process that does nothing peaks at {nothing:.0f} MiB here, so smaller peaks do not show."
    )


def installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def version(program: str) -> str | None:
    """The first word with a digit that `program --version` prints."""
    if not shutil.which(program):
        return None
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout
    return next((word.rstrip("),") for word in said.split() if word[0].isdigit()), None)
