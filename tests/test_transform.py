import csv
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import DataError, NotFoundError, RequestError
from core.generator import generate
from core.library import transform as rejecting_transform
from tests import reference
from tests.conftest import row

Sales = Callable[..., Path]
transform = functools.partial(rejecting_transform, on_error="fail")
pytestmark = pytest.mark.usefixtures("either_way")


def test_the_four_transformations_of_the_course(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_Priority="L"), row(Order_ID="2", Order_Priority="M"), row(Order_ID="2")])
    result = transform(source, tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == ",".join([*reference.HEADER, "Order Processing Time", "Gross Margin"])
    assert lines[1] == ",".join([*row(Order_Priority="Low"), "32", repr(294295.98 / 683335.40)])
    assert (result.rows_in, result.rows_out, result.duplicates) == (3, 2, 1)


@pytest.mark.parametrize(
    ("ordered", "shipped", "days"),
    [
        ("1/31/2010", "3/1/2010", 29),
        ("2/28/2012", "3/1/2012", 2),
        ("2/28/2100", "3/1/2100", 1),
        ("12/31/1999", "1/1/2000", 1),
        ("5/28/2010", "5/28/2010", 0),
        ("6/27/2010", "5/28/2010", -30),
    ],
)
def test_processing_time_is_whole_calendar_days(
    sales: Sales, tmp_path: Path, ordered: str, shipped: str, days: int
) -> None:
    transform(sales([row(Order_Date=ordered, Ship_Date=shipped)]), tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv"))[0][-2] == days


def test_the_margin_is_null_without_revenue(sales: Sales, tmp_path: Path) -> None:
    transform(sales([row(Total_Revenue="0.00")]), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().splitlines()[1].endswith(",32,")


def test_the_margin_is_the_full_double(sales: Sales, tmp_path: Path) -> None:
    transform(sales([row(Total_Profit="1.00", Total_Revenue="3.00")]), tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv"))[0][-1] == 1 / 3


def test_the_last_record_stays(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID="1"), row(Order_ID="2")])
    source.write_bytes(source.read_bytes().rstrip())
    assert transform(source, tmp_path / "out.csv").rows_out == 2


def test_the_first_of_repeated_records_stays_whatever_its_date(sales: Sales, tmp_path: Path) -> None:
    rows = [row(Order_Date="9/9/2012", Units_Sold="1"), row(Order_Date="1/1/2012", Units_Sold="2")]
    transform(sales(rows), tmp_path / "out.csv")
    assert [found[8] for found in reference.read(str(tmp_path / "out.csv"))] == ["1"]


def test_ids_are_compared_as_numbers(sales: Sales, tmp_path: Path) -> None:
    assert transform(sales([row(Order_ID="7"), row(Order_ID="007")]), tmp_path / "out.csv").duplicates == 1


def test_text_survives_byte_for_byte(sales: Sales, tmp_path: Path) -> None:
    names = ["Samoa ", "Cote d'Ivoire", "São Tomé", 'the "Bahamas"', "a,b", "two\nlines", "日本", "'; DROP TABLE--", ""]
    source = sales([row(Order_ID=str(index), Country=name) for index, name in enumerate(names)])
    transform(source, tmp_path / "out.csv")
    assert [found[1] for found in reference.read(str(tmp_path / "out.csv"))] == names


def test_numbers_and_dates_are_passed_through_letter_for_letter(sales: Sales, tmp_path: Path) -> None:
    odd = row(Order_Date="05/08/2010", Unit_Price="7.5", Total_Cost="-0", Order_ID="0012")
    transform(sales([odd]), tmp_path / "out.csv")
    found = reference.read(str(tmp_path / "out.csv"))[0]
    assert (found[5], found[9], found[12], found[6]) == ("05/08/2010", "7.5", "-0", "0012")


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_every_line_end_is_read(sales: Sales, tmp_path: Path, line_end: str) -> None:
    source = sales([row(Order_ID="1"), row(Order_ID="2")], line_end=line_end)
    assert transform(source, tmp_path / "out.csv").rows_out == 2


def test_a_byte_order_mark_is_no_part_of_the_header(sales: Sales, tmp_path: Path) -> None:
    source = sales([row()])
    source.write_bytes(b"\xef\xbb\xbf" + source.read_bytes())
    transform(source, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text().startswith("Region,")


def test_columns_are_found_by_name_and_others_passed_through(sales: Sales, tmp_path: Path) -> None:
    header = ["Note", *reversed(reference.HEADER)]
    transform(sales([["keep me", *reversed(row())]], header=header), tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="") as file:
        (found,) = csv.DictReader(file)
    assert (found["Note"], found["Order Priority"], found["Order Processing Time"]) == ("keep me", "Critical", "32")


def test_a_header_without_rows_gives_a_header_without_rows(sales: Sales, tmp_path: Path) -> None:
    result = transform(sales([]), tmp_path / "out.csv")
    assert (result.rows_in, result.rows_out) == (0, 0)
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 1


def test_blank_lines_are_no_records(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID="1")])
    source.write_bytes(source.read_bytes() + b"\n\n")
    assert transform(source, tmp_path / "out.csv").rows_in == 1


@pytest.mark.parametrize(
    "name", ["a b.csv", "o'clock.csv", "a*.csv", "[x].csv", "q?.csv", "p%41.csv", "x#1.csv", "é.csv"]
)
def test_any_file_name_will_do(sales: Sales, tmp_path: Path, name: str) -> None:
    decoy = {"a*.csv": "ab.csv", "[x].csv": "x.csv", "q?.csv": "qq.csv", "p%41.csv": "pA.csv"}.get(name, "decoy.csv")
    sales([row(Order_ID="1"), row(Order_ID="2")], name=decoy)
    assert transform(sales([row()], name=name), tmp_path / f"out {name}").rows_out == 1
    assert (tmp_path / f"out {name}").is_file()


def test_a_file_url_names_the_same_object_as_its_path(sales: Sales, tmp_path: Path) -> None:
    source = sales([row()], name="a b.csv")
    result = transform(source.as_uri(), f"{tmp_path.as_uri()}/out%20file.csv")
    assert (tmp_path / "out file.csv").stat().st_size == result.bytes_out


def test_the_same_input_gives_the_same_bytes(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(index % 900)) for index in range(5000)])
    for name in ("one.csv", "two.csv"):
        transform(source, tmp_path / name)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_file_can_be_transformed_onto_itself(sales: Sales) -> None:
    source = sales([row()])
    transform(source, source)
    assert reference.read(str(source)) == reference.transformed([row()])


def test_concurrent_transforms_do_not_meet(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(index)) for index in range(200)])
    threads = [threading.Thread(target=transform, args=(source, tmp_path / f"{index}.csv")) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({(tmp_path / f"{index}.csv").read_bytes() for index in range(4)}) == 1


BAD_ROWS = {
    "bad date": (row(Ship_Date="2/30/2015"), "Ship Date", "2/30/2015"),
    "date in another format": (row(Order_Date="2015-02-03"), "Order Date", "2015-02-03"),
    "two-digit year": (row(Order_Date="2/3/15"), "Order Date", "2/3/15"),
    "blank before a date": (row(Order_Date=" 2/3/2015"), "Order Date", " 2/3/2015"),
    "no number": (row(Units_Sold="many"), "Units Sold", "many"),
    "fraction of a unit": (row(Units_Sold="12.7"), "Units Sold", "12.7"),
    "exponent": (row(Units_Sold="1e3"), "Units Sold", "1e3"),
    "three decimals": (row(Unit_Price="1.005"), "Unit Price", "1.005"),
    "thousands separator": (row(Unit_Price="1,000.00"), "Unit Price", "1,000.00"),
    "nan": (row(Total_Profit="nan"), "Total Profit", "nan"),
    "empty number": (row(Total_Cost=""), "Total Cost", ""),
    "empty key": (row(Order_ID=""), "Order ID", ""),
    "unknown priority": (row(Order_Priority="X"), "Order Priority", "X"),
    "priority in lower case": (row(Order_Priority="l"), "Order Priority", "l"),
    "no priority": (row(Order_Priority=""), "Order Priority", ""),
    "too few fields": (row()[:-1], None, None),
    "too many fields": ([*row(), "x"], None, None),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_named_by_line_column_and_value(sales: Sales, tmp_path: Path, case: str) -> None:
    bad, column, value = BAD_ROWS[case]
    good = [row(Order_ID="1", Country="two\nlines"), row(Order_ID="2")]
    with pytest.raises(DataError) as caught:
        transform(sales([*good, bad, row(Order_ID="9")]), tmp_path / "out.csv")
    (fault,) = caught.value.errors
    assert (fault.line, fault.column, fault.value) == (5, column, value)


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_refused_file_leaves_the_target_and_the_folder_as_they_were(sales: Sales, tmp_path: Path, case: str) -> None:
    target = tmp_path / "out.csv"
    target.write_text("old")
    source = sales([*[row(Order_ID=str(index)) for index in range(5000)], BAD_ROWS[case][0]])
    with pytest.raises(DataError):
        transform(source, target)
    assert target.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "sales.csv"]


def test_a_repeated_record_must_be_good_too(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3"):
        transform(sales([row(), row(Units_Sold="many")]), tmp_path / "out.csv")


def test_an_error_in_a_large_file_names_the_line(sales: Sales, tmp_path: Path) -> None:
    rows = [row(Order_ID=str(index)) for index in range(60_000)]
    rows[54_321] = row(Order_ID="x")
    with pytest.raises(DataError, match=r'line 54323, column "Order ID": \'x\' is not a whole number'):
        transform(sales(rows), tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"Region,Country\nAsia,Japan\n", 'lacks "Item Type", "Sales Channel"'),
        (b"\xff\xfe\x00", "save the file as UTF-8"),
        (b"Region,Region\n", 'names "Region" twice'),
        (reference.written([[*row(), "1"]], [*reference.HEADER, "Gross Margin"]), 'already has "Gross Margin"'),
        (reference.written([row()]) + b'"unfinished', "the quotes of the row that starts here are wrong"),
        (reference.written([row(Country="caf\xe9")]).decode().encode("latin-1"), "(0xe9) is not UTF-8"),
    ],
)
def test_a_file_that_is_no_sales_csv_is_explained(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "in.csv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        transform(tmp_path / "in.csv", tmp_path / "out.csv")
    assert expected in caught.value.detail
    assert not (tmp_path / "out.csv").exists()


def test_a_missing_source_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is nothing at"):
        transform(tmp_path / "none.csv", tmp_path / "out.csv")


def test_a_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="is a folder"):
        transform(tmp_path, tmp_path / "out.csv")


def test_a_missing_target_folder_is_not_found(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="folder does not exist"):
        transform(sales([row()]), tmp_path / "none" / "out.csv")


def test_a_folder_is_no_target(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="is a folder"):
        transform(sales([row()]), tmp_path)


@pytest.mark.parametrize("url", ["nowhere://bucket/key", "", "file://host/x", "a\0b"])
def test_a_url_of_no_known_store_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(RequestError):
        transform(url, tmp_path / "out.csv")


texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0\r"), max_size=12)
cents = st.integers(-(10**12), 10**12).map(lambda value: str(Decimal(value).scaleb(-2)))
days = st.dates(date(1900, 1, 1), date(2200, 1, 1))


@st.composite
def records(draw: st.DrawFn) -> list[str]:
    ordered = draw(days)
    shipped = ordered + timedelta(days=draw(st.integers(-60, 400)))
    return [
        *(draw(texts) for _ in range(4)),
        draw(st.sampled_from("LMHC")),
        f"{ordered.month}/{ordered.day}/{ordered.year}",
        str(draw(st.integers(0, 30))),
        f"{shipped.month:02}/{shipped.day:02}/{shipped.year}",
        str(draw(st.integers(-(10**17), 10**17))),
        *(draw(cents) for _ in range(5)),
    ]


@given(rows=st.lists(records(), max_size=40), line_end=st.sampled_from(["\n", "\r\n"]))
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_engine_agrees_with_the_obvious_reference(tmp_path: Path, rows: list[list[str]], line_end: str) -> None:
    (tmp_path / "in.csv").write_bytes(reference.written(rows, line_end=line_end))
    result = transform(tmp_path / "in.csv", tmp_path / "out.csv")
    expected = reference.transformed(rows)
    assert reference.read(str(tmp_path / "out.csv")) == expected
    assert (result.rows_in, result.rows_out) == (len(rows), len(expected))


def test_order_and_first_duplicates_hold_in_a_file_of_many_engine_blocks(sales: Sales, tmp_path: Path) -> None:
    rows = [row(Order_ID=str(index * 7919 % 200_003 % 150_000), Units_Sold=str(index)) for index in range(300_000)]
    transform(sales(rows), tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv")) == reference.transformed(rows)


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_the_bytes_are_the_same_on_one_processor_and_on_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, either_way: str, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    generate("in.csv", rows=150_000, duplicates=0.05, rejects=0.001)
    plain = either_way == "plain" and name == "out.csv"
    program = (
        "import os, sys\nos.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])\n"
        f"from core.services import transform\ntransform.small = lambda *_: {plain}\n"
        "from core.library import transform\ntransform('in.csv', sys.argv[2], rejects='bad')\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for processors in ("1", "64"):
        command = [sys.executable, "-c", program, processors, f"{processors} {name}"]
        subprocess.run(command, check=True, env=environment)
    assert Path(f"1 {name}").read_bytes() == Path(f"64 {name}").read_bytes()
