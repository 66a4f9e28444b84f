"""A page: the file, and what is in all of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from bench.journal import FILE_NAME, REPORT_NAME
from bench.machine import Machine
from bench.report.drawing import Figure
from core.errors import StorageError


def written(template: str, values: Mapping[str, Any], figures: Sequence[Figure], folder: Path) -> Path:
    """Write a page into a run's folder and give its path.

    Args:
        template: Its name.
        values: What the template shows besides the figures.
        figures: The charts.
        folder: The run's folder; an older report in it is replaced.

    Raises:
        StorageError: The folder cannot be written to.
    """
    environment = Environment(
        loader=PackageLoader("bench", "report"),
        autoescape=select_autoescape(),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # The SVG comes from our own charts, whose texts the renderer escapes.
    drawn = [(figure, Markup(figure.svg)) for figure in figures]  # noqa: S704
    page = environment.get_template(template).render(**values, figures=drawn, results=FILE_NAME)
    path = folder / REPORT_NAME
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise StorageError(f"the report cannot be written ({error}): copy the run to a folder of yours") from error
    return path


def described(machine: Machine) -> dict[str, str]:
    """The machine in words, by what is said of it."""
    return {
        "Processor": f"{machine.cpu or 'unknown'}, {machine.cores} cores",
        "Memory": f"{machine.memory_mib / 1024:,.1f} GiB",
        "System": f"{machine.kernel}, Python {machine.python}",
        "Libraries": ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
    }
