"""A cold start as nested parts, and the spread of each part over several."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from statistics import median

import msgspec

from adapters.coldstart.record import ColdStart, Part, Row, Spread, Start
from core.profiler import Profile

BEFORE, CALL, AFTER, SECOND = "before the process", "first call", "until the answer", "second call"
PREFIX = "start/"
# Spans are told to the nanosecond, and lose some of it as ms.
ROUNDING_MS = 1e-5

Interval = tuple[str, float, float]


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of cold starts.

    Attributes:
        cold_ms: From the spawn to the first answer, with the X-ray.
        cold_without_ms: The same without it.
        second_ms: What the caller waited for the second answer, with it.
        rows: The typical start, part by part.
    """

    cold_ms: Spread
    cold_without_ms: Spread
    second_ms: Spread
    rows: Sequence[Row]


class Document(ColdStart, frozen=True, kw_only=True):
    """The cold starts with what is said of them: the command's JSON."""

    summary: Summary


def summary(found: ColdStart) -> Document:
    """The cold starts, all of them, and their summary."""
    return Document(**msgspec.structs.asdict(found), summary=summarised(found))


def summarised(found: ColdStart) -> Summary:
    """What is said of the cold starts."""
    watched = [start for start in found.starts if start.watched]
    return Summary(
        cold_ms=spread([start.first_answered_ms for start in watched]),
        cold_without_ms=spread([start.first_answered_ms for start in found.starts if not start.watched]),
        second_ms=spread([start.second_ms for start in watched]),
        rows=rows(watched),
    )


def spread(durations_ms: Sequence[float]) -> Spread:
    """The shortest, middle and longest of durations."""
    return Spread(
        n=len(durations_ms),
        min_ms=min(durations_ms),
        median_ms=median(durations_ms),
        max_ms=max(durations_ms),
    )


def rows(starts: Sequence[Start]) -> list[Row]:
    """The parts of the typical start, the one whose cold start took the middle time, with their spread over all.

    A part is the same in two starts when it has the same name within the same other parts.
    """
    typical = sorted(starts, key=lambda start: start.first_answered_ms)[(len(starts) - 1) // 2]
    durations = [dict(_keyed(parts(start))) for start in starts]
    return [
        Row(part=part, spread=spread([other[key].duration_ms if key in other else 0.0 for other in durations]))
        for key, part in _keyed(parts(typical))
    ]


def parts(start: Start) -> list[Part]:
    """The parts of a start in their order; those that lie within others follow these."""
    told = _told(start.first, start.first_began_ms)
    began_ms = max(0.0, min([start.first_began_ms, *(span_ms for _, span_ms, _ in told)]))
    ended_ms = start.first_began_ms + start.first.duration_ms
    second = (SECOND, start.second_sent_ms, start.second_ms)
    return [
        Part(path=(BEFORE,), start_ms=0.0, duration_ms=began_ms, gap=True),
        *nested([*told, (CALL, start.first_began_ms, start.first.duration_ms)]),
        Part(path=(AFTER,), start_ms=ended_ms, duration_ms=start.first_answered_ms - ended_ms, gap=True),
        *nested([second, *_told(start.second, start.second_began_ms)]),
    ]


def _told(profile: Profile, began_ms: float) -> list[Interval]:
    return [(span.name, began_ms + span.start_ms, span.duration_ms) for span in profile.spans]


def nested(intervals: Iterable[Interval]) -> Iterator[Part]:
    """Intervals as parts of those that they lie in. One that begins within another but ends after it is none's part."""
    opened: list[Part] = []
    for name, start_ms, duration_ms in sorted(intervals, key=lambda each: (each[1], -each[2])):
        end_ms = start_ms + duration_ms
        while opened and opened[-1].end_ms < end_ms - ROUNDING_MS:
            opened.pop()
        path = (*(opened[-1].path if opened else ()), name.removeprefix(PREFIX))
        opened.append(Part(path=path, start_ms=start_ms, duration_ms=duration_ms))
        yield opened[-1]


def _keyed(found: Iterable[Part]) -> Iterator[tuple[tuple[tuple[str, ...], int], Part]]:
    """Each part with what it is known by: its path, and the how many-eth it is of that path."""
    counts: Counter[tuple[str, ...]] = Counter()
    for part in found:
        counts[part.path] += 1
        yield (part.path, counts[part.path]), part
