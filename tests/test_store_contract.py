"""One contract for every object store."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core import NotFoundError, StorageError, storage
from tests.store_rigs import get, letters, put

PIECE = storage.PIECE_BYTES


@pytest.mark.parametrize("size", [0, 1, 1000, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 5])
def test_what_was_written_is_read(root: str, size: int) -> None:
    content = letters(size)
    with storage.sink(f"{root}/a") as target:
        for start in range(0, size, 3_000_001):
            assert target.write(content[start : start + 3_000_001]) == len(content[start : start + 3_000_001])
        assert target.tell() == size
    assert get(f"{root}/a") == content
    found = storage.stat(f"{root}/a")
    assert (found.url, found.size_bytes) == (f"{root}/a", size)


@pytest.mark.parametrize("read", [0, 10, PIECE - 1, PIECE, 2 * PIECE + 1])
def test_all_that_is_left_is_read_in_order(root: str, read: int) -> None:
    content = letters(4 * PIECE + 5)
    put(f"{root}/a", content)
    with storage.opened(f"{root}/a") as file:
        assert file.read(read) + file.read() == content
        assert (file.read(), file.tell()) == (b"", len(content))


@pytest.mark.parametrize("name", ["a b", "é/ü.csv", "x%20y", "a+b&c=d", "q?x", "h#x", "Region=Asia/x", "'", "~"])
def test_a_name_is_taken_letter_by_letter(root: str, name: str) -> None:
    if root.startswith("file://"):
        root = root.removeprefix("file://")  # a file:// URL is percent-decoded, a path is not
        (Path(root) / name).parent.mkdir(exist_ok=True)
    put(f"{root}/{name}", b"x")
    assert get(f"{root}/{name}") == b"x"
    assert [found.size_bytes for found in storage.listed(f"{root}/")] == [1]


def test_a_new_content_replaces_the_old_one(root: str) -> None:
    put(f"{root}/a", b"old and longer")
    before = storage.stat(f"{root}/a")
    put(f"{root}/a", b"new")
    assert get(f"{root}/a") == b"new"
    assert storage.stat(f"{root}/a").version != before.version


@pytest.mark.parametrize("size", [3, 2 * PIECE + 5])
def test_what_is_given_up_leaves_what_was_there(root: str, size: int) -> None:
    put(f"{root}/a", b"old")
    for name in ("a", "b"):
        with pytest.raises(ZeroDivisionError), storage.sink(f"{root}/{name}") as target:  # noqa: PT012
            target.write(letters(size))
            raise ZeroDivisionError
    assert get(f"{root}/a") == b"old"
    assert [found.url.rpartition("/")[2] for found in storage.listed(f"{root}/")] == ["a"]


def test_an_object_is_not_there_before_it_is_whole(root: str) -> None:
    with storage.sink(f"{root}/a") as target:
        target.write(letters(2 * PIECE + 5))
        assert not storage.exists(f"{root}/a")
        assert list(storage.listed(f"{root}/")) == []
    assert storage.exists(f"{root}/a")


def test_an_object_that_changes_while_it_is_read_is_never_a_mixture(root: str) -> None:
    content = letters(3 * PIECE)  # the first two may be here already
    put(f"{root}/a", content)
    with storage.opened(f"{root}/a") as file:
        file.read(10)
        put(f"{root}/a", content[::-1])
        if root.startswith("file://"):  # an open file is the old one to its end, which is as good
            assert file.read() == content[10:]
            return
        with pytest.raises(StorageError, match="has changed while it was read"):
            file.read()


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(storage.stat, id="stat"),
        pytest.param(get, id="read"),
        pytest.param(lambda url: storage.copy(url, f"{url}2"), id="copy"),
        pytest.param(lambda url: storage.reading(url).__enter__(), id="copy here"),
    ],
)
def test_an_object_that_is_not_there_is_named(root: str, act: Any) -> None:
    with pytest.raises(NotFoundError, match=rf"there is nothing at {root}/none"):
        act(f"{root}/none")
    assert not storage.exists(f"{root}/none")


def test_a_bucket_that_is_not_there_is_named(root: str) -> None:
    url = f"{root}-none/a"
    if root.startswith("memory"):  # it has every bucket
        put(url, b"x")
        return
    with pytest.raises(NotFoundError):
        put(url, b"x")
    with pytest.raises(NotFoundError):
        storage.stat(url)


def test_removing_twice_is_removing_once(root: str) -> None:
    put(f"{root}/a", b"x")
    storage.remove(f"{root}/a")
    storage.remove(f"{root}/a")
    assert not storage.exists(f"{root}/a")


def test_names_are_listed_in_order_by_what_they_start_with(root: str) -> None:
    (Path(root.removeprefix("file://")) / "d").mkdir(parents=True) if root.startswith("file") else None
    names = ["d/b", "d/a", "d-1", "c", "é", "d/B"]
    for name in names:
        put(f"{root}/{name}", name.encode())
    expected = sorted(names, key=str.encode)
    for prefix in ("", "d", "d/", "d/a", "x"):
        found = [
            info.url.removeprefix(root.removeprefix("file://") if "file" in root else root)[1:]
            for info in storage.listed(f"{root}/{prefix}")
        ]
        assert found == [name for name in expected if name.startswith(prefix)], prefix


def test_a_copy_has_the_same_content(root: str) -> None:
    put(f"{root}/a", letters(PIECE + 1))
    storage.copy(f"{root}/a", f"{root}/b")
    assert get(f"{root}/b") == letters(PIECE + 1)


def test_a_copy_goes_from_store_to_store(root: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(letters(1000))
    storage.copy(str(tmp_path / "x"), f"{root}/x")
    storage.copy(f"{root}/x", str(tmp_path / "y"))
    assert (tmp_path / "y").read_bytes() == letters(1000)


def test_a_path_stands_for_an_object_both_ways(root: str) -> None:
    with storage.writing(f"{root}/a.csv") as part:
        part.write_bytes(b"abc")
    with storage.reading(f"{root}/a.csv") as path:
        assert (path.read_bytes(), path.suffix) == (b"abc", ".csv")
    with pytest.raises(ZeroDivisionError), storage.writing(f"{root}/b") as part:  # noqa: PT012
        part.write_bytes(b"abc")
        raise ZeroDivisionError
    assert not storage.exists(f"{root}/b")


def test_what_a_user_raises_inside_is_not_the_stores(root: str) -> None:
    put(f"{root}/a", b"x")
    with pytest.raises(FileNotFoundError, match="mine"), storage.opened(f"{root}/a"):
        raise FileNotFoundError("mine")


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (3, 8), (PIECE - 2, PIECE + 2), (PIECE, 2 * PIECE)])
def test_a_part_of_an_object_is_read_by_its_bytes(root: str, start: int, stop: int) -> None:
    put(f"{root}/a", letters(PIECE + 7))
    assert storage.read(f"{root}/a", start, stop) == letters(PIECE + 7)[start:stop]


def test_a_writer_that_is_killed_leaves_the_old_object(root: str) -> None:
    rig = root.partition("://")[0]
    if rig == "memory":  # gone with its process, old and new
        return
    put(f"{root}/a", b"old")
    program = (
        "import os, signal, sys\nfrom core import storage\nwith storage.sink(sys.argv[1]) as target:\n"
        f"    target.write(bytes({2 * PIECE + 5}))\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    variables = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    killed = subprocess.run([sys.executable, "-c", program, f"{root}/a"], env=variables, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert get(f"{root}/a") == b"old"
