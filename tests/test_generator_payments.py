"""Generated payments look like the published files of Open Payments."""

import csv
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from core.generator import generate

ROWS = 4000
LAYOUTS = (65, 75, 91)
YEARS = {65: 2015, 75: 2019, 91: 2022}
PAYER = "Applicable_Manufacturer_or_Applicable_GPO_Making_Payment_Name"
NATURE = "Nature_of_Payment_or_Transfer_of_Value"
AMOUNT = "Total_Amount_of_Payment_USDollars"
# A published line of program year 2018 has this shape: what is there stands in quotes, but for the amount.
FIELD = re.compile(r'"(?:[^"]|"")+"|')


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("payments")
    for layout in LAYOUTS:
        generate(str(folder / f"{layout}.csv"), rows=ROWS, dataset="payments", layout=layout)
    return {layout: folder / f"{layout}.csv" for layout in LAYOUTS}


def records(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, strict=True)


def header(path: Path) -> list[str]:
    with path.open(encoding="utf-8") as file:
        return file.readline().rstrip("\n").split(",")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_has_its_number_of_columns_each_once(files: dict[int, Path], layout: int) -> None:
    assert (len(header(files[layout])), len(set(header(files[layout])))) == (layout, layout)


def test_the_91_columns_call_the_physician_a_covered_recipient(files: dict[int, Path]) -> None:
    assert [name for name in header(files[91]) if name.startswith("Physician_")] == ["Physician_Ownership_Indicator"]
    renamed = {name.replace("Covered_Recipient_", "Physician_") for name in header(files[91])}
    missing = {name for name in header(files[75]) if name.startswith("Physician_")} - renamed
    assert missing == {"Physician_Primary_Type", "Physician_Specialty"}


@pytest.mark.parametrize(
    ("layout", "place", "name"),
    [
        (65, 48, "Product_Indicator"),
        (65, 63, "Name_of_Associated_Covered_Device_or_Medical_Supply5"),
        (75, 6, "Physician_Profile_ID"),
        (75, 31, "Total_Amount_of_Payment_USDollars"),
        (75, 46, "Record_ID"),
        (75, 73, "Associated_Drug_or_Biological_NDC_5"),
        (91, 7, "Covered_Recipient_NPI"),
        (91, 42, "Total_Amount_of_Payment_USDollars"),
        (91, 57, "Record_ID"),
        (91, 89, "Associated_Device_or_Medical_Supply_PDI_5"),
        (91, 91, "Payment_Publication_Date"),
    ],
)
def test_a_column_stands_where_the_published_file_has_it(
    files: dict[int, Path], layout: int, place: int, name: str
) -> None:
    assert header(files[layout])[place - 1] == name


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_there_stands_in_quotes_but_for_the_amount(files: dict[int, Path], layout: int) -> None:
    amount = header(files[layout]).index(AMOUNT)
    with files[layout].open(encoding="utf-8") as file:
        next(file)
        for line in file:
            fields = re.findall(r'((?:"(?:[^"]|"")*"|[^",])*)(?:,|$)', line.rstrip("\n"))[:layout]
            assert re.fullmatch(r"\d+\.\d\d", fields.pop(amount))
            assert all(FIELD.fullmatch(field) for field in fields)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_record_has_a_payment_of_the_program_year(files: dict[int, Path], layout: int) -> None:
    for record in records(files[layout]):
        day = datetime.strptime(record["Date_of_Payment"], "%m/%d/%Y").replace(tzinfo=UTC)
        assert day.year == int(record["Program_Year"]) == YEARS[layout]
        assert Decimal(record[AMOUNT]) > 0
        assert 1 <= int(record["Number_of_Payments_Included_in_Total_Amount"]) <= 3


def test_few_payments_make_up_most_of_the_money(files: dict[int, Path]) -> None:
    amounts = sorted((Decimal(record[AMOUNT]) for record in records(files[91])), reverse=True)
    assert sum(amounts[: ROWS // 50]) > sum(amounts) / 2


def test_most_payments_are_meals_and_every_nature_is_cmss(files: dict[int, Path]) -> None:
    natures = Counter(record[NATURE] for record in records(files[91]))
    assert natures.most_common(1)[0][0] == "Food and Beverage"
    assert natures["Food and Beverage"] > 0.8 * ROWS
    assert len(natures) == 16


def test_a_recipient_is_the_same_in_each_payment(tmp_path: Path) -> None:
    generate(str(tmp_path / "g.csv"), rows=20_000, dataset="payments")
    known: dict[str, str] = {}
    for record in records(tmp_path / "g.csv"):
        if identifier := record["Covered_Recipient_Profile_ID"]:
            person = record["Covered_Recipient_NPI"] + record["Covered_Recipient_Last_Name"] + record["Recipient_City"]
            assert known.setdefault(identifier, person) == person
    assert len(known) < 19_850


def test_payers_are_written_in_several_ways(files: dict[int, Path]) -> None:
    written = {record[PAYER] for record in records(files[91])}
    assert {"Medtronic USA, Inc.", "Medtronic USA, Inc. ", "MEDTRONIC USA, INC.", "Medtronic Usa, Inc."} <= written


def test_names_have_accents_and_apostrophes(files: dict[int, Path]) -> None:
    assert {"O'Brien", "Núñez"} <= {record["Covered_Recipient_Last_Name"] for record in records(files[91])}


def test_a_teaching_hospital_has_no_name_no_specialty_and_no_license(files: dict[int, Path]) -> None:
    hospitals = [each for each in records(files[91]) if each["Covered_Recipient_Type"].endswith("Hospital")]
    assert hospitals
    for record in hospitals:
        assert record["Teaching_Hospital_Name"]
        assert record["Recipient_Zip_Code"]
        personal = ("Profile_ID", "NPI", "Last_Name", "Specialty_1", "License_State_code1")
        assert [record[f"Covered_Recipient_{name}"] for name in personal] == [""] * 5


def test_a_full_size_row_has_about_620_bytes(files: dict[int, Path]) -> None:
    assert 560 <= files[91].stat().st_size / ROWS <= 680


def test_record_ids_are_unique(files: dict[int, Path]) -> None:
    assert len({record["Record_ID"] for record in records(files[91])}) == ROWS
