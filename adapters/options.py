"""The options that the commands which start a runtime have in common."""

import os
from collections.abc import Sequence
from pathlib import Path

import click

from adapters import PROVIDERS
from core import access

provider_choice = click.Choice(list(PROVIDERS))


allow_option = click.option(
    "--allow",
    metavar="ROOT",
    multiple=True,
    help="Folder, bucket or database that the call may touch; may be repeated; '*' for all.  "
    "[default: POLYFAAS_ALLOW, else this folder]",
)


env_option = click.option(
    "--env",
    "variables",
    metavar="NAME[=VALUE]",
    multiple=True,
    help="Variable that the runtime gets, with its value here unless another is given: credentials, passwords; may be "
    "repeated. It inherits none.",
)


def roots(asked: Sequence[str]) -> Sequence[str]:
    """What calls may touch: what was asked for, else what POLYFAAS_ALLOW says, else this folder."""
    value = os.environ.get(access.VARIABLE)
    if asked or value is None:
        return asked or (Path.cwd().as_uri(),)
    return access.listed(value)


def environment(variables: Sequence[str]) -> dict[str, str]:
    """The variables that were asked for, with their values.

    Raises:
        BadParameter: One is asked for by name alone, and there is none here.
    """
    found = {}
    for variable in variables:
        name, given, value = variable.partition("=")
        if not name:
            raise click.BadParameter(f"{variable!r} names no variable: write NAME or NAME=VALUE", param_hint="--env")
        if not given and name not in os.environ:
            raise click.BadParameter(f"there is no variable {name} here: write {name}=VALUE", param_hint="--env")
        found[name] = value if given else os.environ[name]
    return found
