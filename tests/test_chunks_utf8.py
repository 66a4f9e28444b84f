"""A text is checked to be UTF-8, piece by piece: the place of a wrong byte does not depend on where it is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import DataError
from core.source import chunks
from core.source.chunks import CHECKED_BYTES, Chunks


@pytest.mark.parametrize(
    "before", [0, 1, 2, CHECKED_BYTES - 3, CHECKED_BYTES - 1, CHECKED_BYTES, 3 * CHECKED_BYTES + 1]
)
@pytest.mark.parametrize("wrong", [b"\xe9", b"\xe2\x82", b"\xed\xa0\x80", b"\xc0\x80"], ids=repr)
def test_a_wrong_byte_is_named_by_its_place(before: int, wrong: bytes) -> None:
    good = b"x" * (before % 3) + "€".encode() * (before // 3)
    with pytest.raises(DataError, match=rf"byte {before:,} \(0x{wrong[0]:02x}\) is not UTF-8"):
        list(Chunks(iter([good + wrong]), len(good) + len(wrong), "in.csv"))


@given(text=st.text(st.sampled_from("a€é\n😀"), max_size=60), size=st.integers(4, 9))
def test_a_good_text_is_taken_wherever_it_is_cut(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunks, "CHECKED_BYTES", size)
        assert b"".join(each.data for each in Chunks(iter([text.encode()]), 20, "in.csv")) == text.encode()


@given(text=st.text(st.sampled_from('a"\r\n,'), max_size=12), stop=st.integers(0, 12))
def test_a_boundary_is_after_a_line_end_and_an_even_number_of_quotes(text: str, stop: int) -> None:
    data = text.encode()
    cut = chunks.boundary(data, min(stop, len(data)))
    assert 0 <= cut <= stop
    assert cut == 0 or (data[cut - 1 : cut] in (b"\r", b"\n") and data.count(b'"', 0, cut) % 2 == 0)
