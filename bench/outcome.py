"""Tells the outcome of a run that compares providers: on the screen or as JSON, and as a page."""

from pathlib import Path

import click

from bench import report
from bench.grid import stdout
from bench.results import read
from bench.summary import document, summarise
from bench.terminal import show


def told(folder: Path, *, as_json: bool) -> bool:
    """Show a run and write its report; gives whether all that was asked for ran and agreed.

    Args:
        folder: The run's.
        as_json: Print one JSON document instead of the tables.

    Raises:
        PolyfaasError: The run cannot be read, or the report not be written.
    """
    run = read(folder)
    summary = summarise(run)
    written = report.write(run, summary, folder)
    if as_json:
        click.echo(document(summary, written))
    else:
        show(summary, folder, stdout())
    return summary.well
