"""What comes between the lab and its runtimes: taken ports, signals, another user's files."""

import contextlib
import http.client
import os
import platform
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters import PROVIDERS
from adapters.aws import runtime as aws_runtime
from adapters.base import Launch, PortTakenError
from adapters.ibm import runtime as ibm_runtime
from adapters.lab import interrupt, start
from adapters.lab.instance import run
from adapters.lab.ports import free_port
from core.message import Request


@pytest.fixture
def taken() -> Iterator[int]:
    """A port on which another program listens."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_another_programs_port_is_not_mistaken_for_the_runtimes(taken: int, tmp_path: Path) -> None:
    argv = (sys.executable, "-c", "import time; time.sleep(60)")
    launch = Launch(argv=argv, environment={}, port=taken, about="made up")
    with pytest.raises(PortTakenError):
        run(PROVIDERS["gcp"], launch, tmp_path)


def test_a_taken_port_is_replaced_by_another(taken: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ports = iter([taken, free_port()])
    monkeypatch.setattr(ibm_runtime, "free_port", lambda: next(ports))
    with start("ibm", tmp_path) as instance:
        assert (instance.url == f"http://127.0.0.1:{taken}", instance.call(Request()).response.status) == (False, 400)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_first_ending_signal_interrupts_and_the_second_does_not_disturb_the_cleaning(
    number: signal.Signals,
) -> None:
    cleaned: list[bool] = []
    with pytest.raises(KeyboardInterrupt), interrupt.once():
        signalled_twice(number, cleaned)
    assert (cleaned, signal.getsignal(signal.SIGINT)) == ([True], signal.default_int_handler)


def signalled_twice(number: signal.Signals, cleaned: list[bool]) -> None:
    try:
        os.kill(os.getpid(), number)
    finally:
        os.kill(os.getpid(), number)
        cleaned.append(True)


def test_an_interrupt_that_is_lost_is_found_by_the_next_check() -> None:
    with interrupt.once() as check:
        check()
        with contextlib.suppress(KeyboardInterrupt):  # as a finalizer does, without a word
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()


def test_a_response_is_closed_before_it_is_collected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finalized: list[bool] = []
    monkeypatch.setattr(http.client.HTTPResponse, "__del__", lambda self: finalized.append(self.closed), raising=False)
    with start("ibm", tmp_path) as instance:
        for _ in range(2):  # closing the connection would close the last one
            instance.call(Request())
    assert finalized == [True, True]


def test_an_emulator_that_another_user_may_run_is_left_as_it_is(tmp_path: Path) -> None:
    emulator = tmp_path / "samcli" / "local" / "rapid" / aws_runtime.EMULATORS[platform.machine()]
    emulator.parent.mkdir(parents=True)
    emulator.touch()
    emulator.chmod(0o555)
    assert (aws_runtime._emulator(tmp_path), emulator.stat().st_mode & 0o777) == (emulator, 0o555)
