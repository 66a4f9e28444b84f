"""The differential fuzzer: made-up requests, to which a runtime must give the answers of the call in process."""

import tempfile
from pathlib import Path

from adapters.base import RuntimeUnavailableError
from adapters.conformance.answer import compared, difference, exchange, told
from adapters.conformance.examine import in_process
from adapters.conformance.record import Difference, Fuzz, Miss, Subject
from core.message import Request

GROUP, NAME = "fuzz", "made up"


class _Differs(Exception):  # noqa: N818  (what hypothesis looks for, and nobody else sees)
    """An answer differs from the one in process."""


class _Trial:
    """Asks request after request, and keeps the last one that was answered otherwise.

    Hypothesis ends with the smallest that it found.
    """

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.asked = 0
        self.last: tuple[Request, Difference] | None = None

    def check(self, request: Request) -> None:
        """Ask both sides.

        Raises:
            _Differs: The answers do.
        """
        self.asked += 1
        if found := differs(self.subject, request):
            self.last = (request, found)
            raise _Differs(found.aspect)


def differs(subject: Subject, request: Request) -> Difference | None:
    """In what the answer to a request is another than in process; None when it is the same."""
    expected = exchange(request, in_process(request))
    aspects = compared(expected)
    found = exchange(request, subject.call(request))
    return difference(told(expected, aspects), told(found, aspects))


def fuzz(subject: Subject, count: int, seed: int) -> Fuzz:
    """Make up so many requests and send them; a request that is answered otherwise is made as small as can be.

    Args:
        subject: What is examined; its calls may touch nothing.
        count: How many, unless one is answered otherwise.
        seed: The same one gives the same requests.

    Raises:
        RuntimeUnavailableError: Hypothesis is missing, or the runtime broke off.
    """
    trial = _Trial(subject)
    _run(trial, count, seed)
    return Fuzz(seed=seed, asked=trial.asked, miss=_miss(subject, *trial.last) if trial.last else None)


def _run(trial: _Trial, count: int, seed: int) -> None:
    try:
        import hypothesis
        from hypothesis.configuration import set_hypothesis_home_dir
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError("the fuzzer needs hypothesis: pip install 'polyfaas[conform]'") from error
    from adapters.conformance.strategies import requests

    settings = hypothesis.settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
    )
    test = hypothesis.seed(seed)(settings(hypothesis.given(requests())(trial.check)))
    with tempfile.TemporaryDirectory(prefix="polyfaas-") as folder:
        set_hypothesis_home_dir(Path(folder))  # what it notes of Unicode is no business of this folder
        try:
            test()
        except (_Differs, hypothesis.errors.Flaky):
            pass  # the trial has it; a flaky one was answered rightly when it was asked again
        finally:
            set_hypothesis_home_dir(None)


def _miss(subject: Subject, request: Request, found: Difference) -> Miss:
    return Miss(group=GROUP, name=NAME, request=request, difference=found, curl=subject.curl(request))
