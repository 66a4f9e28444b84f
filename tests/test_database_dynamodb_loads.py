"""What loads into DynamoDB leave to each other: their places, their rows, and what the dead have left behind.

The server is an emulator (ministack).
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core import DatabaseError, engine
from core.database import connect, dynamodb_loads
from tests import database_servers
from tests.database_rigs import TABLE, selected, written
from tests.test_database_contract import record
from tests.test_database_dynamodb import items, many, rows
from tests.test_database_loading import HALFWAY, ids, load


@pytest.fixture
def url() -> str:
    """Of a table that is not there yet."""
    return database_servers.dynamodb_url()


@pytest.fixture
def given_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load of which nobody has heard for no time at all may be removed."""
    monkeypatch.setattr(dynamodb_loads, "ABANDONED_S", 0)


@pytest.fixture
def always_heard_of(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load lets the server hear of it whenever it could."""
    monkeypatch.setattr(dynamodb_loads, "BEAT_S", 0)


@pytest.mark.usefixtures("given_up_at_once")
def test_what_a_killed_load_left_behind_is_removed_by_a_later_one(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    kill_halfway(url, tmp_path)
    assert rows(url) > 1
    load(url, [record(2)], tmp_path, append=True)
    assert ids(url) == [1, 2]
    assert rows(url) == 2


def test_what_may_belong_to_a_load_that_runs_is_left_alone(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    kill_halfway(url, tmp_path)
    before = rows(url)
    load(url, [record(2)], tmp_path, append=True)
    assert rows(url) == before + 1


def kill_halfway(url: str, folder: Path) -> None:
    """Kill a loader that has written rows, and not all of them."""
    source = written(many(3000, 10), folder, "many.csv")
    with subprocess.Popen(
        [sys.executable, "-c", HALFWAY, url, str(source), "replace"], stdout=subprocess.PIPE
    ) as loader:
        assert loader.stdout is not None
        assert loader.stdout.readline() == b"halfway\n"
        loader.send_signal(signal.SIGKILL)


@pytest.mark.usefixtures("given_up_at_once")
@pytest.mark.parametrize("append", [False, True])
def test_a_load_that_was_given_up_ends_without_effect(url: str, tmp_path: Path, append: bool) -> None:
    load(url, [record(1)], tmp_path)

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(written(many(60, 10), tmp_path, "first.csv")))
        load(url, [record(2)], tmp_path, append=True)
        yield db.sql(selected(written([record(99)], tmp_path, "second.csv")))

    with engine.session() as db, pytest.raises(DatabaseError, match="repeat the load"):
        connect(url).load(TABLE, batches(db), append=append)
    assert ids(url) == [1, 2]


@pytest.mark.usefixtures("given_up_at_once", "always_heard_of")
def test_a_load_that_was_given_up_notices_it_soon(url: str, tmp_path: Path) -> None:
    asked = []

    def batches(db: Any) -> Iterator[Any]:
        for part in range(5):
            asked.append(part)
            yield db.sql(selected(written([record(part)], tmp_path, f"{part}.csv")))
            load(url, [record(7)], tmp_path)

    with engine.session() as db, pytest.raises(DatabaseError, match="nobody heard of a load"):
        connect(url).load(TABLE, batches(db), append=False)
    assert asked == [0, 1]


def meanwhile(url: str, folder: Path, *, append: bool) -> tuple[int, int]:
    """A load of 2 and 3, in the middle of which another puts 2 in."""

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(written([record(2)], folder, "first.csv")))
        load(url, [record(2)], folder, append=append)
        yield db.sql(selected(written([record(3)], folder, "second.csv")))

    with engine.session() as db:
        return connect(url).load(TABLE, batches(db), append=append)


def test_an_append_that_meets_another_load_says_repeat_and_leaves_nothing(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    with pytest.raises(DatabaseError, match="other loads changed table kinds"):
        meanwhile(url, tmp_path, append=True)
    assert ids(url) == [1, 2]
    assert rows(url) == 2


def test_a_replacing_load_takes_the_place_of_one_that_came_between(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)
    assert meanwhile(url, tmp_path, append=False) == (2, 0)
    assert ids(url) == [2, 3]
    assert rows(url) == 2


def test_nothing_but_the_table_is_left_after_loads_that_failed(url: str, tmp_path: Path) -> None:
    load(url, [record(1)], tmp_path)

    def batches(db: Any) -> Iterator[Any]:
        yield db.sql(selected(written(many(200, 10), tmp_path, "first.csv")))
        raise ZeroDivisionError

    with engine.session() as db, suppress(ZeroDivisionError):
        connect(url).load(TABLE, batches(db), append=False)
    assert sorted(item["pk"]["S"].partition("#")[0] == "table" for item in items(url)) == [False, True]
