"""Loads into MongoDB that know of each other, at the server that stands for MongoDB's own."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core import DatabaseError, engine
from core.database import connect, mongodb_lease
from core.database.mongodb_lease import leased
from tests import database_servers
from tests.database_rigs import TABLE, selected, written
from tests.mongodb_server import failing, looking, until
from tests.test_database_contract import record
from tests.test_database_loading import HALFWAY, ids, load

DAY = timedelta(days=1)


@pytest.fixture
def url() -> Iterator[str]:
    """Of a new database."""
    made = database_servers.mongodb_url()
    yield made
    connect(made).close()


def test_two_appends_by_processes_at_once_lose_no_row(url: str, tmp_path: Path) -> None:
    load(url, [record(1000)], tmp_path)
    script = HALFWAY.replace("time.sleep(600)", "pass")
    loaders = []
    for start in (0, 100, 200):
        source = written([record(n) for n in range(start, start + 150)], tmp_path, f"{start}.csv")
        loaders.append(subprocess.Popen([sys.executable, "-c", script, url, str(source), "append"]))
    assert [loader.wait(120) for loader in loaders] == [0, 0, 0]
    assert ids(url) == [*range(350), 1000]


@pytest.mark.parametrize("first", ["append", "replace"])
def test_a_load_waits_until_another_has_published(url: str, tmp_path: Path, first: str) -> None:
    load(url, [record(1)], tmp_path)
    (tmp_path / "other").mkdir()
    other = f"{url}?retryWrites=true"  # a connection of its own
    held_up = failing(url, "renameCollection", mode={"times": 1}, blockConnection=True, blockTimeMS=1500)
    with held_up, looking(url) as db, ThreadPoolExecutor(1) as pool:
        slow = pool.submit(load, url, [record(2)], tmp_path, append=first == "append")
        until(lambda: db["polyfaas.leases"].find_one({"_id": "kinds"}))
        assert load(other, [record(3)], tmp_path / "other", append=True) == (1, 0)
        slow.result(60)
    connect(other).close()
    assert ids(url) == ([1, 2, 3] if first == "append" else [2, 3])


def test_who_publishes_too_long_keeps_another_from_it(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongodb_lease, "LOCK_TIMEOUT_S", 0.2)
    load(url, [record(1)], tmp_path)
    held(url, datetime.now(UTC) + DAY)
    for change in (lambda: load(url, [record(2)], tmp_path), lambda: connect(url).drop("kinds")):
        with pytest.raises(DatabaseError, match="repeat"):
            change()
    assert ids(url) == [1]


def held(url: str, renewed: datetime) -> None:
    """The lock of a table, and what else a load has that said at a time that it lives."""
    with looking(url) as db:
        db["polyfaas.leases"].insert_many(
            [{"_id": "polyfaas.0", "renewed": renewed}, {"_id": "kinds", "holder": "polyfaas.0"}]
        )
        db["polyfaas.0"].insert_one({})
        db["polyfaas.0.whole"].insert_one({})


def test_what_a_dead_load_left_is_dropped_by_the_next_and_its_lock_free(url: str, tmp_path: Path) -> None:
    held(url, datetime.now(UTC) - DAY)
    assert load(url, [record(1)], tmp_path) == (1, 0)
    with looking(url) as db:
        assert sorted(db.list_collection_names()) == ["kinds", "polyfaas.leases"]
        assert list(db["polyfaas.leases"].find()) == []


def test_what_a_living_load_has_is_left_alone(url: str, tmp_path: Path) -> None:
    held(url, datetime.now(UTC))
    with looking(url) as db:
        db["polyfaas.leases"].delete_one({"_id": "kinds"})
        load(url, [record(1)], tmp_path)
        assert sorted(db.list_collection_names()) == ["kinds", "polyfaas.0", "polyfaas.0.whole", "polyfaas.leases"]


def test_a_load_renews_what_says_that_it_lives(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongodb_lease, "RENEWED_EVERY_S", 0.01)
    source = written([record(1)], tmp_path)

    def batches(db: Any) -> Iterator[Any]:
        with looking(url) as found:
            (begun,) = found["polyfaas.leases"].find()
            until(lambda: found["polyfaas.leases"].find_one()["renewed"] > begun["renewed"])
        yield db.sql(selected(source))

    with engine.session() as db:
        assert connect(url).load(TABLE, batches(db), append=False) == (1, 0)


@pytest.mark.parametrize("append", [False, True])
def test_a_load_that_was_taken_for_dead_publishes_nothing(url: str, tmp_path: Path, append: bool) -> None:
    load(url, [record(1)], tmp_path)
    source = written([record(2)], tmp_path)

    def batches(db: Any) -> Iterator[Any]:
        with looking(url) as found:
            found["polyfaas.leases"].delete_many({})
        yield db.sql(selected(source))

    with engine.session() as db, pytest.raises(DatabaseError, match="given up: repeat it"):
        connect(url).load(TABLE, batches(db), append=append)
    assert ids(url) == [1]


@pytest.mark.parametrize(("append", "brought"), [(False, 2), (True, 2), (True, 1)])
def test_a_load_that_was_silent_too_long_is_dead_even_if_it_wakes_up(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, append: bool, brought: int
) -> None:
    monkeypatch.setattr(mongodb_lease, "RENEWED_EVERY_S", 600)
    source = written([record(brought)], tmp_path, "mine.csv")
    other = f"{url}?retryWrites=true"  # a connection of its own

    def batches(db: Any) -> Iterator[Any]:
        with looking(url) as found:
            found["polyfaas.leases"].update_many({}, {"$set": {"renewed": datetime.now(UTC) - DAY}})
        load(other, [record(1)], tmp_path)
        yield db.sql(selected(source))

    with engine.session() as db, pytest.raises(DatabaseError, match="given up: repeat it"):
        connect(url).load(TABLE, batches(db), append=append)
    connect(other).close()
    assert ids(url) == [1]


def test_whose_lock_was_taken_over_may_not_publish(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mongodb_lease, "RENEWED_EVERY_S", 600)
    with looking(url) as db, leased(db) as silent, leased(db) as other, silent.publishing("kinds"):
        db["polyfaas.leases"].update_one({"_id": silent.name}, {"$set": {"renewed": datetime.now(UTC) - DAY}})
        with other.publishing("kinds"):
            other.check()
            with pytest.raises(DatabaseError, match="given up: repeat it"):
                silent.check()
