"""Shards: every row is in one of them, letter for letter; keys do not part; the answers are those of the whole."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from core import NotFoundError, RequestError, load, query, shard, transform
from core.generator import generate
from tests import reference
from tests.conftest import row

Sales = Callable[..., Path]


def lines(path: Path | str) -> list[bytes]:
    return Path(path).read_bytes().splitlines(keepends=True)


def test_a_key_is_in_one_shard_and_rows_keep_their_order(sales: Sales, tmp_path: Path) -> None:
    keys = [random.Random(1).choice(["7", "007", "8", "9", "10"]) for _ in range(200)]
    source = sales([row(Order_ID=key, Units_Sold=str(number)) for number, key in enumerate(keys)])
    shards = shard(source, tmp_path / "part", count=3)
    assert [each.url for each in shards] == [f"{tmp_path}/part-{number:05d}.csv" for number in range(3)]
    whole, found = lines(source), [lines(each.url) for each in shards]
    assert {each[0] for each in found} == {whole[0]}
    assert sorted(line for each in found for line in each[1:]) == sorted(whole[1:])
    assert [[whole.index(line) for line in each] for each in found] == [
        sorted(whole.index(line) for line in each) for each in found
    ]
    homes = {int(line.split(b",")[6]): number for number, each in enumerate(found) for line in each[1:]}
    assert all(homes[int(line.split(b",")[6])] == number for number, each in enumerate(found) for line in each[1:])
    assert [each.rows for each in shards] == [len(each) - 1 for each in found]
    assert [each.bytes for each in shards] == [Path(each.url).stat().st_size for each in shards]


def test_shards_by_size_hold_the_rows_in_order_and_no_more_than_asked(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(number), Country='say "x"\nthere') for number in range(300)])
    shards = shard(source, tmp_path / "part", bytes=5000)
    head = len(lines(source)[0])
    assert all(each.bytes <= 5000 for each in shards)
    assert len(shards) < 2 * (source.stat().st_size // 5000)
    assert b"".join(Path(each.url).read_bytes()[head:] for each in shards) == source.read_bytes()[head:]
    assert sum(each.rows for each in shards) == 300


@pytest.mark.parametrize("limit", [1, 300, 700, 5000])
def test_quotes_where_none_belong_neither_repeat_nor_lose_a_row(tmp_path: Path, limit: int) -> None:
    odd = ['5" disk', '"a\nb"', "x", 'x"y', '"c\n""d"""', '"never closed']
    rows = [",".join(row(Order_ID=str(number))).replace("Japan", odd[number % 6]) for number in range(60)]
    body = "\n".join(rows) + "\n"
    (tmp_path / "in.csv").write_text(",".join(reference.HEADER) + "\n" + body)
    shards = shard(tmp_path / "in.csv", tmp_path / "part", bytes=limit)
    assert b"".join(b"".join(lines(each.url)[1:]) for each in shards) == body.encode()


def test_a_row_longer_than_a_shard_has_one_to_itself(sales: Sales, tmp_path: Path) -> None:
    shards = shard(sales([row(Order_ID="1"), row(Order_ID="2")]), tmp_path / "part", bytes=1)
    assert [each.rows for each in shards] == [1, 1]


def test_bad_rows_are_dealt_out_too_and_rejected_later(sales: Sales, tmp_path: Path) -> None:
    source = sales([row(Order_ID=str(number)) for number in range(50)])
    source.write_bytes(source.read_bytes() + b'"never closed\nAsia,too few\n')
    shards = shard(source, tmp_path / "part", count=4)
    results = [transform(each.url, f"{each.url}.out.csv") for each in shards]
    assert (sum(each.rows_out for each in results), sum(each.rejected for each in results)) == (50, 2)


def test_what_an_earlier_run_left_beyond_the_last_shard_is_removed(sales: Sales, tmp_path: Path) -> None:
    source = sales([row()])
    for count in (5, 2):
        shard(source, tmp_path / "part", count=count)
    assert sorted(path.name for path in tmp_path.glob("part*")) == ["part-00000.csv", "part-00001.csv"]


def test_the_answers_over_shards_are_those_of_the_whole(tmp_path: Path) -> None:
    generate(f"{tmp_path}/sales.csv", rows=5000, duplicates=0.1)
    urls = []
    for each in [*shard(tmp_path / "sales.csv", tmp_path / "part", count=3)]:
        transform(each.url, f"{each.url}.clean.csv")
        load(f"{each.url}.clean.csv", f"sqlite:///{each.url}.db")
        urls.append(f"sqlite:///{each.url}.db")
    transform(tmp_path / "sales.csv", tmp_path / "clean.csv")
    load(tmp_path / "clean.csv", tmp_path / "whole.db")
    assert query(urls, ["Region"]) == query(tmp_path / "whole.db", ["Region"])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, 'say either "count"'),
        ({"count": 2, "bytes": 10}, 'say either "count"'),
        ({"bytes": 10, "key": "Region"}, '"key" goes with "count"'),
        ({"count": 2, "key": "Planet"}, 'there is no column "Planet"'),
        ({"count": 0}, ">= 1"),
        ({"count": 501}, "<= 500"),
    ],
)
def test_a_request_that_says_no_way_to_cut_is_refused(
    sales: Sales, tmp_path: Path, asked: dict[str, object], found: str
) -> None:
    with pytest.raises(RequestError, match=found):
        shard(sales([row()]), tmp_path / "part", **asked)  # type: ignore[arg-type]


def test_no_folder_no_shards(sales: Sales, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="its folder does not exist"):
        shard(sales([row()]), tmp_path / "none" / "part", count=2)


def test_the_header_is_the_sources(sales: Sales, tmp_path: Path) -> None:
    (only,) = shard(sales([row()]), tmp_path / "part", count=1)
    assert lines(only.url)[0] == (",".join(reference.HEADER) + "\n").encode()
