"""Ctrl-C, a request to end and a closed terminal are one and the same: stop, clean up, be gone."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def once() -> Iterator[Callable[[], None]]:
    """Make the first ending signal a KeyboardInterrupt and ignore the next ones, which would cut its cleaning short.

    A signal that is ignored from outside, as SIGHUP is under nohup, stays so. Main thread only.

    Yields:
        A check for long loops: raises KeyboardInterrupt if a signal has come. An exception that a signal raises
        while an object is finalized is lost without a trace.
    """
    came: list[int] = []

    def first(number: int, _frame: FrameType | None) -> None:
        for each in ENDING:
            signal.signal(each, signal.SIG_IGN)
        came.append(number)
        raise KeyboardInterrupt

    def check() -> None:
        if came:
            raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in ENDING}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, first)
    try:
        yield check
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
