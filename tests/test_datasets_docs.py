"""What docs/datasets.md shows is what happens."""

import csv
import io
import re
from pathlib import Path

from core.datasets.document import read
from core.datasets.grammar import pattern
from core.datasets.record import Dataset
from core.expressions import plain, refuses

PAGE = (Path(__file__).parent.parent / "docs" / "datasets.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def fits(record: dict[str, str], dataset: Dataset) -> bool:
    listed = refuses(change.expression for change in dataset.changes)
    types_fit = all(re.fullmatch(pattern(kind), record[column]) for column, kind in dataset.types().items())
    return types_fit and all(record[column] in values for column, values in listed.items())


def transformed(content: str, dataset: Dataset) -> str:
    """What transform does, step by step: check, drop what repeats a key, change, derive."""
    records = [record for record in csv.DictReader(io.StringIO(content)) if fits(record, dataset)]
    first = {record[dataset.key]: record for record in reversed(records)}
    kept = [record for record in records if first[record[dataset.key]] is record]
    columns = list(dataset.types())
    index = {column: position for position, column in enumerate(columns)}
    computed = {
        each.name: plain.function(each.expression, dataset.types(), index) for each in dataset.changes + dataset.derived
    }
    out = io.StringIO()
    writer = csv.DictWriter(out, dataset.transformed().types(), lineterminator="\n")
    writer.writeheader()
    for record in kept:
        fields = [record[column] for column in columns]
        writer.writerow(record | {column: value(fields) for column, value in computed.items()})
    return out.getvalue()


def test_the_pages_example_gives_the_pages_result() -> None:
    given, expected = blocks("csv")
    dataset = read(blocks("toml")[0], "orders.toml")
    assert transformed(given, dataset) == expected


def test_the_page_explains_every_expression() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| `{ ")]
    explained = {operator for row in rows for operator in re.findall(r"`\{ (\w+) = ", row)}
    assert explained == {
        "days_between", "ratio", "year", "month", "iso", "upper", "trim", "constant", "concat", "map", "bucket",
    }  # fmt: skip
