"""The next chunk is got ready while one is worked on: nothing else changes."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import DataError
from core.source.chunks import Chunks


def consumed(text: bytes, size: int, given_back: list[int], processors: int) -> list[tuple[bytes, int]]:
    """The chunks with their lines, where the last bytes of some are given back, as the plain reader does."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
        chunks = Chunks(iter([text[at : at + 7] for at in range(0, len(text), 7)]), size, "in.csv")
        found = []
        for chunk in chunks:
            rest = given_back.pop(0) if given_back else 0
            lines = chunk.data.splitlines(keepends=True)
            kept = len(lines) - min(rest, len(lines) - 1)
            if kept < len(lines):
                chunks.give_back(b"".join(lines[kept:]), chunk.line + kept)
            found.append((b"".join(lines[:kept]), chunk.line))
        chunks.close()
        return found


@given(
    lines=st.lists(st.text(st.sampled_from("ab,é\r"), max_size=12), max_size=40),
    size=st.integers(5, 60),
    given_back=st.lists(st.integers(0, 3), max_size=10),
)
def test_chunks_got_ready_are_those_read_in_turn(lines: list[str], size: int, given_back: list[int]) -> None:
    text = "".join(f"{each}\n" for each in lines).encode()
    found = [consumed(text, size, list(given_back), processors) for processors in (1, 2)]
    assert found[0] == found[1]
    assert b"".join(data for data, _ in found[1]) == text


def failing() -> Iterator[bytes]:
    yield b"a\nb\nc\nd\n"
    raise OSError(5, "Input/output error")


@pytest.mark.parametrize("processors", [1, 2])
def test_a_text_that_cannot_be_read_on_has_not_ended(monkeypatch: pytest.MonkeyPatch, processors: int) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    chunks = Chunks(failing(), 4, "in.csv")
    chunk = next(each := iter(chunks))
    chunks.give_back(chunk.data[2:], chunk.line + 1)
    with pytest.raises(OSError, match="Input/output error"):
        list(each)


def test_a_wrong_byte_stops_the_reading_in_its_turn() -> None:
    chunks = Chunks(iter([b"a\nb\n", b"c\n\xff\n"]), 4, "in.csv")
    found: list[bytes] = []
    with pytest.raises(DataError, match="byte 6 "):
        found.extend(chunk.data for chunk in chunks)
    assert found == [b"a\nb\n"]
