"""Answers written by hand, with the standard library's JSON: nothing of what they are to check has a part in them."""

import json
from typing import Any

VIEWS = "full, saaf, saaf-ticks"


def written(value: Any) -> str:
    """A value as compact JSON, with other letters than ASCII's as they are."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def problem(status: int, kind: str, detail: str, instance: str, path: str | None = None) -> dict[str, str]:
    """What is expected of an answer that is an error.

    Args:
        status: Its HTTP status.
        kind: The title of its problem object, such as "Bad request"; the type has it in lower case with hyphens.
        detail: What it says.
        instance: The path of the call.
        path: JSON path of the parameter that is wrong, when the error names one and says no more of it.
    """
    slug = kind.lower().replace(" ", "-")
    found: dict[str, Any] = {
        "type": f"urn:polyfaas:error:{slug}",
        "title": kind,
        "status": status,
        "detail": detail,
        "instance": instance,
    }
    if path is not None:
        found["errors"] = [{"detail": detail, "path": path}]
    return {"status": str(status), "outcome": f"error {written(found)}"}


def no_view(value: str, instance: str = "/") -> dict[str, str]:
    """What is expected of a request whose "profile" is this value, as compact JSON: the answer has it twice.

    It is how a request has any value sent back by a service that nothing was prepared for.
    """
    detail = f'"profile" is {value}: use one of {VIEWS}'
    return problem(400, "Bad request", detail, instance, "$.profile")
