"""Whether every database took in all rows and answered as the file itself does, and where one first did not."""

from collections.abc import Iterator

import msgspec

from bench.agreement import first_difference
from bench.results import Difference
from bench.tiers.experiment import TOTALS
from bench.tiers.records import FILE, ClientRecord, LoadRecord, Run

ROWS = "rows"
QUERIES = "queries"


class Disagreement(msgspec.Struct, frozen=True, kw_only=True):
    """One database's first difference in one move.

    Attributes:
        tier: Which database.
        clients: How many asked at once; 0 for a load.
        what: The question; "rows" for the number that a load took in.
        difference: The first place that differs; absent when there was no answer at all.
        error: Why there was none.
    """

    tier: str
    clients: int
    what: str
    difference: Difference | None = None
    error: str | None = None


def judge(run: Run) -> list[Disagreement]:
    """What keeps databases from agreeing, first of each database, number of clients and question; empty: all agree."""
    found: dict[tuple[str, int, str], Disagreement] = {}
    for each in _all(run):
        found.setdefault((each.tier, each.clients, each.what), each)
    return list(found.values())


def describe(item: Disagreement) -> str:
    """A disagreement in words, with both values."""
    where = f"{item.tier}, {f'{item.clients} clients' if item.clients else 'load'}, {item.what}"
    if item.difference is None:
        return f"{where}: {item.error}"
    return f"{where}: {item.difference.place} is {item.difference.found}, in the file {item.difference.expected}"


def _all(run: Run) -> Iterator[Disagreement]:
    answers = _Answers(run)
    for load in run.loads:
        yield from _of_load(load, run.header.rows, answers)
    for first in run.firsts:
        if first.error:
            yield Disagreement(tier=first.tier, clients=first.clients, what=first.question, error=first.error)
        elif difference := answers.difference(first.question, first.digest):
            yield Disagreement(tier=first.tier, clients=first.clients, what=first.question, difference=difference)
    for client in run.clients:
        yield from _of_client(client, run.header.comparison.questions, answers)


class _Answers:
    """The answers of a run, and those of the file."""

    def __init__(self, run: Run) -> None:
        self._results = {(each.question, each.digest): bytes(each.result) for each in run.answers}
        self._right = {each.question: each.digest for each in run.answers if each.tier == FILE}

    def difference(self, question: str, digest: str | None) -> Difference | None:
        """Where an answer first differs from the file's; None where it does not, or where there is none."""
        right = self._right[question]
        if digest is None or digest == right:
            return None
        return first_difference(self._results[question, right], self._results[question, digest])


def _of_load(load: LoadRecord, rows: int, answers: _Answers) -> Iterator[Disagreement]:
    if load.error:
        yield Disagreement(tier=load.tier, clients=0, what=ROWS, error=load.error)
    elif load.rows != rows:
        yield Disagreement(tier=load.tier, clients=0, what=ROWS, difference=Difference(ROWS, str(rows), str(load.rows)))
    if difference := answers.difference(TOTALS, load.digest):
        yield Disagreement(tier=load.tier, clients=0, what=TOTALS, difference=difference)


def _of_client(client: ClientRecord, questions: tuple[str, ...], answers: _Answers) -> Iterator[Disagreement]:
    if client.error:
        yield Disagreement(tier=client.tier, clients=client.clients, what=QUERIES, error=client.error)
    for number, digests in client.digests.items():
        for digest in digests:
            if difference := answers.difference(questions[number], digest):
                yield Disagreement(
                    tier=client.tier, clients=client.clients, what=questions[number], difference=difference
                )
