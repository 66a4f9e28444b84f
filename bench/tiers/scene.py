"""Where a comparison takes place: what its moves share."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bench.tiers.client import Client
from bench.tiers.experiment import QUESTIONS, Comparison
from bench.tiers.messages import Answered
from bench.tiers.records import AnswerRecord, Header, Results
from bench.tiers.tools import Tools


class Scene:
    """What the moves of a run share.

    Attributes:
        comparison: What was asked.
        table: Name of the run's table.
        urls: The databases' URLs by their names.
        results: Where records go.
        tools: What starts clients and gives databases.

    Args:
        header: The run's.
        urls: See above.
        clean: The file to load from.
        results: See above.
        tools: See above.
    """

    def __init__(self, header: Header, urls: Mapping[str, str], clean: Path, results: Results, tools: Tools) -> None:
        self.comparison: Comparison = header.comparison
        self.table = header.table
        self.urls = urls
        self.results = results
        self.tools = tools
        self._clean = clean
        self._known: set[tuple[str, str]] = set()

    def client(self, tier: str, number: int) -> Client:
        """A new client of a database."""
        allowed = [self.urls[tier], str(self._clean)]
        return self.tools.start(f"{tier}-{number}", self._clean.parent / "clients", allowed)

    def load(self, tier: str) -> dict[str, object]:
        """The request that loads a database."""
        return {"source": str(self._clean), "database": self.urls[tier], "table": self.table}

    def question(self, tier: str, name: str) -> dict[str, object]:
        """The request that asks a database a question."""
        return {"database": self.urls[tier], "table": self.table, **QUESTIONS[name]}

    def digest(self, tier: str, question: str, result: bytes) -> str:
        """The digest of a result, which is recorded when it was not seen before."""
        digest = hashlib.sha256(result).hexdigest()
        if (question, digest) not in self._known:
            self._known.add((question, digest))
            answer = AnswerRecord(tier=tier, question=question, digest=digest, result=msgspec.Raw(result))
            self.results.append(answer)
        return digest

    @staticmethod
    def rows_loaded(loaded: Answered) -> int:
        """How many rows a load says that it has loaded."""
        return int(msgspec.json.decode(loaded.result)["rows_loaded"])
