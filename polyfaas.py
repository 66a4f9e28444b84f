"""The command `polyfaas`: core's, adapters' and bench's commands in one."""

import os
import signal
import sys
import threading
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
    _interrupt_the_engine_too()
    command()()


def _interrupt_the_engine_too() -> None:
    """Let Ctrl-C stop a running query at once: Python itself would see it only when the query has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    threading.Thread(target=_interrupt_on_signal, args=(reading,), daemon=True).start()


def _interrupt_on_signal(reading: int) -> None:
    while os.read(reading, 1):
        if engine := sys.modules.get("core.engine"):
            engine.interrupt()


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


if __name__ == "__main__":
    main()
