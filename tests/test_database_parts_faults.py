"""What a table of Parquet files survives: commits whose answers are lost, loads that overtake, and what they leave."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import AccessError, StorageError, engine, storage
from core.database import connect, parts, scan, stored
from core.database.part_store import PartStore
from core.services.selection import AggregateRequest, Asked
from tests.database_rigs import TABLE, selected, written
from tests.test_database_contract import record
from tests.test_database_loading import ids
from tests.test_database_loading import load as loaded
from tests.test_database_parts import current, names


def test_what_a_killed_load_left_long_ago_is_removed(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/"
    old, new = (f"t/kinds/{day}T000000Z-{os.urandom(16).hex()}/1/rows.parquet" for day in ("20200101", "29991231"))
    for name in (old, new, "t/kinds/mine.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    loaded(url, [record(1)], tmp_path)
    assert [(tmp_path / name).exists() for name in (old, new, "t/kinds/mine.txt")] == [False, True, True]


def test_a_reader_that_is_overtaken_reads_the_new_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"parquet+memory://parts/{tmp_path.name}/"
    loaded(url, [record(1)], tmp_path)
    found = parts.ParquetParts._found

    def overtaken(self: Any, table: str) -> Any:
        current = found(self, table)
        monkeypatch.setattr(parts.ParquetParts, "_found", found)
        loaded(url, [record(2), record(3)], tmp_path)
        return current

    database = connect(url)
    types = database.columns("kinds")
    assert len(types) == 8
    monkeypatch.setattr(parts.ParquetParts, "_found", overtaken)
    from core.database.answer import answers
    from core.services.selection import question

    rows = answers([database], [question(Asked(aggregates=[AggregateRequest("count")]), types, (), "kinds", "$")])
    assert rows == [[(2,)]]


@pytest.mark.parametrize("mode", ["replace", "append"])
def test_a_commit_whose_answer_was_lost_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    url = f"parquet+memory://parts/{tmp_path.name}/"
    loaded(url, [record(1)], tmp_path)
    put = storage.put

    def lost(path: Path, place: str, *, expected: str) -> None:
        put(path, place, expected=expected)
        if place.endswith("current.json"):
            put(path, place, expected=expected)  # as a client does that repeats what had no answer

    monkeypatch.setattr(storage, "put", lost)
    assert loaded(url, [record(2)], tmp_path, append=mode == "append") == (1, 0)
    assert ids(url) == ([1, 2] if mode == "append" else [2])


def test_a_commit_that_comes_late_finds_its_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"parquet+memory://parts/{tmp_path.name}/"
    loaded(url, [record(1)], tmp_path)
    put, kept = storage.put, tmp_path / "late.json"

    def late(path: Path, place: str, *, expected: str) -> None:
        if not place.endswith("current.json"):
            put(path, place, expected=expected)
            return
        kept.write_bytes(path.read_bytes())
        raise StorageError("no answer")

    monkeypatch.setattr(storage, "put", late)
    with pytest.raises(StorageError, match="no answer"):
        loaded(url, [record(2)], tmp_path)
    assert ids(url) == [1]
    place = f"memory://parts/{tmp_path.name}/kinds/current.json"
    put(kept, place, expected=storage.stat(place).version)
    assert ids(url) == [2]


def test_a_load_that_was_overtaken_leaves_no_parts(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/"
    loaded(url, [record(1)], tmp_path)

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(written([record(2)], tmp_path)))
        loaded(url, [record(3)], tmp_path)

    with engine.session() as db, pytest.raises(storage.ChangedError, match="repeat this one"):
        connect(url).load(TABLE, batches(db), append=False)
    assert ids(url) == [3]
    assert len(names(tmp_path / "t")) == 2


@pytest.mark.parametrize("scheme", ["parquet:///{}/t/", "parquet+memory://parts{}/t/"])
def test_a_reader_keeps_the_parts_that_it_has_begun_with(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = scheme.format(tmp_path if scheme.startswith("parquet:///") else tmp_path.name.replace("_", "-"))
    loaded(url, [record(1)], tmp_path)
    groups = scan.groups

    def overtaken(*given: Any) -> Any:
        monkeypatch.setattr(scan, "groups", groups)
        loaded(url, [record(2), record(3)], tmp_path)
        return groups(*given)

    monkeypatch.setattr(scan, "groups", overtaken)
    assert ids(url) == [1]
    assert ids(url) == [2, 3]


def test_an_instance_keeps_no_copies_of_parts_that_are_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"parquet+memory://parts/{tmp_path.name}/"
    for number in range(3):
        with monkeypatch.context() as patched:
            patched.setattr(PartStore, "forget_others", lambda *_: None)  # another instance has loaded
            loaded(url, [record(number)], tmp_path)
        assert ids(url) == [number]
    place = f"memory://parts/{tmp_path.name}/"
    assert [kept for _, kept in stored._copies if kept.startswith(place)] == [
        f"{place}kinds/{part.name}" for part in current(f"{place}kinds/").parts
    ]


def test_a_part_that_was_being_written_long_ago_is_removed(tmp_path: Path) -> None:
    url = f"parquet:///{tmp_path}/t/"
    left = tmp_path / f"t/kinds/20200101T000000Z-{'0' * 32}/1/.rows.parquet.{'0' * 32}.part"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    loaded(url, [record(1)], tmp_path)
    assert len(list((tmp_path / "t/kinds").iterdir())) == 2


def test_a_part_that_may_not_be_removed_is_told_and_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"parquet:///{tmp_path}/t/"
    loaded(url, [record(1)], tmp_path)

    def refuse(place: str) -> None:
        raise AccessError(place)

    monkeypatch.setattr(storage, "remove", refuse)
    with caplog.at_level(logging.WARNING):
        assert loaded(url, [record(2)], tmp_path) == (1, 0)
    assert "could not be removed" in caplog.text
    assert ids(url) == [2]
