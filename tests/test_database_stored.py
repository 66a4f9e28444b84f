"""Databases that are objects: one master copy, and copies of it that each instance keeps."""

import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from core import NotFoundError, RequestError, StorageError, load, query, storage, transform
from core.database import connect, stored
from tests import reference
from tests.conftest import row

KINDS = ("sqlite", "duckdb")


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest) -> str:
    return f"{request.param}+memory://{uuid.uuid4().hex}/sales.db"


def clean(folder: Path, *ids: int, name: str = "clean.csv") -> Path:
    (folder / "in.csv").write_bytes(reference.written([row(Order_ID=str(each)) for each in ids]))
    transform(folder / "in.csv", folder / name)
    return folder / name


def orders(url: str) -> int:
    (found,) = query(url)
    return int(found["Number of Orders"])


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The objects that were fetched, in turn."""
    found: list[str] = []
    fetch = storage.fetch

    def noted(url: str, path: Path) -> Any:
        found.append(url)
        return fetch(url, path)

    monkeypatch.setattr(storage, "fetch", noted)
    return found


def test_a_copy_serves_as_long_as_the_object_stays_the_same(tmp_path: Path, url: str, fetched: list[str]) -> None:
    load(clean(tmp_path, 1, 2), url)
    fetched.clear()
    assert [orders(url), orders(url)] == [2, 2]
    assert len(fetched) == 1
    load(clean(tmp_path, 1, 2, 3), url)
    fetched.clear()
    assert [orders(url), orders(url)] == [3, 3]
    assert len(fetched) == 1


def test_old_copies_are_removed(tmp_path: Path, url: str) -> None:
    place = url.partition("+")[2]
    seen = []
    for number in range(4):
        load(clean(tmp_path, *range(number + 1)), url)
        seen.append(stored.copy(place))
    assert [path.exists() for path in seen] == [False, False, True, True]


def test_a_load_that_another_one_overtakes_changes_nothing(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(clean(tmp_path, 1), url)
    mine, others = clean(tmp_path, 1, 2, 3, name="mine.csv"), clean(tmp_path, 1, 2, name="others.csv")
    database = connect(url)
    inner = database._opening  # type: ignore[attr-defined]

    def overtaken(path: Path) -> Any:
        found = inner(path)
        load_here: Callable[..., tuple[int, int]] = found.load

        def loading(table: Any, batches: Iterable[Any], *, append: bool) -> tuple[int, int]:
            loaded = load_here(table, batches, append=append)
            monkeypatch.undo()
            load(others, url)
            return loaded

        monkeypatch.setattr(found, "load", loading)
        return found

    database._opening = overtaken  # type: ignore[attr-defined]
    monkeypatch.setattr("core.services.load.database.connect", lambda _: database)
    with pytest.raises(StorageError, match="was changed by another load meanwhile: repeat this one"):
        load(mine, url)
    assert orders(url) == 2
    load(mine, url)
    assert orders(url) == 3


def test_a_load_that_fails_leaves_the_object(tmp_path: Path, url: str) -> None:
    load(clean(tmp_path, 1), url)
    (tmp_path / "bad.csv").write_text(clean(tmp_path, 2).read_text().replace("Japan", "Japan,x"))
    with pytest.raises(Exception, match="line 2"):
        load(tmp_path / "bad.csv", url)
    assert orders(url) == 1


def test_what_is_not_there_is_named(url: str) -> None:
    with pytest.raises(NotFoundError, match="load it first"):
        query(url)


@pytest.mark.parametrize("name", ["clean.csv", "clean.csv.gz", "clean.parquet"])
def test_a_file_in_a_store_is_queried_as_it_is(tmp_path: Path, name: str) -> None:
    place = f"memory://{uuid.uuid4().hex}/{name}"
    transform(clean(tmp_path, 1, 2).with_name("in.csv"), place)
    assert orders(place) == 2
    with pytest.raises(RequestError, match="is a file that is only queried"):
        load(tmp_path / "clean.csv", place)


@pytest.mark.parametrize(
    "url", ["sqlite+nowhere://b/x.db", "mysql+s3://b/x", "sqlite+s3://b", "sqlite+s3://b/../x.db", "s3:///x.db"]
)
def test_a_url_that_names_no_database_is_refused(url: str) -> None:
    with pytest.raises(RequestError):
        connect(url)
