"""Whether what is written will fit."""

import shutil
from pathlib import Path

from core.errors import StorageError
from core.storage.location import placed


def check_room(url: str, written_bytes: int, done: float) -> None:
    """Check that the rest of an object will fit where it is written; a store behind a network has no end.

    Args:
        url: The object.
        written_bytes: What has been written of it.
        done: Which part of its source that came from, above 0 and up to 1.

    Raises:
        StorageError: It will not; the message says how much is needed.
    """
    if placed(url).scheme != "file":
        return
    needed, free = int(written_bytes * (1 - done) / done), free_bytes(url)
    if needed > free:
        whole = f"{url} would have about {(written_bytes + needed) / 1e6:,.0f} MB"
        raise StorageError(f"{whole}, and {free / 1e6:,.0f} MB are free for the last {needed / 1e6:,.0f}: make room")


def free_bytes(url: str) -> int:
    """How much can still be written where the file is."""
    return shutil.disk_usage(Path(placed(url).key).parent).free
