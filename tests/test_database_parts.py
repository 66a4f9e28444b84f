"""What is special about a table of Parquet files under a prefix."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from core import RequestError, engine, load, query, storage
from core.database import Table, TableColumn, connect
from core.database.part_store import Current
from core.datasets.grammar import Type
from core.datasets.record import Filter
from core.services.selection import Asked
from tests.conftest import row
from tests.database_rigs import TABLE, asked, selected, written
from tests.test_database_contract import record
from tests.test_database_loading import COUNT, ids
from tests.test_database_loading import load as loaded

REGIONS = ["Asia", "Sub-Saharan Africa", "a/b", "..", "x=y", "100 %", "\u00e9", "", "two\nlines"]


Clean = Callable[..., Path]


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def current(place: str) -> Current:
    with storage.opened(f"{place}current.json") as file:
        return msgspec.json.decode(file.read(), type=Current)


def test_a_load_leaves_its_parts_and_what_names_them(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/"
    for _ in range(2):
        loaded(url, [record(1), record(2)], tmp_path)
    pointer, part = sorted(names(tmp_path / "t/kinds"), key=len)
    assert pointer == "current.json"
    assert part.endswith("/1/rows.parquet")


def test_any_engine_reads_the_parts_that_are_named(tmp_path: Path) -> None:
    loaded(f"parquet:///{tmp_path}/t/", [record(1), record(2)], tmp_path)
    with engine.session() as db:
        path = engine.text(f"{tmp_path}/t/kinds/*/1/rows.parquet")
        assert db.execute(f"SELECT count(*), sum(amount) FROM read_parquet({path})").fetchall()[0][0] == 2


@pytest.mark.parametrize("scheme", ["parquet:///{}/t/", "parquet+memory://parts{}/t/"])
def test_a_filter_on_the_partition_reads_only_its_parts(
    scheme: str, tmp_path: Path, clean: Callable[..., Path]
) -> None:
    url = scheme.format(tmp_path if scheme.startswith("parquet:///") else tmp_path.name.replace("_", "-"))
    source = clean(*(row(Region=region, Order_ID=str(n)) for n, region in enumerate(REGIONS)))
    load(source, f"{url}?partition_by=Region")
    for region in REGIONS:
        (found,) = query(url, group_by=["Region"], filters={"Region": region})
        assert (found["Region"], found["Number of Orders"]) == (region, 1)
    (all_of_them,) = query(url)
    assert all_of_them["Number of Orders"] == len(REGIONS)
    place = url.removeprefix("parquet+").replace("parquet://", "file://")
    for part in current(f"{place}sales/").parts:
        if part.values["Region"] != "Asia":
            storage.remove(f"{place}sales/{part.name}")
    assert query(url, filters={"Region": "Asia"})[0]["Number of Orders"] == 1
    filters = [{"column": "Region", "op": "in", "value": ["Asia", "Europe"]}]
    assert query(url, filters=filters)[0]["Number of Orders"] == 1


def test_a_partition_by_numbers_and_nulls(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/?partition_by=whole&partition_by=day"
    loaded(url, [record(1, whole=1), record(2, whole=None), record(3, whole=2, day=None)], tmp_path)
    for whole, number in ((1, 1), (2, 3)):
        query = Asked(group_by=["id"], filters=[Filter(column="whole", value=whole)], aggregates=COUNT)
        assert asked([connect(url)], query) == [[(number, 1)]]
    query = Asked(group_by=["id"], filters=[Filter(column="day", op="is_null")], aggregates=COUNT)
    assert asked([connect(url)], query) == [[(3, 1)]]
    day = Asked(group_by=["id"], filters=[Filter(column="day", value="2010-05-28")], aggregates=COUNT)
    assert asked([connect(url)], day) == [[(1, 1), (2, 1)]]


@pytest.mark.parametrize("column", ["amount", "double", "nothing"])
def test_what_cannot_part_a_table_is_refused(column: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="partition_by takes"):
        loaded(f"parquet:///{tmp_path}/t/?partition_by={column}", [record(1)], tmp_path)
    assert names(tmp_path / "t") == [] if (tmp_path / "t").exists() else True


def test_many_rows_become_several_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.database.part_files.ROWS_A_PART", 3)
    url = f"parquet:///{tmp_path}/t/"
    sources = [written([record(2 * n), record(2 * n + 1)], tmp_path, f"{n}.csv") for n in range(5)]
    with engine.session() as db:
        connect(url).load(TABLE, (db.sql(selected(source)) for source in sources), append=False)
    assert len(names(tmp_path / "t/kinds")) == 1 + 3
    assert ids(url) == list(range(10))


def test_a_pointer_that_is_none_says_so(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/"
    loaded(url, [record(1)], tmp_path)
    (tmp_path / "t/kinds/current.json").write_text("{}")
    with pytest.raises(ValueError, match="load the table again"):
        ids(url)


@pytest.mark.parametrize("option", ["partition=Region", "partition_by=Region&x=1"])
def test_an_option_that_is_unknown_is_refused(option: str, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="only option"):
        connect(f"parquet:///{tmp_path}/?{option}")


def test_wide_rows_become_more_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.database.part_files.BYTES_A_PART", 5000)
    url = f"parquet:///{tmp_path}/t/"
    wide = [record(number, **{"Text, of a kind": "x" * 3000}) for number in range(4)]
    sources = [written([each], tmp_path, f"{number}.csv") for number, each in enumerate(wide)]
    with engine.session() as db:
        connect(url).load(TABLE, (db.sql(selected(source)) for source in sources), append=False)
    assert [part.rows for part in current(f"{tmp_path}/t/kinds/").parts] == [2, 2]


@pytest.mark.parametrize("most_held", [0, 400])
def test_the_letters_of_patterns_stand_for_themselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most_held: int
) -> None:
    monkeypatch.setattr("core.database.part_store.MOST_HELD", most_held)
    url = f"parquet:///{tmp_path}/a[b]*{{c}}/"
    loaded(url, [record(1)], tmp_path)
    assert loaded(url, [record(1), record(2)], tmp_path, append=True) == (1, 1)
    assert ids(url) == [1, 2]


def test_what_is_gone_leaves_no_folders(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/?partition_by=whole"
    for _ in range(3):
        loaded(url, [record(1), record(2, whole=7)], tmp_path)
    assert len(list((tmp_path / "t/kinds").iterdir())) == 2
    connect(url).drop("kinds")
    assert list((tmp_path / "t/kinds").iterdir()) == []


def test_appending_to_a_column_of_fewer_digits_is_refused(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/"
    few, many = (
        Table(name="t", columns=(TableColumn("n", Type("decimal", precision=each)),), key="n") for each in (5, 15)
    )
    with engine.session() as db:
        connect(url).load(few, [db.sql("SELECT 1.5::DOUBLE AS n")], append=False)
        with pytest.raises(RequestError, match="other columns"):
            connect(url).load(many, [db.sql("SELECT 123456789.5::DOUBLE AS n")], append=True)


def test_each_store_keeps_a_table_of_parts(root: str, clean: Clean) -> None:
    url = f"parquet:///{root.removeprefix('file://')}/t/" if root.startswith("file") else f"parquet+{root}/t/"
    url += "?partition_by=Region"
    load(clean(*(row(Region=region, Order_ID=str(n)) for n, region in enumerate(REGIONS))), url)
    result = load(clean(row(Order_ID="0"), row(Region="Asia", Order_ID="77")), url, mode="append")
    assert (result.rows_loaded, result.rows_skipped) == (1, 1)
    for region in REGIONS:
        (found,) = query(url, filters={"Region": region})
        assert found["Number of Orders"] == 1 + (region == "Asia")
    load(clean(row(Order_ID="1")), url)
    assert len(list(storage.listed(f"{root}/t/sales/"))) == 2
    assert connect(url).drop("sales")
    assert list(storage.listed(f"{root}/t/sales/")) == []
