"""The least that Lambda can load: a function URL's answer."""

from typing import Any


def handler(_event: Any, _context: Any) -> dict[str, Any]:
    """A fixed answer."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"platform":"bare"}'}
