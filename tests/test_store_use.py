"""What the services do with every object store."""

from pathlib import Path

import pytest

from core import PolyfaasError, load, query, shard, storage, transform
from tests import reference
from tests.conftest import row
from tests.store_rigs import get, put


@pytest.mark.parametrize("name", ["clean.csv", "clean.csv.gz", "clean.parquet"])
@pytest.mark.parametrize("count", [50, 12_000])
def test_transform_load_and_query_give_the_same_as_with_files(root: str, tmp_path: Path, name: str, count: int) -> None:
    rows = [row(Order_ID=str(number % (count - 3)), Region=f"R{number % 7}") for number in range(count)]
    bad = row(Order_ID="1", Units_Sold="x")
    (tmp_path / "in.csv").write_bytes(reference.written([*rows, bad]))
    storage.copy(str(tmp_path / "in.csv"), f"{root}/in.csv")
    local = transform(tmp_path / "in.csv", tmp_path / name)
    there = transform(f"{root}/in.csv", f"{root}/{name}")
    assert (there.rows_out, there.duplicates, there.rejected) == (local.rows_out, local.duplicates, local.rejected)
    assert (there.bytes_in, there.bytes_out) == (local.bytes_in, local.bytes_out)
    assert get(f"{root}/{name}") == (tmp_path / name).read_bytes()
    assert get(there.rejects or "") == (tmp_path / f"{name}.rejects.jsonl").read_bytes()
    load(f"{root}/{name}", tmp_path / "there.db")
    load(tmp_path / name, tmp_path / "here.db")
    assert query(tmp_path / "there.db", ["Region"]) == query(tmp_path / "here.db", ["Region"])


@pytest.mark.parametrize("kind", ["sqlite", "duckdb"])
def test_a_database_can_be_an_object(root: str, tmp_path: Path, kind: str) -> None:
    if root.startswith("file://"):
        root = root.replace("file://", "memory://files")  # a file is a database as it is
    (tmp_path / "in.csv").write_bytes(reference.written([row(Order_ID=str(number)) for number in range(100)]))
    transform(tmp_path / "in.csv", f"{root}/clean.csv")
    url = f"{kind}+{root}/sales.{kind}"
    assert load(f"{root}/clean.csv", url).rows_loaded == 100
    load(f"{root}/clean.csv", tmp_path / "here.db")
    assert query(url, ["Region"]) == query(tmp_path / "here.db", ["Region"])
    assert load(f"{root}/clean.csv", url, mode="append").rows_skipped == 100
    load(f"{root}/clean.csv", url, table="other")
    assert query(url, ["Region"]) == query(url, ["Region"], table="other")


def test_shards_go_to_a_store(root: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(reference.written([row(Order_ID=str(number)) for number in range(100)]))
    storage.copy(str(tmp_path / "in.csv"), f"{root}/in.csv")
    made = shard(f"{root}/in.csv", f"{root}/part", count=3)
    assert [found.url for found in storage.listed(f"{root}/part")] == [
        each.url.removeprefix("file://") for each in made
    ]
    assert sum(each.rows for each in made) == 100


def test_the_bytes_that_were_read_are_those_of_the_source_even_where_it_is_replaced(root: str) -> None:
    content = reference.written([row(Order_ID="1"), row(Order_ID="1")])
    put(f"{root}/a.csv", content)
    result = transform(f"{root}/a.csv", f"{root}/a.csv")
    assert (result.bytes_in, result.bytes_out) == (len(content), storage.stat(f"{root}/a.csv").size_bytes)
    assert len(content) != result.bytes_out


def test_a_failed_transform_leaves_nothing(root: str, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_bytes(reference.written([row(Units_Sold="x")] * 3))
    storage.copy(str(tmp_path / "in.csv"), f"{root}/in.csv")
    with pytest.raises(PolyfaasError):
        transform(f"{root}/in.csv", f"{root}/out.csv", on_error="fail")
    assert [found.url.rpartition("/")[2] for found in storage.listed(f"{root}/")] == ["in.csv"]


def test_a_file_that_is_gone_before_it_is_looked_at_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x")
    (tmp_path / "b").symlink_to(tmp_path / "gone")  # as if it had been removed since the folder was read
    (tmp_path / "c").write_bytes(b"yz")
    assert [found.size_bytes for found in storage.listed(f"{tmp_path}/")] == [1, 2]
