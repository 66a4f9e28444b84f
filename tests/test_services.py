"""What installs the tests' servers, and what is told of those that are not there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import services
from tests.services import Service, install

TREE = Path(__file__).parents[1]
# Knows the package only after an update, and makes its program then; notes how it was called.
APT = """#!/bin/sh
echo "$RUNLEVEL $DEBIAN_FRONTEND $*" >> "{here}/calls"
case "$*" in
  *update) touch "{here}/updated";;
  *) [ -e "{here}/updated" ] || {{ echo "E: Unable to locate package" >&2; exit 100; }}
     printf '#!/bin/sh\\n' > "{here}/served"; chmod +x "{here}/served";;
esac
"""
INSTALL = "1 noninteractive --option DPkg::Lock::Timeout=120 install --yes --no-install-recommends served-core"
UPDATE = "1 noninteractive --option DPkg::Lock::Timeout=120 update"

STEP = " ".join([*install.APT, "update"])


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has apt-get, and one service to install."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(install, "SERVICES", (Service("served", ("served",), ("served-core",)),))
    monkeypatch.setattr(install, "FOLDER", tmp_path / "share")
    monkeypatch.setattr(install, "LEFT_OUT", tmp_path / "share/left-out")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    return tmp_path


def apt(here: Path, program: str) -> None:
    (here / "apt-get").write_text(program.format(here=here))
    (here / "apt-get").chmod(0o755)


def test_a_package_is_asked_for_then_the_lists_are_renewed_and_it_is_asked_for_again(here: Path) -> None:
    apt(here, APT)
    assert install.main(["--strict"]) == 0
    assert (here / "calls").read_text().splitlines() == [INSTALL, UPDATE, INSTALL]
    assert (here / "share/left-out").read_text() == ""


def test_what_is_there_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apt(here, APT)
    install.main([])
    (here / "calls").unlink()
    capsys.readouterr()
    assert install.main(["--strict"]) == 0
    assert not (here / "calls").exists()
    assert capsys.readouterr() == ("", "")


def test_what_cannot_be_installed_is_named_with_its_reason(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    apt(here, "#!/bin/sh\necho 'E: no network' >&2; exit 100\n")
    assert (install.main([]), install.main(["--strict"])) == (0, 1)
    assert (here / "share/left-out").read_text() == f"served: `{STEP}` ended with 100: E: no network\n"
    assert f"services: LEFT OUT served: `{STEP}` ended with 100: E: no network\n" in capsys.readouterr().err


def test_a_step_that_hangs_is_ended(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "STEP_S", 0.1)
    apt(here, "#!/bin/sh\nexec sleep 600\n")
    assert install.main(["--strict"]) == 1
    assert (here / "share/left-out").read_text() == f"served: `{STEP}` took longer than 0.1 s: it said nothing\n"


def test_who_may_install_nothing_is_told_what_to_ask_for(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(here, APT)
    (here / "sudo").write_text("#!/bin/sh\nexit 1\n")
    (here / "sudo").chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install.main(["--strict"]) == 1
    expected = "served: needs root, or sudo without a password: apt-get install served-core\n"
    assert (here / "share/left-out").read_text() == expected


def test_a_sudo_that_asks_for_nothing_is_used(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apt(here, APT)
    (here / "sudo").write_text('#!/bin/sh\n[ "$1" = -n ] && shift && exec "$@"\n')
    (here / "sudo").chmod(0o755)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert install.main(["--strict"]) == 0
    assert (here / "calls").read_text().splitlines() == [INSTALL, UPDATE, INSTALL]


def test_the_newest_version_of_a_program_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("9", "15", "14"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "postgres").touch()
    monkeypatch.setitem(services.OUTSIDE, "postgres", f"{tmp_path}/*/postgres")
    assert services.program("postgres") == tmp_path / "15/postgres"


@pytest.mark.parametrize(
    ("variables", "outcome", "status"), [({}, "1 skipped", 0), ({"POLYFAAS_CI": "1"}, "1 failed", 1)]
)
def test_a_rig_that_is_left_out_is_told_aloud_and_fails_in_ci(
    tmp_path: Path, variables: dict[str, str], outcome: str, status: int
) -> None:
    (tmp_path / "test_it.py").write_text(
        'from tests.services import left_out\ndef test_it():\n    left_out("mariadb", "apt-get ended with 100")\n'
    )
    argv = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-c", os.devnull, f"--rootdir={tmp_path}", "."]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(TREE), **variables}
    ran = subprocess.run(argv, cwd=tmp_path, env=environment, check=False, capture_output=True, text=True)
    assert ran.returncode == status, ran.stdout
    told = ran.stdout.partition("RIGS LEFT OUT")[2].splitlines()[1:3]
    assert told == [
        "mariadb: apt-get ended with 100",
        "Their tests say nothing about this tree. The cure: make services",
    ]
    assert outcome in ran.stdout
