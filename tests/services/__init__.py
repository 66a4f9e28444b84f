"""The servers that the tests run against and no wheel in the .venv can hold: where they are, and what is told of one
that is not there.

`make services` installs them (install.py). A rig asks `program("mariadbd")`; without it, its tests are skipped, and
the end of the run says so in capitals. In CI (POLYFAAS_CI) they fail: nothing is left out there.
"""

import os
import shutil
import sys
from pathlib import Path
from typing import NoReturn

import msgspec
import pytest

# What is installed for the tests alone, and what could not be, with its reason: one "name: reason" a line.
FOLDER = Path(sys.prefix, "share/services")
LEFT_OUT = FOLDER / "left-out"
CURE = "make services"
# Debian keeps PostgreSQL's and some of MariaDB's programs outside the PATH of a user; of these, the newest is taken.
OUTSIDE = {
    "postgres": "/usr/lib/postgresql/*/bin/postgres",
    "initdb": "/usr/lib/postgresql/*/bin/initdb",
    "mariadbd": "/usr/sbin/mariadbd",
    "derby.jar": "/usr/share/java/derby.jar",
    "derbynet.jar": "/usr/share/java/derbynet.jar",
    "derbytools.jar": "/usr/share/java/derbytools.jar",
    "derbyclient.jar": "/usr/share/java/derbyclient.jar",
    "azurite": f"{FOLDER}/azurite/node_modules/.bin/azurite",
    "azurite-blob": f"{FOLDER}/azurite/node_modules/.bin/azurite-blob",
    "weed": f"{FOLDER}/seaweedfs/bin/weed",
    "secantusd-py": f"{FOLDER}/secantusdb/bin/secantusd-py",
    "rotel-agent": f"{FOLDER}/rotel/rotel/rotel-agent",
}


class Service(msgspec.Struct, frozen=True):
    """A server that tests run against.

    Attributes:
        name: What it is called.
        programs: What must be there.
        debian: The packages that bring it.
    """

    name: str
    programs: tuple[str, ...]
    debian: tuple[str, ...] = ()


SERVICES = (
    Service("postgresql", ("postgres", "initdb"), ("postgresql",)),
    Service("mariadb", ("mariadbd", "mariadb-install-db"), ("mariadb-server-core", "mariadb-client-core")),
    Service("java", ("java",), ("default-jre-headless",)),
    Service("derby", ("derby.jar", "derbynet.jar", "derbyclient.jar"), ("libderby-java", "libderbyclient-java")),
    Service("node", ("node", "npm"), ("nodejs", "npm")),
    Service("azurite", ("azurite", "azurite-blob")),
    Service("seaweedfs", ("weed",)),
    Service("secantusdb", ("secantusd-py",)),
    Service("rotel", ("rotel-agent",)),
)

# The rigs that this run went without, and why; the end of the run tells them.
missed: dict[str, str] = {}


def found(name: str) -> Path | None:
    """A program, or the file of a library; None where it is not installed."""
    if name in OUTSIDE:
        pattern = OUTSIDE[name].removeprefix("/")
        if there := sorted(Path("/").glob(pattern), key=_version):
            return there[-1]
    here = shutil.which(name)
    return Path(here) if here else None


def program(name: str) -> Path:
    """The same; without it the test that asks is left out."""
    path = found(name)
    if path is None:
        service = next(each.name for each in SERVICES if name in each.programs)
        left_out(service, f"there is no {name} here{_told(service)}")
    return path


def left_out(name: str, reason: str) -> NoReturn:
    """Skip a test whose server is not there and tell so at the end of the run; in CI, fail it."""
    missed[name] = reason
    if os.environ.get("POLYFAAS_CI"):
        pytest.fail(f"{name} is left out, which CI does not allow: {reason}", pytrace=False)
    pytest.skip(f"{name} is left out: {reason}")


def _told(service: str) -> str:
    """What the installation said of it."""
    lines = LEFT_OUT.read_text(encoding="utf-8").splitlines() if LEFT_OUT.exists() else []
    reasons = [line.partition(": ")[2] for line in lines if line.startswith(f"{service}: ")]
    return f" ({reasons[0]})" if reasons else ""


def _version(path: Path) -> list[int]:
    """PostgreSQL's stands in its folder's name."""
    return [int(part) for part in path.parts if part.isdigit()]
