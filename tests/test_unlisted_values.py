"""A map without `otherwise` rejects what it does not list, wherever the map stands."""

import json
from pathlib import Path

import pytest

from core import transform

pytestmark = pytest.mark.usefixtures("either_way")
DOCUMENT = """
name = "orders"
key = "Id"
[columns]
"Id" = "integer"
"Size" = "text"
"""
SIZES = 'map = "Size", values = { S = "small", L = "large" }'


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param(f'[changes]\n"Size" = {{ {SIZES} }}', id="change"),
        pytest.param(f'[changes]\n"Size" = {{ upper = {{ {SIZES} }} }}', id="inside a change"),
        pytest.param(f'[derived]\n"Word" = {{ {SIZES} }}', id="derived"),
        pytest.param(f'[derived]\n"Word" = {{ concat = ["Id", {{ {SIZES} }}] }}', id="inside a derived column"),
    ],
)
def test_a_value_that_is_not_listed_is_a_bad_row(tmp_path: Path, formula: str) -> None:
    (tmp_path / "orders.toml").write_text(DOCUMENT + formula + "\n")
    (tmp_path / "in.csv").write_text("Id,Size\n1,S\n2,M\n3,L\n")
    result = transform(
        tmp_path / "in.csv", tmp_path / "out.csv", str(tmp_path / "orders.toml"), rejects=tmp_path / "bad"
    )
    (found,) = [json.loads(line) for line in (tmp_path / "bad").read_text().splitlines()]
    assert (result.rows_out, result.rejected) == (2, 1)
    assert (found["line"], found["column"], found["reason"]) == (3, "Size", "'M' is not one of S, L")
