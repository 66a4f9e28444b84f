"""Puts what was measured into a Markdown page, each task between two marks of its own."""

import re
from pathlib import Path


def put(page: Path, name: str, text: str) -> None:
    """Replace what stands between the marks of `name`; without marks, add them with the text at the end."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    block = f"{begin}\n{text.rstrip()}\n{end}"
    old = page.read_text(encoding="utf-8")
    new, found = re.subn(re.escape(begin) + ".*?" + re.escape(end), lambda _: block, old, flags=re.DOTALL)
    page.write_text(new if found else f"{old.rstrip()}\n\n{block}\n", encoding="utf-8")
