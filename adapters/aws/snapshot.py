"""SnapStart: Lambda's runtime says when an instance was restored from a snapshot."""

import os

from core.profiler.restore import INITIALIZATION, SNAP_START, restore


def hooked() -> None:
    """Have the runtime say so in an instance that is made for SnapStart; elsewhere nothing is imported for it.

    https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    if os.environ.get(INITIALIZATION) == SNAP_START:
        from snapshot_restore_py import register_after_restore  # type: ignore[import-untyped]  # AWS ships no types

        register_after_restore(restore.said)
