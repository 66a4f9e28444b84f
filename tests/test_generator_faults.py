"""A generated bad record is bad in exactly one way; a repeated one repeats an earlier good one."""

import csv
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import transform
from core.generator import generate

FAULTS = {
    "too few fields",
    "too many fields",
    "text in a number",
    "impossible date",
    "unknown value",
    "unterminated quote",
    "NUL byte",
}


class Rules(msgspec.Struct, frozen=True):
    """What makes a record of a dataset good."""

    key: str
    numbers: tuple[str, ...]
    dates: tuple[str, ...]
    values: dict[str, str]


SALES = Rules(
    "Order ID",
    ("Units Sold", "Unit Price", "Total Revenue", "Total Profit"),
    ("Order Date", "Ship Date"),
    {"Order Priority": "LMHC"},
)
PAYMENTS = Rules(
    "Record_ID",
    ("Total_Amount_of_Payment_USDollars", "Number_of_Payments_Included_in_Total_Amount"),
    ("Date_of_Payment",),
    {},
)
CASES: list[Any] = [
    pytest.param({"dataset": "sales"}, SALES, id="sales"),
    *(pytest.param({"dataset": "payments", "layout": layout}, PAYMENTS, id=f"{layout}") for layout in (65, 75, 91)),
]


def parsed(line: str) -> list[str] | None:
    """The fields of a line that stands alone, or None where its quotes are wrong."""
    try:
        return next(csv.reader([line], strict=True))
    except csv.Error:
        return None


def is_day(text: str) -> bool:
    try:
        return bool(datetime.strptime(text, "%m/%d/%Y").replace(tzinfo=UTC))
    except ValueError:
        return False


def found_faults(line: str, header: list[str], rules: Rules) -> list[str]:
    fields = parsed(line)
    if fields is None:
        return ["unterminated quote", *(["NUL byte"] if "\0" in line else [])]
    record = dict(zip(header, fields, strict=False))
    checks = {
        "NUL byte": "\0" in line,
        "too few fields": len(fields) < len(header),
        "too many fields": len(fields) > len(header),
        "text in a number": not all(re.fullmatch(r"\d+(\.\d\d)?", record.get(name, "0")) for name in rules.numbers),
        "impossible date": not all(is_day(record[name]) for name in rules.dates),
        "unknown value": not all(record[name] in known for name, known in rules.values.items()),
    }
    return [fault for fault, holds in checks.items() if holds]


def lines_of(path: Path) -> tuple[list[str], list[str]]:
    header, *lines = path.read_text(encoding="utf-8").splitlines()
    return header.split(","), lines


@pytest.mark.parametrize(("options", "rules"), CASES)
def test_each_bad_record_has_one_fault_and_the_result_counts_them(
    tmp_path: Path, options: dict[str, Any], rules: Rules
) -> None:
    result = generate(str(tmp_path / "g.csv"), rows=3000, rejects=0.1, duplicates=0.05, **options)
    header, lines = lines_of(tmp_path / "g.csv")
    faults = [found_faults(line, header, rules) for line in lines]
    assert max(map(len, faults)) == 1
    assert Counter(fault for (fault,) in filter(None, faults)) == result.faults
    assert (result.rows, result.rejected, result.duplicates) == (len(lines), 300, 150)


def test_sales_can_have_every_fault_and_payments_all_but_an_unknown_value(tmp_path: Path) -> None:
    found = [set(generate(str(tmp_path / "g.csv"), rows=1, dataset=name).faults) for name in ("sales", "payments")]
    assert found == [FAULTS, FAULTS - {"unknown value"}]


@pytest.mark.parametrize(("options", "rules"), CASES)
def test_a_duplicate_repeats_the_key_of_an_earlier_good_record(
    tmp_path: Path, options: dict[str, Any], rules: Rules
) -> None:
    result = generate(str(tmp_path / "g.csv"), rows=3000, rejects=0.1, duplicates=0.3, **options)
    header, lines = lines_of(tmp_path / "g.csv")
    seen: set[str] = set()
    repeats = 0
    for line in lines:
        if not found_faults(line, header, rules):
            key = next(csv.reader([line]))[header.index(rules.key)]
            repeats += key in seen
            seen.add(key)
    assert repeats == result.duplicates


@pytest.mark.parametrize(("options", "rules"), CASES)
def test_no_good_record_has_the_key_of_a_bad_one(tmp_path: Path, options: dict[str, Any], rules: Rules) -> None:
    generate(str(tmp_path / "g.csv"), rows=3000, rejects=0.4, duplicates=0.3, **options)
    header, lines = lines_of(tmp_path / "g.csv")
    keys: dict[bool, set[str]] = {True: set(), False: set()}
    for line in lines:
        fields = parsed(line)
        if fields is not None:
            keys[bool(found_faults(line, header, rules))].add(fields[header.index(rules.key)])
    assert keys[True]
    assert not keys[True] & keys[False]


@pytest.mark.parametrize("options", [case.values[0] for case in CASES], ids=[case.id for case in CASES])
def test_transform_counts_what_was_generated(tmp_path: Path, options: dict[str, Any]) -> None:
    made = generate(str(tmp_path / "g.csv"), rows=2000, rejects=0.05, duplicates=0.1, **options)
    found = transform(tmp_path / "g.csv", tmp_path / "out.csv", dataset=options["dataset"])
    assert (found.rows_in, found.duplicates, found.rejected) == (made.rows, made.duplicates, made.rejected)


def test_nothing_in_a_sales_file_closes_an_unterminated_quote(tmp_path: Path) -> None:
    generate(str(tmp_path / "g.csv"), rows=3000, rejects=0.1)
    text = (tmp_path / "g.csv").read_text()
    assert text.count('"') > 1
    assert re.findall(r'"(?![A-Z])', text) == []


def test_an_unterminated_quote_of_payments_is_wrong_in_its_own_line(tmp_path: Path) -> None:
    generate(str(tmp_path / "g.csv"), rows=300, rejects=0.1, dataset="payments")
    broken = [line for line in lines_of(tmp_path / "g.csv")[1] if parsed(line) is None]
    assert broken
    for line in broken:
        with pytest.raises(csv.Error, match="expected after"):
            next(csv.reader([line], strict=True))


@settings(max_examples=30, deadline=None)
@given(
    rows=st.integers(0, 200),
    duplicates=st.floats(0, 0.49),
    rejects=st.floats(0, 0.49),
    seed=st.integers(0, 2**31 - 1),
)
def test_the_counts_are_those_of_the_file_for_any_shares(
    tmp_path_factory: pytest.TempPathFactory, rows: int, duplicates: float, rejects: float, seed: int
) -> None:
    path = tmp_path_factory.mktemp("any") / "g.csv"
    result = generate(str(path), rows=rows, duplicates=duplicates, rejects=rejects, seed=seed)
    header, lines = lines_of(path)
    good = [line for line in lines if not found_faults(line, header, SALES)]
    keys = {line.split(",")[header.index("Order ID")] for line in good}
    assert (len(lines), len(lines) - len(good), len(good) - len(keys)) == (rows, result.rejected, result.duplicates)
    assert sum(result.faults.values()) == result.rejected
