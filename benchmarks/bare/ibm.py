"""The least that Code Engine can load."""

from typing import Any


def main(_args: dict[str, Any]) -> dict[str, Any]:
    """A fixed answer."""
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": '{"platform":"bare"}'}
