"""Bad rows: each is kept with its place and the reason, or stops the work; the good ones are none the worse."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core import DataError, RequestError, transform
from tests import reference
from tests.conftest import row

Sales = Callable[..., Path]
pytestmark = pytest.mark.usefixtures("either_way")


def rejects(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_bad_row_goes_to_the_rejects_file_and_the_others_go_on(sales: Sales, tmp_path: Path) -> None:
    bad = row(Order_ID="2", Ship_Date="2/30/2015")
    result = transform(sales([row(Order_ID="1"), bad, row(Order_ID="3")]), tmp_path / "out.csv")
    assert (result.rows_in, result.rows_out, result.duplicates, result.rejected) == (3, 2, 0, 1)
    assert result.rejects == f"{tmp_path}/out.csv.rejects.jsonl"
    assert rejects(Path(result.rejects)) == [
        {
            "line": 3,
            "column": "Ship Date",
            "value": "2/30/2015",
            "reason": "'2/30/2015' is not a date as M/D/YYYY, such as 5/28/2010",
            "raw": ",".join(bad),
        }
    ]


def test_lines_are_counted_across_line_breaks_in_fields_and_blank_lines(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID="1", Country="a\nb\r\nc"), row(Order_ID="2", Units_Sold="x")])
    source.write_bytes(source.read_bytes().replace(b"\nAsia,Japan", b"\n\nAsia,Japan"))
    transform(source, tmp_path / "out.csv", rejects=tmp_path / "bad")
    assert [(each["line"], each["column"]) for each in rejects(tmp_path / "bad")] == [(6, "Units Sold")]


def test_a_quote_that_is_never_closed_costs_its_own_line_only(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(number)) for number in range(1, 101)])
    lines = source.read_text().splitlines()
    for number in (10, 50, 90):
        lines[number] = '"' + lines[number]
    source.write_text("\n".join(lines) + "\n")
    result = transform(source, tmp_path / "out.csv", rejects=tmp_path / "bad")
    assert (result.rows_in, result.rows_out, result.rejected) == (100, 97, 3)
    assert [each["line"] for each in rejects(tmp_path / "bad")] == [11, 51, 91]


def test_a_nul_is_rejected_by_name(sales: Sales, tmp_path: Path) -> None:
    transform(sales([row(Order_ID="1", Country="a\0b"), row()]), tmp_path / "out.csv", rejects=tmp_path / "bad")
    (found,) = rejects(tmp_path / "bad")
    assert (found["reason"], found["raw"]) == (
        "the row holds a NUL byte: remove it",
        ",".join(row(Order_ID="1", Country="a\0b")),
    )


def test_a_rejected_row_is_not_the_first_of_its_key(sales: Sales, tmp_path: Path) -> None:
    result = transform(sales([row(Units_Sold="x"), row(Units_Sold="7")]), tmp_path / "out.csv")
    assert (result.rejected, result.duplicates) == (1, 0)
    assert reference.read(str(tmp_path / "out.csv"))[0][8] == "7"


def test_more_bad_rows_than_allowed_stop_the_work_and_leave_nothing(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(number), Units_Sold="x") for number in range(5)])
    with pytest.raises(DataError, match="more than 2 bad rows") as caught:
        transform(source, tmp_path / "out.csv", max_rejects=2)
    assert [fault.line for fault in caught.value.errors] == [2, 3, 4]
    assert list(tmp_path.iterdir()) == [source]


def test_as_many_bad_rows_as_allowed_are_no_failure(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(number), Units_Sold="x") for number in range(2)])
    assert transform(source, tmp_path / "out.csv", max_rejects=2).rejected == 2


def test_a_named_rejects_file_is_there_even_when_it_is_empty(sales: Sales, tmp_path: Path) -> None:
    result = transform(sales([row()]), tmp_path / "out.csv", rejects=tmp_path / "bad")
    assert (result.rejects, (tmp_path / "bad").read_bytes()) == (str(tmp_path / "bad"), b"")


def test_an_earlier_runs_rejects_do_not_stay_beside_a_clean_target(sales: Sales, tmp_path: Path) -> None:
    transform(sales([row(Units_Sold="x")]), tmp_path / "out.csv")
    result = transform(sales([row()]), tmp_path / "out.csv")
    assert result.rejects is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "sales.csv"]


@pytest.mark.parametrize("name", ["sales.csv", "out.csv"])
def test_rejects_never_take_the_place_of_the_data(sales: Sales, tmp_path: Path, name: str) -> None:
    with pytest.raises(RequestError, match="are one file"):
        transform(sales([row()]), tmp_path / "out.csv", rejects=tmp_path / name)


def test_a_line_end_in_a_field_counts_where_the_last_line_has_none(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Country="two\nlines", Order_ID="1"), row(Order_ID="2"), row(Order_ID="3", Units_Sold="x")])
    source.write_bytes(source.read_bytes().removesuffix(b"\n"))
    transform(source, tmp_path / "out.csv", rejects=tmp_path / "bad.jsonl")
    assert [each["line"] for each in rejects(tmp_path / "bad.jsonl")] == [5]
