"""Cold starts as one HTML file that needs no network, no script and no other file."""

from pathlib import Path

from adapters.base import RuntimeUnavailableError
from adapters.coldstart import words
from adapters.coldstart.record import ColdStart
from adapters.coldstart.timeline import summarised
from core.errors import StorageError

TEMPLATE = "waterfall.html"


def write(found: ColdStart, path: Path, least_ms: float = 0.0) -> None:
    """Write the page; an older one is replaced.

    Args:
        found: The cold starts.
        path: The file.
        least_ms: Imports that took less are left out.

    Raises:
        RuntimeUnavailableError: The package that fills the template is missing.
        StorageError: The file cannot be written.
    """
    page = rendered(found, least_ms)
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the page cannot be written ({error}): name a file in a folder of yours") from error


def rendered(found: ColdStart, least_ms: float = 0.0) -> str:
    """The page's text."""
    try:
        from jinja2 import Environment, PackageLoader, select_autoescape
    except ModuleNotFoundError as error:
        raise RuntimeUnavailableError("the page needs jinja2: pip install 'polyfaas[bench]'") from error
    environment = Environment(
        loader=PackageLoader("adapters", "coldstart"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    summary = summarised(found)
    return environment.get_template(TEMPLATE).render(
        found=found,
        summary=summary,
        rows=words.shown(summary.rows, least_ms),
        end_ms=max(row.part.end_ms for row in summary.rows),
        notes=list(words.notes(found, summary)),
        words=words,
    )
