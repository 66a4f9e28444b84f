"""An object behind a network as a stream, where the store gives less than it said."""

from typing import cast

import pytest

from core import StorageError
from core.storage.pieces import PIECE_BYTES, Pieces
from core.storage.port import Location, ObjectInfo, ObjectStore

AT = Location("s3://bucket/key", "s3", "bucket", "key")


class Cut:
    """Reads are right until a place, and end there."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, at: Location, start: int, stop: int, version: str = "") -> bytes:  # noqa: ARG002  (the port's)
        return self._content[start:stop]


@pytest.mark.parametrize("function_mib", ["128", "1024"])
@pytest.mark.parametrize("length", [PIECE_BYTES, 2 * PIECE_BYTES, 3 * PIECE_BYTES - 1])
def test_an_object_that_ends_early_is_no_whole_one(
    monkeypatch: pytest.MonkeyPatch, function_mib: str, length: int
) -> None:
    monkeypatch.setenv("POLYFAAS_MEMORY_MIB", function_mib)
    content = bytes(length)
    found = ObjectInfo(AT.url, 3 * PIECE_BYTES, "1")
    with (
        Pieces(cast("ObjectStore", Cut(content)), AT, found, content[:PIECE_BYTES]) as pieces,
        pytest.raises(StorageError, match="s3://bucket/key ended early: read it again"),
    ):
        pieces.readall()
