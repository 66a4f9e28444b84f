"""What every database is loaded from, and what it should answer."""

import hashlib
from contextlib import closing
from pathlib import Path

import msgspec

from bench.source import Source, Wanted, prepared
from bench.tiers.client import Client, call
from bench.tiers.experiment import QUESTIONS, TOTALS, Comparison
from bench.tiers.records import FILE, AnswerRecord
from bench.tiers.tools import Tools
from core.errors import DataError


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What every database is loaded from, and what it should answer.

    Attributes:
        source: The data before it was transformed.
        clean: The transformed file.
        rows: Its rows.
        right: What the file itself answers, question by question.
    """

    source: Source
    clean: Path
    rows: int
    right: list[AnswerRecord]


def made(comparison: Comparison, scratch: Path, tools: Tools) -> Material:
    """The material of a comparison.

    Args:
        comparison: What was asked.
        scratch: Where the files go.
        tools: What makes rows and starts clients.

    Raises:
        PolyfaasError: The data cannot be made, read or transformed.
    """
    source = prepared(Wanted(data=comparison.data, rows=comparison.rows, seed=comparison.seed), scratch, tools.generate)
    clean = scratch / "transformed.csv"
    with closing(tools.start("preparation", scratch, [source.path, str(scratch)])) as client:
        transformed = _result(client, "transform", {"source": source.path, "target": str(clean)})
        # The file is asked, so that no database is the measure of the others.
        right = [_right(client, clean, name) for name in dict.fromkeys([TOTALS, *comparison.questions])]
    return Material(source=source, clean=clean, rows=msgspec.json.decode(transformed)["rows_out"], right=right)


def _right(client: Client, clean: Path, question: str) -> AnswerRecord:
    result = _result(client, "query", {"database": str(clean), **QUESTIONS[question]})
    digest = hashlib.sha256(result).hexdigest()
    return AnswerRecord(tier=FILE, question=question, digest=digest, result=msgspec.Raw(result))


def _result(client: Client, service: str, parameters: dict[str, object]) -> bytes:
    answered = call(client, service, parameters)
    if answered.error:
        raise DataError(f"{service} of the data failed, so there is nothing to compare: {answered.error}")
    return answered.result
