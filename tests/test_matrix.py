"""The matrix in docs/data-tier.md: what it says of a run, and that it leaves nothing out."""

from pathlib import Path

import pytest

from tests import matrix

DOCUMENT = Path(__file__).parents[1] / "docs" / "data-tier.md"
ONE = ("Stores", "gs", "list")


def test_a_test_is_about_its_rig_and_operation() -> None:
    found = list(matrix.cells("tests/test_store_contract.py::test_names_are_listed_in_order[gs]"))
    assert found == [ONE]


def test_a_parameter_may_say_what_a_test_is_about() -> None:
    found = list(matrix.cells("tests/test_store_use.py::test_a_database_can_be_an_object[s3-duckdb]"))
    assert found == [("Databases that are objects, by store", "s3", "duckdb")]


def test_another_suites_test_is_about_nothing() -> None:
    assert list(matrix.cells("tests/test_load.py::test_names_are_listed[gs]")) == []


@pytest.mark.parametrize(
    ("ends", "cell"),
    [
        (["passed", "passed"], "| yes (2) |"),
        (["passed", "failed", "skipped"], "| failed |"),
        (["passed", "skipped"], "| not run |"),
        (["gap: no such thing", "passed"], "| but for 1 (2) |"),
    ],
)
def test_a_cell_says_how_its_tests_ended(ends: list[str], cell: str) -> None:
    text = matrix.tables({ONE: ends})
    assert cell in next(line for line in text.splitlines() if line.startswith("| gs |"))
    assert ("1. no such thing" in text) == ("gap: no such thing" in ends)


def test_writing_replaces_what_was_written_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x.md"
    path.write_text(f"before\n{matrix.START}\nold\n{matrix.END}\nafter\n")
    for _ in range(2):
        matrix.write(path)
    lines = path.read_text().splitlines()
    assert (lines[0], lines[-1], "old" in lines) == ("before", "after", False)


@pytest.mark.parametrize("kind", list(matrix.KINDS))
def test_the_document_has_every_rig_and_every_operation(kind: str) -> None:
    text = DOCUMENT.read_text(encoding="utf-8").partition(matrix.START)[2].partition(matrix.END)[0]
    _, rigs, operations = matrix.KINDS[kind]
    table = text.partition(f"| {kind} |")[2].partition("\n\n")[0].splitlines()
    assert [each.strip() for each in table[0].split("|") if each.strip()] == list(operations)
    assert [line.split("|")[1].strip() for line in table[2:]] == list(rigs)
    assert "| failed |" not in text
    assert "| not run |" not in text
