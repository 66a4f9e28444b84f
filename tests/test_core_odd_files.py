"""Files, names and folders that are odd but happen."""

import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from core import DataError, NotFoundError, PolyfaasError, RequestError, StorageError, load, memory, query, storage
from core.generator import generate
from core.library import transform as rejecting_transform
from core.services import transform as service
from tests import reference
from tests.conftest import row

Sales = Callable[..., Path]
transform = functools.partial(rejecting_transform, on_error="fail")
pytestmark = pytest.mark.usefixtures("either_way")
HEADER = ",".join(reference.HEADER) + "\n"
GOOD = ",".join(row(Order_ID="1")) + "\n"


def raw(country: str) -> str:
    """A row with a country as it stands in the file, quotes and all."""
    return ",".join(row(Order_ID="2")).replace("Japan", country) + "\n"


@pytest.mark.parametrize("field", [' "x"', '  "x"', '"x" ', '"a" "b"', ' "', '"" ', ' ""', ' "a,b"'])
def test_blanks_outside_the_quotes_are_refused_not_removed(tmp_path: Path, field: str) -> None:
    (tmp_path / "in.csv").write_text(HEADER + GOOD + raw(field))
    with pytest.raises(DataError, match="line 3"):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_blank_before_a_quote_is_found_after_a_blank_line(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + "\n" + GOOD.replace("Asia", ' "Asia"'))
    with pytest.raises(DataError, match="line 3: ' \"Asia\"' has blanks before its quote"):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")


def test_many_blank_lines_are_no_long_row(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + "\n" * 4_000_001 + ",".join(row(Units_Sold="many")))
    with pytest.raises(DataError, match='line 4000003, column "Units Sold"'):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ('" ""x"""', ' "x"'),
        ('"a, ""b"" , c"', 'a, "b" , c'),
        ('"say ""hi"" , "', 'say "hi" , '),
        ('" "', " "),
        ('5" disk', '5" disk'),
        ('"two\n ""lines"""', 'two\n "lines"'),
    ],
)
def test_blanks_and_quotes_inside_a_field_are_kept(tmp_path: Path, field: str, value: str) -> None:
    (tmp_path / "in.csv").write_text(HEADER + GOOD + raw(field))
    transform(tmp_path / "in.csv", tmp_path / "out.csv")
    assert reference.read(str(tmp_path / "out.csv"))[1][1] == value


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("," + HEADER, "column 1 of the header has no name"),
        (HEADER.replace("\n", ",a\0b\n"), "column 15 of the header has no name, or a control character"),
        (HEADER.replace("\n", ",country\n"), 'names "Country", "country" twice'),
        (HEADER.replace("\n", ",gross margin\n"), 'already has "Gross Margin"'),
        ("\n" + HEADER, "the first line is blank"),
        ("x" * 4_000_001, "the first line is longer than 4,000,000 bytes"),
    ],
)
def test_a_header_that_cannot_name_columns_is_explained(tmp_path: Path, header: str, expected: str) -> None:
    (tmp_path / "in.csv").write_text(header + GOOD)
    with pytest.raises(DataError, match="line 1") as caught:
        transform(tmp_path / "in.csv", tmp_path / "out.csv")
    assert expected in caught.value.detail


def test_columns_may_have_the_names_that_the_engine_uses(sales: Sales, tmp_path: Path) -> None:
    names = ["number", "key", "first", "rowid", "repeated", 'a"b', "o'c"]
    source = sales([[*row(), *names], [*row(), *names]], header=[*reference.HEADER, *names])
    assert transform(source, tmp_path / "out.csv").duplicates == 1
    load(tmp_path / "out.csv", tmp_path / "s.db")
    assert [query(tmp_path / "s.db", [name], aggregates=[{"function": "count"}])[0][name] for name in names] == names


def test_a_row_longer_than_the_engine_reads_is_named(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + GOOD + raw("x" * 4_000_000))
    with pytest.raises(DataError, match="line 3: the row that starts here is longer than 4,000,000 bytes"):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")


def test_a_long_field_does_not_hide_the_bad_place_after_it(tmp_path: Path) -> None:
    bad = ",".join(row(Units_Sold="many"))
    (tmp_path / "in.csv").write_text(HEADER + raw("x" * 3_000_000) + bad)
    with pytest.raises(DataError, match='line 3, column "Units Sold"'):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")


def test_empty_fields_after_the_last_column_are_no_fault(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + GOOD.replace("\n", ",,\n") + ",".join(row(Units_Sold="many")))
    with pytest.raises(DataError, match='line 3, column "Units Sold"'):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")


def test_lines_may_end_in_different_ways(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(HEADER + GOOD.replace("\n", "\r") + raw("x"), newline="")
    assert transform(tmp_path / "in.csv", tmp_path / "out.csv").rows_out == 2


@pytest.mark.parametrize("change", [{"Order_Date": "1/1/0000"}, {"Units_Sold": "9" * 19}, {"Unit_Price": "9" * 14}])
def test_a_value_out_of_range_is_a_fault_of_its_place(sales: Sales, tmp_path: Path, change: dict[str, str]) -> None:
    with pytest.raises(DataError, match="line 2") as caught:
        transform(sales([row(**change)]), tmp_path / "out.csv")
    assert caught.value.errors[0].column == next(iter(change)).replace("_", " ")


@pytest.mark.parametrize("margin", ["1e999", "-1e308", "9" * 400])
def test_a_margin_that_is_no_finite_double_is_refused(sales: Sales, tmp_path: Path, margin: str) -> None:
    transform(sales([row(Total_Revenue="0")]), tmp_path / "clean.csv")
    (tmp_path / "clean.csv").write_text((tmp_path / "clean.csv").read_text().rstrip() + margin)
    with pytest.raises(DataError, match='line 2, column "Gross Margin"'):
        load(tmp_path / "clean.csv", tmp_path / "s.db")


@pytest.mark.parametrize("folder", ["Region=Mars", "year=2024", "~", "[a]*"])
def test_the_name_of_the_folder_changes_nothing(
    sales: Sales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / folder).mkdir()
    sales([row(), row()]).rename(tmp_path / folder / "in.csv")
    monkeypatch.chdir(tmp_path)
    transform(f"{folder}/in.csv", f"{folder}/out.csv")
    load(f"{folder}/out.csv", f"{folder}/s.db")
    assert reference.read(f"{folder}/out.csv") == reference.transformed([row()])
    assert query(f"{folder}/s.db", ["Region"])[0]["Region"] == "Asia"


def test_a_link_stays_a_link_to_the_new_content(sales: Sales, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    for name in ("out.csv", "s.db"):
        (tmp_path / name).symlink_to(f"real/{name}")
    transform(sales([row()]), tmp_path / "out.csv")
    for _ in range(2):
        load(tmp_path / "out.csv", tmp_path / "s.db")
    assert (tmp_path / "out.csv").is_symlink()
    assert (tmp_path / "s.db").is_symlink()
    assert query(tmp_path / "real" / "s.db")[0]["Number of Orders"] == 1


def test_what_is_replaced_keeps_its_permissions(sales: Sales, tmp_path: Path) -> None:
    for _ in range(2):
        transform(sales([row()]), tmp_path / "out.csv")
        load(tmp_path / "out.csv", tmp_path / "s.db")
        for name in ("out.csv", "s.db"):
            mode = (tmp_path / name).stat().st_mode & 0o777
            (tmp_path / name).chmod(0o600)
    assert mode == 0o600


def test_a_device_or_pipe_is_neither_source_nor_target(sales: Sales, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    source, clean = sales([row()]), tmp_path / "clean.csv"
    transform(source, clean)
    for use in (lambda: transform(source, tmp_path / "pipe"), lambda: load(clean, tmp_path / "pipe")):
        with pytest.raises(RequestError, match="is a device or a pipe"):
            use()
    with pytest.raises(NotFoundError, match="is a device or a pipe"):
        transform(tmp_path / "pipe", clean)


@pytest.mark.parametrize("name", ["x" * 256, "a/" * 2048, os.fsdecode(b"caf\xe9")])
def test_a_name_that_no_file_can_have_is_refused(sales: Sales, tmp_path: Path, name: str) -> None:
    source = sales([row()])
    for use in (
        lambda: transform(name, tmp_path / "out.csv"),
        lambda: transform(source, tmp_path / name),
        lambda: load(source, tmp_path / name),
        lambda: query(name),
    ):
        with pytest.raises(RequestError, match=r"names no (object|database)"):
            use()


def test_the_longest_name_that_a_file_can_have_will_do(sales: Sales, tmp_path: Path) -> None:
    name = "x" * 255
    transform(sales([row()]), tmp_path / name)
    assert load(tmp_path / name, tmp_path / ("y" * 250)).rows_loaded == 1


def test_a_file_is_no_folder(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is nothing at"):
        transform(sales([row()]) / "x", tmp_path / "out.csv")


def test_a_full_disk_is_the_stores_failure_and_leaves_nothing(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(index)) for index in range(3000)])
    program = (
        "import resource, signal, sys\n"
        "from core import StorageError, transform\nfrom core.generator import generate\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        f"for use in (lambda: transform({str(source)!r}, 'out.csv'), lambda: generate('g.csv', rows=3000)):\n"
        "    try: use()\n"
        "    except StorageError as error: print(error.detail)\n"
    )
    (tmp_path / "work").mkdir()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, "-c", program]
    found = subprocess.run(command, cwd=tmp_path / "work", env=environment, capture_output=True, text=True, check=True)
    assert [line.partition(":")[0] for line in found.stdout.splitlines()] == [
        "the store failed on out.csv",
        "the engine could not read or write a file",
    ]
    assert not list((tmp_path / "work").iterdir())


def test_a_disk_that_will_be_too_small_is_told_before_it_is_full(
    sales: Sales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "chunk_bytes", lambda: 1 << 20)
    monkeypatch.setattr(storage.room, "free_bytes", lambda _: 10_000)
    monkeypatch.setattr(service, "small", lambda *_: False)
    source = sales([row(Order_ID=str(index)) for index in range(40_000)])
    with pytest.raises(
        StorageError, match=r"out.csv would have about \d MB, and 0 MB are free for the last \d: make room"
    ):
        transform(source, tmp_path / "out.csv")
    assert list(tmp_path.iterdir()) == [source]


def test_a_disk_that_is_too_small_for_the_parts_of_parquet_is_told_too(
    sales: Sales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "chunk_bytes", lambda: 1 << 20)
    monkeypatch.setattr(storage.room, "free_bytes", lambda _: 10)
    source = sales([row(Order_ID=str(index)) for index in range(40_000)])
    with pytest.raises(StorageError, match=r"polyfaas-parquet-.* would have about .* MB, and 0 MB are free"):
        transform(source, tmp_path / "out.parquet")
    assert list(tmp_path.iterdir()) == [source]


def test_calls_leave_no_file_descriptor_behind(sales: Sales, tmp_path: Path) -> None:
    source = sales([row()])

    def call() -> int:
        transform(source, tmp_path / "out.csv")
        load(tmp_path / "out.csv", tmp_path / "s.db")
        query(tmp_path / "s.db", ["Region"])
        with pytest.raises(PolyfaasError):
            load(source, tmp_path / "s.db")
        return len(list(Path("/proc/self/fd").iterdir()))

    counts = [call() for _ in range(10)]
    assert counts[-1] == counts[2]


def test_generated_data_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "g.csv").symlink_to("real.csv")
    generate(str(tmp_path / "g.csv"), rows=1)
    assert (tmp_path / "real.csv").is_file()


def test_a_blank_before_a_quote_is_found_where_two_blocks_of_the_search_meet(tmp_path: Path) -> None:
    fill = (1 << 20) - len(HEADER) - len("Asia, ")
    first = HEADER + GOOD.replace("Asia", "A" * (fill - len(GOOD) + len("Asia")))
    (tmp_path / "in.csv").write_text(first + raw(' "x"'))
    assert (tmp_path / "in.csv").read_bytes()[(1 << 20) - 1 :].startswith(b' "x"')
    with pytest.raises(DataError, match="line 3"):
        transform(tmp_path / "in.csv", tmp_path / "out.csv")
