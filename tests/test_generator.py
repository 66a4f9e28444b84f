import csv
import filecmp
import math
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core import RequestError, transform
from core.generator import generate
from core.generator.catalogue import COUNTRIES, ITEMS
from core.generator.record import ID_STEP, IDS
from tests import reference


def records(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def made(tmp_path: Path, **options: Any) -> list[dict[str, str]]:
    generate(str(tmp_path / "g.csv"), **options)
    return records(tmp_path / "g.csv")


def draw(row: int, number: int, bound: int, seed: int) -> int:
    """The documented draw, from MurmurHash3's published 32-bit finalizer."""

    def mixed(value: int) -> int:
        value ^= value >> 16
        value = value * 0x85EBCA6B % 2**32
        value ^= value >> 13
        value = value * 0xC2B2AE35 % 2**32
        return value ^ value >> 16

    word = mixed((mixed(row + 1) + seed * 40503) % 2**32)
    return word * pow(2654435769, number, 2**32) % 2**32 * bound >> 32


def test_the_draws_are_those_of_the_published_hash_on_every_version(tmp_path: Path) -> None:
    found = made(tmp_path, rows=1000, seed=7)
    items = [item for item in ITEMS for _ in range(8)]
    assert [int(record["Units Sold"]) for record in found] == [1 + draw(row, 6, 10_000, 7) for row in range(1000)]
    assert [record["Item Type"] for record in found] == [items[draw(row, 3, 96, 7)] for row in range(1000)]


@pytest.mark.parametrize(("dataset", "rows"), [("sales", 250_000), ("payments", 130_000)])
def test_the_bytes_are_the_same_on_one_processor_and_on_all(tmp_path: Path, dataset: str, rows: int) -> None:
    options = f"rows={rows}, duplicates=0.05, rejects=0.01, dataset={dataset!r}"
    program = (
        "import os, sys\nos.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])\n"
        f"from core.generator import generate\ngenerate(sys.argv[2], {options})\n"
    )
    for processors in ("1", "64"):
        command = [sys.executable, "-c", program, processors, str(tmp_path / processors)]
        subprocess.run(command, check=True, cwd=Path(__file__).parents[1])
    assert filecmp.cmp(tmp_path / "1", tmp_path / "64", shallow=False)


def test_the_result_tells_the_size_of_the_file(tmp_path: Path) -> None:
    result = generate(str(tmp_path / "g.csv"), rows=100)
    assert (result.rows, result.bytes) == (100, (tmp_path / "g.csv").stat().st_size)


def test_progress_goes_up_from_nothing_to_all(tmp_path: Path) -> None:
    told: list[float] = []
    generate(str(tmp_path / "g.csv"), rows=400_000, progress=told.append)
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0, 1)


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("g.csv", "h.csv"):
        generate(str(tmp_path / name), rows=1000, seed=7, duplicates=0.05)
    assert (tmp_path / "g.csv").read_bytes() == (tmp_path / "h.csv").read_bytes()


def test_another_seed_gives_other_records_not_only_other_ids(tmp_path: Path) -> None:
    found = [[record["Country"] for record in made(tmp_path, rows=50, seed=seed)] for seed in (1, 2)]
    assert found[0] != found[1]


def test_no_two_of_the_most_records_share_a_key() -> None:
    assert math.gcd(ID_STEP, IDS) == 1


def test_records_have_the_courses_columns_and_add_up(tmp_path: Path) -> None:
    found = made(tmp_path, rows=2000)
    assert list(found[0]) == reference.HEADER
    for record in found:
        units, price, cost = int(record["Units Sold"]), Decimal(record["Unit Price"]), Decimal(record["Unit Cost"])
        assert 1 <= units <= 10_000
        assert (price, cost) == tuple(map(Decimal, ITEMS[record["Item Type"]]))
        assert Decimal(record["Total Revenue"]) == units * price
        assert Decimal(record["Total Cost"]) == units * cost
        assert Decimal(record["Total Profit"]) == units * (price - cost)
        assert record["Country"] in COUNTRIES[record["Region"]]
        processing = reference.day(record["Ship Date"]) - reference.day(record["Order Date"])
        assert 0 <= processing.days <= 50


def test_every_country_item_and_priority_comes_up(tmp_path: Path) -> None:
    found = made(tmp_path, rows=5000)
    assert {record["Country"] for record in found} == {name for names in COUNTRIES.values() for name in names}
    assert {record["Item Type"] for record in found} == set(ITEMS)
    assert {record["Order Priority"] for record in found} == set("LMHC")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.999])
def test_the_asked_share_repeats_an_earlier_order_id(tmp_path: Path, share: float) -> None:
    made(tmp_path, rows=4000, duplicates=share)
    assert transform(tmp_path / "g.csv", tmp_path / "out.csv").duplicates == int(4000 * share)


def test_no_rows_is_a_header(tmp_path: Path) -> None:
    assert made(tmp_path, rows=0) == []
    assert (tmp_path / "g.csv").read_text().startswith("Region,Country,")


@pytest.mark.parametrize(
    "options",
    [{"rows": -1}, {"rows": 900_000_001}, {"rows": 1, "seed": -1}, {"rows": 1, "seed": 1 << 31}]
    + [{"rows": 1, name: share} for name in ("duplicates", "rejects") for share in (-0.1, 1.0, float("nan"))]
    + [{"rows": 1, "duplicates": 0.5, "rejects": 0.5}, {"rows": 1, "duplicates": 0.9999999999}]
    + [{"rows": 1, "dataset": "taxis"}, {"rows": 1, "dataset": "payments", "layout": 66}],
)
def test_an_option_out_of_range_is_refused_and_nothing_written(tmp_path: Path, options: dict[str, Any]) -> None:
    with pytest.raises(RequestError):
        generate(str(tmp_path / "g.csv"), **options)
    assert not list(tmp_path.iterdir())
