"""The lab starts what it says, where it says, and ends it for sure."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from adapters import PROVIDERS
from adapters.aws import runtime as aws_runtime
from adapters.base import Launch, Reply, RuntimeUnavailableError
from adapters.lab import LOCAL, sessions, start
from adapters.lab.instance import Instance, run
from adapters.lab.packages import installed
from adapters.lab.pipe import LENGTH_BYTES, receive
from adapters.lab.ports import free_port
from core.message import Request

ALL = [LOCAL, *PROVIDERS]
LOOPBACK = "0100007F"
LISTENING = "0A"


def processes(instance: Instance) -> set[int]:
    return sessions.members([instance._process._mark])


def session(pid: int) -> int:
    return os.getsid(pid)


def eventually(holds: Callable[[], bool], within_s: float = 20) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def alive_in(session_id: int) -> list[int]:
    return [pid for pid, each in sessions._sessions() if each == session_id]


@pytest.mark.parametrize("provider", ALL)
def test_stop_leaves_no_process_of_the_session(provider: str, tmp_path: Path) -> None:
    instance = start(provider, tmp_path)
    instance.call(Request(body=b"{}"))
    (session_id,) = {session(pid) for pid in processes(instance)}
    instance.stop()
    assert (processes(instance), alive_in(session_id)) == (set(), [])


def test_stop_twice_is_harmless(tmp_path: Path) -> None:
    instance = start(LOCAL, tmp_path)
    instance.stop()
    instance.stop()
    assert processes(instance) == set()


def test_stop_ends_a_process_that_ignores_being_asked(tmp_path: Path) -> None:
    port = free_port()
    stubborn = (
        "import signal, socket, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        f"server = socket.create_server(('127.0.0.1', {port}))\n"
        "while True: server.accept()\n"
    )
    instance = run(PROVIDERS["gcp"], launch((sys.executable, "-c", stubborn), port), tmp_path)
    instance.stop()
    assert processes(instance) == set()


def launch(argv: tuple[str, ...], port: int) -> Launch:
    return Launch(argv=argv, environment={}, port=port, about="made up")


def test_an_exception_in_the_with_block_stops_the_instance(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), start("ibm", tmp_path) as instance:
        raise KeyboardInterrupt
    assert processes(instance) == set()


PARENT = """
import os, sys
from pathlib import Path
from adapters.lab import start
from core.message import Request
instance = start(sys.argv[1], Path(sys.argv[2]))
instance.call(Request(body=b"{}"))
print(instance._process._mark, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("provider", "number"),
    [*((provider, signal.SIGKILL) for provider in ALL), ("gcp", signal.SIGINT), ("aws", signal.SIGTERM)],
)
def test_a_killed_parent_leaves_no_process(provider: str, number: signal.Signals, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, provider, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        mark = parent.stdout.readline().strip()
        before = sessions.members([mark])
        parent.send_signal(number)
        parent.wait()
        assert (bool(before), eventually(lambda: not sessions.members([mark]))) == (True, True)


def test_a_new_watcher_takes_over_when_one_was_ended() -> None:
    script = (
        "import os, signal\n"
        "from adapters.lab import watcher\n"
        "watcher.watch('first')\n"
        "first = watcher._watcher(os.getpid())\n"
        "first.kill(); first.wait()\n"
        "watcher.watch('second')\n"
        "print(watcher._watcher(os.getpid()).poll())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("None\n", 0)


def test_a_runtime_that_ends_at_once_says_why_with_its_log(tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "import sys; sys.exit('no module of that name')")
    with pytest.raises(RuntimeUnavailableError, match=r"(?s)gcp ended before.*no module of that name"):
        run(PROVIDERS["gcp"], launch(argv, free_port()), tmp_path)


def test_a_program_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RuntimeUnavailableError, match="nowhere/emulator"):
        run(PROVIDERS["aws"], launch(("/nowhere/emulator",), free_port()), tmp_path)


def test_a_missing_emulator_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeUnavailableError, match="make install"):
        aws_runtime._emulator(tmp_path)


@pytest.mark.parametrize("module", ["nothing_of_that_name", "nothing_of_that_name.inner"])
def test_a_missing_package_says_how_to_get_it(module: str) -> None:
    with pytest.raises(RuntimeUnavailableError, match="nothing-of-that-name is not installed: run `make"):
        installed("nothing-of-that-name", module)


def test_an_unknown_provider_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(RuntimeUnavailableError, match="use one of aws, gcp, azure, ibm, local"):
        start("oracle", tmp_path)


def test_a_runtime_that_breaks_off_says_so_with_its_log(tmp_path: Path) -> None:
    with start(LOCAL, tmp_path) as instance:
        (pid,) = processes(instance)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RuntimeUnavailableError, match="local broke off"):
            instance.call(Request(body=b"{}"))


@pytest.mark.parametrize("provider", ALL)
def test_the_log_and_the_working_directory_are_in_the_folder(provider: str, tmp_path: Path) -> None:
    with start(provider, tmp_path) as instance:
        instance.call(Request(body=b"{}"))
        directories = {Path(f"/proc/{pid}/cwd").readlink() for pid in processes(instance)}
    assert (instance.log.exists(), instance.log.parent, directories) == (True, tmp_path, {tmp_path / "work"})


@pytest.mark.parametrize("provider", ALL)
def test_relative_paths_count_from_the_working_directory_asked_for(provider: str, tmp_path: Path) -> None:
    work = tmp_path / "elsewhere"
    with start(provider, tmp_path / "home", work) as instance:
        instance.call(Request(body=b"{}"))
        directories = {Path(f"/proc/{pid}/cwd").readlink() for pid in processes(instance)}
    assert directories == {work}


@pytest.mark.parametrize("provider", ALL)
def test_the_callers_environment_stays_with_the_caller(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_SECRET", "do not tell")
    with start(provider, tmp_path) as instance:
        instance.call(Request(body=b"{}"))
        environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in processes(instance)]
    assert [environment for environment in environments if b"do not tell" in environment] == []


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_listens_on_loopback_only(provider: str, tmp_path: Path) -> None:
    with start(provider, tmp_path) as instance:
        instance.call(Request(body=b"{}"))
        addresses = {address for pid in processes(instance) for address in listening(pid)}
    assert addresses == {LOOPBACK}


def listening(pid: int) -> set[str]:
    """Addresses, as /proc/net writes them, on which a process listens."""
    sockets = {str(descriptor.readlink()) for descriptor in Path(f"/proc/{pid}/fd").iterdir()}
    rows = [row.split() for table in ("tcp", "tcp6") for row in Path(f"/proc/net/{table}").read_text().splitlines()]
    return {row[1].partition(":")[0] for row in rows if row[3] == LISTENING and f"socket:[{row[9]}]" in sockets}


@pytest.mark.parametrize("provider", ALL)
def test_two_instances_at_once_do_not_clash(provider: str, tmp_path: Path) -> None:
    with start(provider, tmp_path / "one") as one, start(provider, tmp_path / "two") as two:
        statuses = [each.call(Request(body=b"{}")).response.status for each in (one, two, one, two)]
    assert statuses == [400, 400, 400, 400]


def test_a_folder_with_a_blank_in_its_name_is_fine(tmp_path: Path) -> None:
    statuses = []
    for provider in ALL:
        with start(provider, tmp_path / "my folder" / provider) as instance:
            statuses.append(instance.call(Request(body=b"{}")).response.status)
    assert statuses == [400] * len(ALL)


NOISY = """
from adapters.lab import inprocess
from core.message import Response
def handle(request, context):
    print("a service says this")
    return Response(status=200, headers={}, body=request.body)
inprocess.handle = handle
inprocess.main()
"""


def test_what_a_service_prints_does_not_disturb_the_workers_frames() -> None:
    request = msgspec.msgpack.encode(Request(body=b"{}"))
    sent = len(request).to_bytes(LENGTH_BYTES, "big") + request
    done = subprocess.run([sys.executable, "-c", NOISY], input=sent, capture_output=True, check=True)
    frames = io.BytesIO(done.stdout)
    ready, answer = receive(frames), receive(frames)
    assert answer is not None
    reply = msgspec.msgpack.decode(answer, type=Reply)
    said = (ready, reply.response.body, done.stderr, frames.read())
    assert said == (b"\xc0", b"{}", b"a service says this\n", b"")


@pytest.mark.parametrize("provider", ALL)
def test_a_package_in_the_working_directory_does_not_win_over_ours(provider: str, tmp_path: Path) -> None:
    for name in ("core", "adapters", "msgspec", "function_app"):
        (tmp_path / "work" / name).mkdir(parents=True)
        (tmp_path / "work" / name / "__init__.py").write_text("raise RuntimeError('the caller has one too')")
    with start(provider, tmp_path) as instance:
        status = instance.call(Request(body=b"{}")).response.status
    assert status == 400


def test_ending_gives_up_on_a_process_that_does_not_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(LOCAL, tmp_path) as instance:
        with monkeypatch.context() as patch:
            patch.setattr(sessions, "_send", lambda _pid, _number: None)
            left = sessions.end([instance._process._mark], grace_s=0, patience_s=0)
        assert left == processes(instance)


def test_waiting_for_an_instance_ends_with_its_runtime(tmp_path: Path) -> None:
    with start("ibm", tmp_path) as instance:
        (pid,) = processes(instance)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(RuntimeUnavailableError, match="ibm ended"):
            instance.wait()


def test_an_instance_says_what_it_is_and_what_is_a_stand_in(tmp_path: Path) -> None:
    said = {}
    for provider in ALL:
        with start(provider, tmp_path / provider) as instance:
            said[provider] = (instance.provider, bool(instance.about), instance.substitute is not None)
    assert said == {
        LOCAL: (LOCAL, True, False),
        "aws": ("aws", True, False),
        "gcp": ("gcp", True, False),
        "azure": ("azure", True, True),
        "ibm": ("ibm", True, True),
    }
