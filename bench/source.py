"""The data of a run: the user's file, or generated rows."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from core.errors import StorageError

# Writes sales rows to a path: target, number of rows, seed.
Generate: TypeAlias = Callable[[Path, int, int], None]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """The data of the run.

    Attributes:
        path: Where it lay; generated data is gone after the run and comes back with the same rows and seed.
        size_bytes: Size of the file.
        sha256: Of its bytes.
        generated: True when polyfaas made it.
    """

    path: str
    size_bytes: int
    sha256: str
    generated: bool


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The data that a run asks for.

    Attributes:
        data: Path of the sales CSV; null means that rows are generated.
        rows: Number of rows to generate; of no effect with data.
        seed: Fixes the generated rows.
    """

    data: str | None
    rows: int
    seed: int


def prepared(wanted: Wanted, scratch: Path, generate: Generate) -> Source:
    """The data, there and read once.

    Args:
        wanted: Which.
        scratch: Where generated rows go.
        generate: Makes them.

    Raises:
        StorageError: It cannot be read.
    """
    path = Path(wanted.data).resolve() if wanted.data else scratch.resolve() / "sales.csv"
    if not wanted.data:
        generate(path, wanted.rows, wanted.seed)
    try:
        # Reading it all also puts it into the page cache, so that whoever is first does not pay for that.
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise StorageError(f"the data cannot be read ({error}): give the path of a CSV file") from error
    size_bytes = path.stat().st_size
    return Source(path=str(path), size_bytes=size_bytes, sha256=sha256, generated=not wanted.data)
