"""SAAF's module of this name: put it beside a function whose first line is `from Inspector import *`."""

from core.profiler.saaf import Inspector

__all__ = ["Inspector"]
