"""What roots allow, for any root and any spelling: compared with the slow and obvious way to find out."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import access
from core.storage.location import located
from tests.test_access import allowed

bounded = settings(max_examples=400, deadline=None, derandomize=True, database=None)


SEGMENTS = ("in", "in2", "out", "to_out", "to_in", "to_base", "a.csv", "..", ".", "", "%2e%2e", "%2E.", "%2f..", "...")
spellings = st.tuples(st.sampled_from(("path", "relative", "url")), st.lists(st.sampled_from(SEGMENTS), max_size=7))


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders with files, and links out of and into them."""
    base = tmp_path_factory.mktemp("tree").resolve()
    for name in ("in", "in2", "out", "in/in", "in/out", "%2e%2e"):
        (base / name).mkdir()
        (base / name / "a.csv").write_text("x")
    (base / "in/to_out").symlink_to("../out")
    (base / "out/to_in").symlink_to(base / "in")
    (base / "in/to_base").symlink_to("..")
    (base / "to_in").symlink_to("in")
    (base / "in2/a.csv").unlink()
    (base / "in2/a.csv").symlink_to("../out/a.csv")
    return base


def spelled(base: Path, spelling: tuple[str, list[str]]) -> str:
    way, segments = spelling
    rest = "/".join(segments)
    return {"path": f"{base}/{rest}", "relative": f"./{rest}", "url": f"file://{base}/{rest}"}[way]


def really(url: str) -> str:
    """Where a path or URL leads, found the slow way."""
    if url.startswith("file://"):
        url = re.sub("%(..)", lambda found: chr(int(found[1], 16)), url.removeprefix("file://"))
    return os.path.realpath(url)


@bounded
@given(root=spellings, asked=spellings)
def test_a_file_is_allowed_just_where_its_real_path_lies_below_the_roots(
    tree: Path, root: tuple[str, list[str]], asked: tuple[str, list[str]]
) -> None:
    before = Path.cwd()
    os.chdir(tree)
    try:
        top, url = spelled(tree, root), spelled(tree, asked)
        below = os.path.commonpath([really(url), really(top)]) == really(top)
        assert allowed(url, top) == below
        if below:
            with access.limited([top]):
                assert located(url).key == really(url)
    finally:
        os.chdir(before)


parts = st.lists(st.sampled_from(("a", "ab", "b", "..", ".", "", "%2e%2e", "a%2fb", "A")), max_size=5)
places = st.tuples(st.sampled_from(("s3", "gs")), st.sampled_from(("b", "bb")), parts)


@bounded
@given(root=places, asked=places)
def test_an_object_is_allowed_just_where_its_parts_start_with_a_roots(
    root: tuple[str, str, list[str]], asked: tuple[str, str, list[str]]
) -> None:
    url, top = (f"{scheme}://{bucket}/{'/'.join(key)}" for scheme, bucket, key in (asked, root))
    named = bool(asked[2]) and not {"", ".", ".."} & set(asked[2])
    key, of_top = (
        asked[2],
        "/".join(root[2]).removesuffix("/").split("/") if "".join(root[2]) or len(root[2]) > 1 else [],
    )
    inside = key[: len(of_top)] == of_top and not (key == of_top and "/".join(root[2]).endswith("/"))
    assert allowed(url, top) == (named and asked[:2] == root[:2] and inside)


@given(st.lists(st.text("ab/:,*% .", min_size=1, max_size=6).map(str.strip).filter(bool), max_size=4))
def test_roots_are_read_as_they_were_spelled(roots: list[str]) -> None:
    assert access.listed(access.spelled(roots)) == tuple(roots)


def test_roots_stand_one_a_line_or_between_commas() -> None:
    assert access.listed("/data, s3://bucket/a ,") == ("/data", "s3://bucket/a")
    assert access.listed("/with,comma\n s3://bucket\n\n") == ("/with,comma", "s3://bucket")
