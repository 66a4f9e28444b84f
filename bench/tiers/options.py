"""The options of `bench` that are about databases, and the comparison that they ask for."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from bench.tiers.experiment import QUESTIONS, Comparison, named, tiers

ROUNDS = 3
CLIENTS = (1, 2, 4, 8, 16, 32)
SECONDS = 5.0

Command = TypeVar("Command", bound=Callable[..., Any])


class Numbers(click.ParamType[tuple[int, ...]]):
    """Numbers of clients, separated by commas; each once and ascending."""

    name = "numbers"

    def convert(self, value: Any, _param: click.Parameter | None, _ctx: click.Context | None) -> tuple[int, ...]:
        """The numbers in a text."""
        words = [word.strip() for word in str(value).split(",")]
        if not all(word.isascii() and word.isdecimal() and int(word) for word in words):
            self.fail(f"{value!r} is no list of numbers of clients: write such as {_listed(CLIENTS)}")
        return tuple(sorted({int(word) for word in words}))


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def comparing(command: Command) -> Command:
    """Add the options."""
    options = (
        click.option(
            "--database",
            "databases",
            metavar="URL",
            multiple=True,
            help="Compare databases instead: measure this one; may be repeated.",
        ),
        click.option(
            "--clients",
            type=Numbers(),
            metavar="N,...",
            help=f"With --database: how many clients ask at once.  [default: {_listed(CLIENTS)}]",
        ),
        click.option(
            "--seconds",
            type=click.FloatRange(min=0, min_open=True),
            help=f"With --database: how long each number of clients asks.  [default: {SECONDS:g}]",
        ),
        click.option(
            "--question",
            "questions",
            type=click.Choice(list(QUESTIONS)),
            multiple=True,
            help="With --database: ask this; may be repeated.  [default: all four]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def comparison(
    general: dict[str, Any], databases: tuple[str, ...], repetitions: int | None, own: dict[str, Any]
) -> tuple[Comparison, dict[str, str]]:
    """The comparison that is asked for, and the databases' URLs by their names.

    Args:
        general: The data and the seed.
        databases: URLs.
        repetitions: Rounds; the usual number when absent.
        own: The values of "clients", "seconds" and "questions".
    """
    urls = named(databases)
    asked = Comparison(
        tiers=tiers(urls),
        **general,
        repetitions=repetitions or ROUNDS,
        clients=own["clients"] or CLIENTS,
        seconds=own["seconds"] or SECONDS,
        questions=tuple(dict.fromkeys(own["questions"])) or tuple(QUESTIONS),
    )
    return asked, urls
