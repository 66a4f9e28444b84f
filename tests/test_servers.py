"""What the tests' own servers are started by."""

import os
import socket
import sys
from pathlib import Path

import pytest

from adapters.lab.ports import free_port
from tests import servers

LISTENING = """
import os, pathlib, signal, socket, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "600"])
pathlib.Path("found").write_text(f"{child.pid} {os.geteuid()} {os.environ.get('A')} {os.environ.get('OURS')}")
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(600)
"""


def listening(port: int) -> list[str]:
    return ["/usr/bin/env", "python3", "-c", LISTENING, str(port)]


def test_a_server_listens_has_its_own_environment_and_is_gone_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    monkeypatch.setattr(servers, "STOPPED_WITHIN_S", 0.1)
    port = free_port()
    with servers.server(listening(port), port, tmp_path, environment={"A": "b"}) as url:
        assert url == f"http://127.0.0.1:{port}"
        socket.create_connection(("127.0.0.1", port), 1).close()
        child, user, given, ours = (tmp_path / "found").read_text().split()
    assert (user, given, ours) == (str(os.geteuid()), "b", "None")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1)
    servers.awaited("sleep", tmp_path, lambda: True, lambda: ended(int(child)))


def ended(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def test_a_server_that_dies_is_told_with_what_it_said(tmp_path: Path) -> None:
    with (
        pytest.raises(pytest.fail.Exception, match=r"(?s)python.* died: .*ZeroDivisionError"),
        servers.server([sys.executable, "-c", "1 / 0"], free_port(), tmp_path),
    ):
        pass


def test_a_server_that_never_listens_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "STARTED_WITHIN_S", 0.2)
    with (
        pytest.raises(pytest.fail.Exception, match="sleep took too long to start"),
        servers.server(["sleep", "600"], free_port(), tmp_path),
    ):
        pass


def test_a_server_that_refuses_root_runs_as_somebody_else_where_we_are_root() -> None:
    port = free_port()
    with servers.folder_of(servers.UNPRIVILEGED) as folder:
        with servers.server(listening(port), port, folder, user=servers.UNPRIVILEGED):
            user = int((folder / "found").read_text().split()[1])
        ran = servers.run(["id", "-u"], folder, user=servers.UNPRIVILEGED)
    assert user == int(ran)
    assert (user == 0) is False


def test_a_program_that_fails_is_told_with_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="sh ended with 3: why"):
        servers.run(["sh", "-c", "echo why; exit 3"], tmp_path)
