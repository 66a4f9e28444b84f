"""What the run's machine is, so that nobody compares two of them by mistake."""

import os
import platform
import sqlite3
from importlib import metadata
from pathlib import Path

import msgspec

DISTRIBUTIONS = ("polyfaas", "duckdb", "adbc-driver-sqlite", "msgspec", "psycopg", "PyMySQL", "boto3", "pymongo")


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The machine and the software that every measured call shares.

    Attributes:
        cpu: Model name as the kernel gives it; null where it gives none.
        cores: Logical cores that this process may use.
        memory_mib: Physical memory.
        kernel: Operating system and its release.
        python: Version of the interpreter.
        versions: Version by library; absent when it is not installed.
    """

    cpu: str | None
    cores: int
    memory_mib: int
    kernel: str
    python: str
    versions: dict[str, str]


def describe() -> Machine:
    """This machine, now."""
    return Machine(
        cpu=_cpu(),
        cores=len(os.sched_getaffinity(0)),
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20,
        kernel=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={"sqlite": sqlite3.sqlite_version, **_versions()},
    )


def _cpu() -> str | None:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return None  # arm64 kernels name no model


def _versions() -> dict[str, str]:
    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
