"""SAAF, dropped in: its Inspector, and the flat view of a profile that tools made for it read.

from core.profiler.saaf import Inspector

Each name is imported at its first use: a function with the Inspector need not pay for the view.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from core.profiler.flat import KEYS, Outcome, flat
    from core.profiler.inspector import Inspector, answer

__all__ = ["KEYS", "Inspector", "Outcome", "answer", "flat"]

_MODULES = {"KEYS": "flat", "Outcome": "flat", "flat": "flat", "Inspector": "inspector", "answer": "inspector"}


def __getattr__(name: str) -> object:
    """A public name, imported at its first use."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"core.profiler.{_MODULES[name]}"), name)
    globals()[name] = value
    return value
