"""Quotes in what transform writes: the csv module's minimal ones, wherever a value comes from."""

import csv
import io
from pathlib import Path

import pytest

from core import transform

pytestmark = pytest.mark.usefixtures("either_way")
DOCUMENT = """
name = "orders"
key = "Id"
[columns]
"Id" = "text"
"Size" = "integer"
[changes]
"Size" = { bucket = "Size", edges = [10], labels = ["below 10, small", "of 10\\nor more"] }
[derived]
"Word" = { map = "Id", values = { "1" = 'one, "1"' }, otherwise = "no" }
"Constant" = { constant = "a,b" }
"Both" = { concat = ["Id", { constant = "," }, { upper = { constant = "x" } }] }
"""
EXPECTED = [
    ["Id", "Size", "Word", "Constant", "Both"],
    ["1", "below 10, small", 'one, "1"', "a,b", "1,X"],
    ["2", "of 10\nor more", "no", "a,b", "2,X"],
]


def transformed(folder: Path, document: str, text: str) -> bytes:
    (folder / "orders.toml").write_text(document)
    (folder / "in.csv").write_bytes(text.encode())
    transform(folder / "in.csv", folder / "out.csv", str(folder / "orders.toml"), on_error="fail")
    return (folder / "out.csv").read_bytes()


def by_csv_module(rows: list[list[str]], delimiter: str = ",") -> str:
    """Rows that end in a line feed; the module quotes a carriage return only where rows end in one too."""
    found = ""
    for row in rows:
        file = io.StringIO()
        csv.writer(file, delimiter=delimiter, lineterminator="\r\n").writerow(row)
        found += file.getvalue().removesuffix("\r\n") + "\n"
    return found


@pytest.mark.parametrize("delimiter", [",", ";"])
@pytest.mark.parametrize("quote", ["", '"'])
def test_a_text_of_the_dataset_is_quoted_where_it_must_be(tmp_path: Path, delimiter: str, quote: str) -> None:
    rows = [["Id", "Size"], ["1", "9"], ["2", "10"]]
    text = "".join(delimiter.join(f"{quote}{value}{quote}" for value in row) + "\n" for row in rows)
    assert transformed(tmp_path, DOCUMENT, text) == by_csv_module(EXPECTED).encode()


@pytest.mark.parametrize("value", ["a,b", 'say "a"', "two\nlines", "a\rb", "#1", " a ", "'", ""])
@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_value_of_the_input_is_quoted_where_it_must_be(tmp_path: Path, value: str, delimiter: str) -> None:
    rows = [["Id", "Size"], [value, "9"], ["2", "10"]]
    document = DOCUMENT[: DOCUMENT.index("[changes]")]
    assert transformed(tmp_path, document, by_csv_module(rows, delimiter)) == by_csv_module(rows).encode()


def test_an_empty_row_of_one_column_is_no_blank_line(tmp_path: Path) -> None:
    document = 'name = "words"\nkey = "Word"\n[columns]\n"Word" = "text"\n'
    assert transformed(tmp_path, document, 'Word\na\n""\nb\n') == b'Word\na\n""\nb\n'
