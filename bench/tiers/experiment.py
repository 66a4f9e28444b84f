"""What a comparison of databases measures: the databases, the questions and the order of its moves."""

import random
from collections.abc import Iterator, Sequence
from pathlib import PurePath

import msgspec

# A client asks at least its part of this many queries a step, however slow they are: a p95 needs 20.
LEAST_QUERIES = 20

# What is asked, by its name; the totals are asked after each load too.
TOTALS = "all"
QUESTIONS: dict[str, dict[str, object]] = {
    TOTALS: {},
    "region": {"group_by": ["Region"]},
    "country": {"filters": {"Country": "Japan"}},
    "filters": {"filters": {"Region": "Europe", "Sales Channel": "Online", "Order Priority": "High"}},
}
MEANINGS = {
    TOTALS: "all rows",
    "region": "by Region",
    "country": "one Country",
    "filters": "three filters",
}


class Tier(msgspec.Struct, frozen=True, kw_only=True):
    """A database of a comparison.

    Attributes:
        name: Unique in the comparison: its kind, with a number where there are several of one.
        url: Its URL without user and options.
        served: It is a server's, or a cloud's; where not, the client's own process does its work.
    """

    name: str
    url: str
    served: bool


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as asked for.

    Attributes:
        tiers: The databases.
        data: Path of the sales CSV; null means that rows are generated.
        rows: Number of rows to generate; of no effect with data.
        repetitions: Rounds: in each, every database is loaded once, and later asked with each number of clients.
        seed: Fixes the generated rows, the order of the moves and the order of each client's questions.
        clients: Numbers of clients that ask at once, ascending.
        seconds: How long each number of clients asks.
        questions: Names of what they ask, each as often.
    """

    tiers: tuple[Tier, ...]
    data: str | None = None
    rows: int = 100_000
    repetitions: int = 3
    seed: int = 1
    clients: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    seconds: float = 5.0
    questions: tuple[str, ...] = tuple(QUESTIONS)


class Planned(msgspec.Struct, frozen=True):
    """One move: a load, or a step of a ladder of clients.

    Attributes:
        phase: "load" or "query".
        tier: Name of the database.
        round: From 0.
        clients: How many ask at once; 0 for a load.
    """

    phase: str
    tier: str
    round: int
    clients: int = 0

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return f"{self.phase} {self.tier}" + (f" by {self.clients}" if self.clients else "")


def named(urls: Sequence[str]) -> dict[str, str]:
    """The URLs by the names of their databases, each once."""
    found: dict[str, str] = {}
    for url in dict.fromkeys(urls):
        kind = _kind(url)
        number = 1 + sum(name.partition(" ")[0] == kind for name in found)
        found[f"{kind} {number}" if number > 1 else kind] = url
    return found


def tiers(urls: dict[str, str]) -> tuple[Tier, ...]:
    """What is recorded of the databases, from their URLs by name."""
    from core import access
    from core.database import SERVERS

    return tuple(
        Tier(name=name, url=access.shown(url), served=url.partition("://")[0] in SERVERS) for name, url in urls.items()
    )


def plan(comparison: Comparison) -> list[Planned]:
    """Every move of the run in its order: the same for the same comparison."""
    order = random.Random(comparison.seed)  # noqa: S311  (an order, not a secret)
    names = [tier.name for tier in comparison.tiers]
    # Shuffled round by round: a slow minute of the machine then hits every database alike.
    loads = [
        Planned("load", name, number)
        for number in range(comparison.repetitions)
        for name in order.sample(names, len(names))
    ]
    steps = [
        Planned("query", name, number, clients)
        for number in range(comparison.repetitions)
        for name in order.sample(names, len(names))
        for clients in comparison.clients
    ]
    return [*loads, *steps]


def mix(order: str, questions: int) -> Iterator[int]:
    """A client's questions by their numbers, without end: each as often, in an order that the text fixes."""
    draw = random.Random(order)  # noqa: S311
    while True:
        yield from draw.sample(range(questions), questions)


def _kind(url: str) -> str:
    """What a database is called: its scheme, or what its file's ending says."""
    scheme, separator, _ = url.partition("://")
    if separator:
        return scheme
    return "duckdb" if PurePath(url).suffix == ".duckdb" else "sqlite"
