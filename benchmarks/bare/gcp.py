"""The least that functions-framework can load."""

from typing import Any


def main(_request: Any) -> tuple[bytes, int, dict[str, str]]:
    """A fixed answer."""
    return b'{"platform":"bare"}', 200, {"content-type": "application/json"}
