"""The records of conformance: what is asked, what was missed, and the score sheet."""

from collections.abc import Callable, Mapping

import msgspec

from core.message import Request, Response

# What an answer must agree in when nothing else is said.
OUTCOME = ("status", "service", "outcome")


class Golden(msgspec.Struct, frozen=True, kw_only=True):
    """One point of the score: requests, and in what their answers must agree with what is expected.

    Attributes:
        name: In a few words, once in all groups.
        group: What it belongs to.
        requests: Sent one after the other, or all at once.
        aspects: In what each answer must agree; names out of `adapters.conformance.answer.ASPECTS`.
        by_hand: The expected texts that were written by hand, by aspect; the others are what `handle` gives in process.
        at_once: Whether the requests are sent at the same time, by as many connections as the runtime takes.
    """

    name: str
    group: str
    requests: tuple[Request, ...]
    aspects: tuple[str, ...] = OUTCOME
    by_hand: Mapping[str, str] = {}
    at_once: bool = False


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What is examined.

    Attributes:
        name: A provider's name, "local", or an endpoint's URL.
        about: The runtime's name and versions.
        substitute: What about it is a stand-in; null when nothing is.
        call: Asks it.
        beside: Asks it from another thread, on a connection of its own where it takes several.
        curl: The request as a command that repeats it.
    """

    name: str
    about: str
    substitute: str | None
    call: Callable[[Request], Response]
    beside: Callable[[Request], Response]
    curl: Callable[[Request], str]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """In what an answer is not as expected.

    Attributes:
        aspect: What was compared.
        expected: Its text as it should be.
        found: Its text as it is.
        at: Number of the first character that differs, from 0.
    """

    aspect: str
    expected: str
    found: str
    at: int


class Miss(msgspec.Struct, frozen=True, kw_only=True):
    """A point that was lost.

    Attributes:
        group: Of the golden request, or "fuzz".
        name: Of the golden request.
        request: What was asked.
        difference: What was not as expected, the first of several.
        curl: The request as a command; in the lab, URL is what `polyfaas serve` says.
    """

    group: str
    name: str
    request: Request
    difference: Difference
    curl: str


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """The points of a group."""

    group: str
    passed: int
    total: int


class Fuzz(msgspec.Struct, frozen=True, kw_only=True):
    """What the made-up requests showed.

    Attributes:
        seed: With it the same requests are made again.
        asked: How many were sent, those that made a miss smaller among them.
        miss: The smallest request found that is answered otherwise than in process; null when there is none.
    """

    seed: int
    asked: int
    miss: Miss | None


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """The score of one runtime or endpoint.

    Attributes:
        provider: Its name, or the endpoint's URL.
        about: The runtime's name and versions.
        substitute: What about it is a stand-in; null when nothing is.
        scores: Points by group.
        misses: Each point lost.
        left_out: Why a group was not asked, by its name.
        fuzz: What made-up requests showed; null when none were sent.
    """

    provider: str
    about: str
    substitute: str | None
    scores: list[Score]
    misses: list[Miss]
    left_out: dict[str, str] = {}
    fuzz: Fuzz | None = None

    @property
    def passed(self) -> int:
        """Points."""
        return sum(score.passed for score in self.scores)

    @property
    def total(self) -> int:
        """Points that could be had."""
        return sum(score.total for score in self.scores)

    @property
    def is_full(self) -> bool:
        """Nothing was missed."""
        return not self.misses and (self.fuzz is None or self.fuzz.miss is None)
