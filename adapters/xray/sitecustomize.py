"""Watches the start of an instance from the interpreter's site stage on: put this folder on PYTHONPATH.

Python imports a module of this name before it runs anything else. The one that this hides is run afterwards.
Python goes on without either should one fail, and says so on stderr.
"""

import os
import sys

# The import system itself, which is there already: importlib.util would have to be imported.
from _frozen_importlib import module_from_spec
from _frozen_importlib_external import PathFinder

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  (pathlib would take longer than the rest)
ROOT = os.path.dirname(os.path.dirname(HERE))  # noqa: PTH120


def watch() -> None:
    """Begin to watch; the project need not be on the path yet, as on Lambda it is not."""
    sys.path.insert(0, ROOT)
    try:
        from core.profiler import boot

        boot.watch(boot.RUNTIME)
    finally:
        sys.path.remove(ROOT)


def hidden() -> None:
    """Run the sitecustomize that would have been found without this folder."""
    others = [path for path in sys.path if os.path.abspath(path) != HERE]  # noqa: PTH100
    spec = PathFinder.find_spec("sitecustomize", others)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


try:
    watch()
finally:
    hidden()
