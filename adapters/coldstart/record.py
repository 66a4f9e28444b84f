"""The records of cold starts."""

from collections.abc import Sequence

import msgspec

from core.profiler import Profile


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """One fresh instance and its first two calls; all times in ms since just before its process was spawned.

    Attributes:
        watched: The interpreter was watched from its start, by the X-ray.
        first_sent_ms: When the first call was sent.
        first_answered_ms: When it was answered: what the cold start took.
        second_sent_ms: When the second call was sent.
        second_answered_ms: When it was answered.
        first_began_ms: When the first call's body began in the instance.
        second_began_ms: When the second call's did.
        first: The first call's profile.
        second: The second call's.
    """

    watched: bool
    first_sent_ms: float
    first_answered_ms: float
    second_sent_ms: float
    second_answered_ms: float
    first_began_ms: float
    second_began_ms: float
    first: Profile
    second: Profile

    @property
    def second_ms(self) -> float:
        """How long the caller waited for the second answer."""
        return self.second_answered_ms - self.second_sent_ms


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of one cold start.

    Attributes:
        path: Names from the outermost part to this one.
        start_ms: Since the process was spawned.
        duration_ms: How long it took.
        gap: Nothing tells what was done then: it lies between what client and instance measured.
    """

    path: tuple[str, ...]
    start_ms: float
    duration_ms: float
    gap: bool = False

    @property
    def name(self) -> str:
        """What was done."""
        return self.path[-1]

    @property
    def depth(self) -> int:
        """In how many other parts it lies."""
        return len(self.path) - 1

    @property
    def end_ms(self) -> float:
        """When it was over."""
        return self.start_ms + self.duration_ms


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """A duration over all starts of a kind.

    Attributes:
        n: How many of them there are.
        min_ms: The shortest; 0 where a start does not tell the part, as an import under 1 ms.
        median_ms: The middle one.
        max_ms: The longest.
    """

    n: int
    min_ms: float
    median_ms: float
    max_ms: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A part as the typical start had it, and its duration over all watched starts."""

    part: Part
    spread: Spread


class ColdStart(msgspec.Struct, frozen=True, kw_only=True):
    """The cold starts of one provider's runtime.

    Attributes:
        provider: Its name.
        about: The runtime's name and versions.
        substitute: What about it is a stand-in.
        request: What was called, and with what.
        starts: All that were measured, in their order.
    """

    provider: str
    about: str
    substitute: str | None
    request: str
    starts: Sequence[Start]
