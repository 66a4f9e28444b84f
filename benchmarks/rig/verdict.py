"""Whether two contenders' answers are the same, and in what they differ."""

import math
from collections.abc import Mapping

NEAR = 1e-9  # a sum of doubles depends on its order; money and counts are whole numbers here


def differences(expected: object, found: object) -> str:
    """What is wrong with an answer, in words; nothing where it is right.

    Of two objects the keys that both have are compared: a contender that promises less is asked less.
    """
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        wrong = [told(key, expected[key], found[key]) for key in expected if key in found]
        return "; ".join(each for each in wrong if each)
    return "" if same(expected, found) else told_of("the answer", expected, found)


def told(key: str, expected: object, found: object) -> str:
    if same(expected, found):
        return ""
    if isinstance(expected, bool):
        return f"not {key}" if expected else key
    return told_of(key, expected, found)


def told_of(key: str, expected: object, found: object) -> str:
    if isinstance(expected, int | float) and isinstance(found, int | float):
        return f"{key} {found} instead of {expected}"
    return f"{key} differ"


def same(expected: object, found: object) -> bool:
    """Whether two values are equal, doubles nearly so."""
    if isinstance(expected, list | tuple) and isinstance(found, list | tuple):
        return len(expected) == len(found) and all(map(same, expected, found))
    if isinstance(expected, float) and isinstance(found, int | float):
        return math.isclose(expected, found, rel_tol=NEAR)
    return expected == found
