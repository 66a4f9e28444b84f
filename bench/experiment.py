"""What a run measures: the experiment, its requests and the order of its calls."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from core.message import Request

LOCAL = "local"
TARGET = "transformed.csv"
DATABASE = "sales.db"

# What a service leaves behind in its working folder, compared after the cold and after the warm calls.
FILES = {"transform": TARGET, "load": DATABASE}
SERVICES = ("transform", "load", "query")


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """One run, as asked for.

    Attributes:
        providers: The providers to compare with the in-process call, which always runs.
        data: Path of the sales CSV; null means that rows are generated.
        rows: Number of rows to generate; of no effect with data.
        repetitions: Warm calls of each service on each provider.
        seed: Fixes the generated rows and the order of the cold and of the warm calls.
    """

    providers: tuple[str, ...]
    data: str | None = None
    rows: int = 100_000
    repetitions: int = 20
    seed: int = 1


class Step(msgspec.Struct, frozen=True):
    """A request by its name in the experiment.

    Attributes:
        name: Unique in the experiment.
        service: The service that it calls.
        body: The JSON body, the same bytes for every provider.
    """

    name: str
    service: str
    body: bytes

    def request(self) -> Request:
        """The request to send."""
        headers = {"content-type": "application/json"}
        return Request(method="POST", path=f"/{self.service}", headers=headers, body=self.body)


class Planned(msgspec.Struct, frozen=True):
    """One step of a run: a call to make, or the truth probes.

    Attributes:
        provider: Whom to call.
        step: What to ask.
        phase: "calibration", "cold" (in a fresh instance), "totals", "warmup" or "warm".
    """

    provider: str
    step: Step
    phase: str

    @property
    def title(self) -> str:
        """What it is, in a few words."""
        return f"{self.phase} {self.provider} {self.step.name}"


# The truth probes, which have requests of their own.
PROBES = Step("probes", "probe", b"")


def providers(experiment: Experiment) -> tuple[str, ...]:
    """Who is called: in process first, then as asked for."""
    return (LOCAL, *experiment.providers)


def steps(source: Path) -> dict[str, Step]:
    """The pipeline's three requests and the totals a user can check, by name.

    Args:
        source: The sales CSV. Everything else lies in the provider's own working folder.
    """
    database = f"sqlite:///{DATABASE}"
    return {
        step.name: step
        for step in (
            _step("transform", "transform", source=str(source.resolve()), target=TARGET),
            _step("load", "load", source=TARGET, database=database),
            _step("query", "query", database=database, group_by=["Region"]),
            _step("totals", "query", database=database),
        )
    }


def plan(experiment: Experiment, source: Path) -> list[Planned]:
    """Every call of the run in its order: the same for the same experiment."""
    by_name = steps(source)
    everybody = providers(experiment)
    order = random.Random(experiment.seed)  # noqa: S311  (an order, not a secret)
    asked = [by_name[name] for name in SERVICES]
    warm_up = [call for provider in everybody for call in _warm_up(provider, by_name)]
    return [*_cold(everybody, asked, order), *warm_up, *_warm(everybody, asked, experiment.repetitions, order)]


def _step(name: str, service: str, **parameters: object) -> Step:
    return Step(name, service, msgspec.json.encode(parameters))


def _cold(providers: Sequence[str], asked: list[Step], order: random.Random) -> Iterator[Planned]:
    for step in asked:
        # Shuffled: whoever is always first would pay for files that are not in the page cache yet.
        yield from (Planned(provider, step, "cold") for provider in order.sample(providers, len(providers)))


def _warm_up(provider: str, by_name: dict[str, Step]) -> Iterator[Planned]:
    # The instance of the cold query stays; it has not seen the two others yet.
    yield Planned(provider, by_name["totals"], "totals")
    yield Planned(provider, by_name["transform"], "warmup")
    yield Planned(provider, by_name["load"], "warmup")


def _warm(providers: Sequence[str], asked: list[Step], repetitions: int, order: random.Random) -> Iterator[Planned]:
    calls = [Planned(provider, step, "warm") for provider in providers for step in asked]
    for _ in range(repetitions):
        # Shuffled round by round: a slow minute of the machine then hits every provider alike.
        yield from order.sample(calls, len(calls))
