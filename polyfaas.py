"""The command `polyfaas`: core's, adapters' and bench's commands in one."""

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click


def main() -> None:
    """Run the command line; exit 0 when it worked, 1 when it failed, 2 when it was used wrongly."""
    try:
        import click  # noqa: F401
        import rich  # noqa: F401
    except ModuleNotFoundError:
        sys.exit("the command needs click and rich: pip install 'polyfaas[cli]' (the library works without)")
    command()()


def command() -> "click.Group":
    """The whole command line."""
    import click

    import adapters.commands
    import bench.commands
    import core.commands
    from core.errors import PolyfaasError, RequestError

    class Root(click.Group):
        def invoke(self, ctx: click.Context) -> Any:
            try:
                return super().invoke(ctx)
            except PolyfaasError as error:
                click.echo(f"error: {error.detail}", err=True)
                ctx.exit(2 if isinstance(error, RequestError) else 1)

    root = Root(
        help="Write a service once; run it under AWS Lambda, Google Cloud Functions, Azure Functions and IBM Cloud;"
        " measure honestly what each does with it.",
        epilog="Start with: polyfaas bench",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for each in (*core.commands.COMMANDS, *adapters.commands.COMMANDS, *bench.commands.COMMANDS):
        root.add_command(each)
    return click.version_option(package_name="polyfaas")(root)
