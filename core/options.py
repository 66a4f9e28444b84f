"""The options that say what a source is, how it is written, and what to do with its bad rows."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from core import console

# What run passes on to transform.
SETTINGS = ("dataset", "delimiter", "encoding", "on_error", "rejects", "max_rejects")

Command = TypeVar("Command", bound=Callable[..., Any])


def reading(command: Command) -> Command:
    """Add the options that say what a source is and how it is written."""
    options = (
        console.dataset,
        click.option("--delimiter", metavar="CHARACTER", help="Between fields: , ; | or tab.  [default: the header's]"),
        click.option("--encoding", metavar="NAME", help="utf-8, utf-16, latin-1 or cp1252.  [default: utf-8]"),
    )
    for option in reversed(options):
        command = option(command)
    return command


def rejecting(command: Command) -> Command:
    """Add the options that say what to do with bad rows."""
    options = (
        click.option(
            "--on-error", type=click.Choice(["reject", "fail"]), default="reject", help="What to do with a bad row."
        ),
        click.option("--rejects", metavar="FILE", help="Where to write bad rows.  [default: TARGET.rejects.jsonl]"),
        click.option(
            "--max-rejects", type=int, metavar="N", help="Fail when more rows are bad.  [default: any number]"
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def spelled(asked: dict[str, Any]) -> dict[str, Any]:
    """The options with a delimiter as it is; a shell has no easy tab."""
    tab = asked["delimiter"] in ("tab", "\\t")
    return {**asked, "delimiter": "\t" if tab else asked["delimiter"]}
