"""The command `coldstart`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from adapters.options import allow_option, env_option, environment, provider_choice, roots
from core import console
from core.message import Request

if TYPE_CHECKING:
    from adapters.coldstart.record import ColdStart

RUNS = 5
MOST_RUNS = 100


@click.command(epilog="Example: polyfaas coldstart aws --html coldstart.html")
@click.argument("provider", type=provider_choice)
@click.argument("service", required=False)
@click.argument("parameters", metavar="[JSON]", required=False)
@click.option(
    "--runs",
    type=click.IntRange(1, MOST_RUNS),
    default=RUNS,
    show_default=True,
    help="Fresh instances to start with the X-ray; as many without it, in between, say what it costs.",
)
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the waterfall to this file, too.",
)
@click.option(
    "--least",
    "least_ms",
    metavar="MS",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Draw the imports that took so long; none under 1 ms is measured.",
)
@allow_option
@env_option
@console.as_json
def coldstart(  # noqa: PLR0913  (click hands over one argument an option)
    provider: str,
    service: str | None,
    parameters: str | None,
    *,
    runs: int,
    page: Path | None,
    least_ms: float,
    allow: Sequence[str],
    variables: Sequence[str],
    as_json: bool,
) -> None:
    """Start fresh instances of PROVIDER's real runtime, and draw where the time until the first answer goes.

    SERVICE is called twice in each, with the parameters in JSON; without it, a query of 100 generated rows in SQLite
    is. The waterfall has the process, the interpreter, the runtime, each import of 1 ms and more, and both calls.
    """
    if (service is None) != (parameters is None):
        raise click.UsageError("SERVICE needs its parameters in JSON, as for call")
    from adapters.coldstart import sample
    from adapters.coldstart.measure import Subject, measure
    from adapters.lab import interrupt

    with interrupt.once(), console.working(f"starting {provider}"), sample.database() as folder:
        subject = Subject(provider=provider, work=folder, allow=[folder.as_uri()], environment=environment(variables))
        request = sample.request()
        if service is not None and parameters is not None:
            subject = msgspec.structs.replace(subject, work=Path.cwd(), allow=roots(allow))
            request = Request(path=f"/{service}", body=parameters.encode())
        found = measure(subject, request, runs)
    if page is not None:
        from adapters.coldstart.page import write

        write(found, page, least_ms)
    _show(found, least_ms, as_json=as_json)


def _show(found: "ColdStart", least_ms: float, *, as_json: bool) -> None:
    from adapters.coldstart import terminal
    from adapters.coldstart.timeline import summary

    if as_json:
        console.document(summary(found))
    else:
        terminal.show(found, terminal.stdout(), least_ms)
