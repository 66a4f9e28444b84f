"""The providers' documented sample events: tests/events/README.md says where each is documented."""

import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parent / "events"


def sample(name: str) -> Any:
    """An event as its provider documents it."""
    return json.loads((EVENTS / f"{name}.json").read_text())
