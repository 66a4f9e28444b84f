"""Asks a runtime every golden request, and holds its answers against those of the call in process."""

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from adapters.conformance.answer import difference, exchange, told
from adapters.conformance.record import Difference, Golden, Miss, Score, Sheet, Subject
from core import access
from core.message import LOCAL, Request, Response
from core.runtime import handle

APART = "told apart"


def examine(subject: Subject, goldens: Sequence[Golden], roots: Iterable[str] = ()) -> Sheet:
    """Send every golden request, in order.

    Args:
        subject: What is examined.
        goldens: What is asked.
        roots: What the calls in process may touch: the same as those of the subject.

    Raises:
        RuntimeUnavailableError: It broke off, or could not be reached.
    """
    allowed = tuple(roots)
    totals = Counter(golden.group for golden in goldens)
    misses = [miss for golden in goldens if (miss := _missed(subject, golden, allowed)) is not None]
    lost = Counter(miss.group for miss in misses)
    return Sheet(
        provider=subject.name,
        about=subject.about,
        substitute=subject.substitute,
        scores=[Score(group=name, passed=total - lost[name], total=total) for name, total in totals.items()],
        misses=misses,
    )


def _missed(subject: Subject, golden: Golden, roots: Sequence[str]) -> Miss | None:
    expected = [_expected(golden, request, roots) for request in golden.requests]
    answers = _answers(subject, golden)
    for request, wanted, answer in zip(golden.requests, expected, answers, strict=True):
        if found := difference(wanted, told(exchange(request, answer), golden.aspects)):
            return _miss(subject, golden, request, found)
    if len(answers) > 1 and (mixed := difference({APART: f"{len(answers)} calls"}, {APART: _apart(answers)})):
        return _miss(subject, golden, golden.requests[0], mixed)
    return None


def _expected(golden: Golden, request: Request, roots: Sequence[str]) -> dict[str, str]:
    left = [aspect for aspect in golden.aspects if aspect not in golden.by_hand]
    known = told(exchange(request, in_process(request, roots)), left) if left else {}
    return {aspect: golden.by_hand.get(aspect) or known[aspect] for aspect in golden.aspects}


def in_process(request: Request, roots: Iterable[str] = ()) -> Response:
    """The answer that a request gets in process, where it may touch these roots."""
    with access.limited(roots):
        return handle(request, LOCAL)


def _answers(subject: Subject, golden: Golden) -> list[Response]:
    if not golden.at_once:
        return [subject.call(request) for request in golden.requests]
    with ThreadPoolExecutor(len(golden.requests)) as threads:
        return list(threads.map(subject.beside, golden.requests))


def _apart(answers: Iterable[Response]) -> str:
    """How many calls the answers are of: each has its number in its instance."""
    return f"{len(set(map(_place, answers)))} calls"


def _place(answer: Response) -> str:
    """The call that an answer says it is of; "" when it does not say."""
    try:
        profile = msgspec.json.decode(answer.body)["profile"]
        return f"{profile['instance_id']} {profile['invocation']}"
    except (msgspec.DecodeError, UnicodeDecodeError, LookupError, TypeError):
        return ""


def _miss(subject: Subject, golden: Golden, request: Request, found: Difference) -> Miss:
    return Miss(group=golden.group, name=golden.name, request=request, difference=found, curl=subject.curl(request))
