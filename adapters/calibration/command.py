"""The command `calibrate`."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec

from adapters import PROVIDERS
from adapters.base import RuntimeUnavailableError
from adapters.lab import LOCAL
from core import access, console

if TYPE_CHECKING:
    from adapters.calibration.record import Calibration

RUNS = 5
MOST_RUNS = 100


@click.command(epilog="Example: polyfaas calibrate aws gcp")
@click.argument("providers", metavar="[PROVIDER]...", nargs=-1, type=click.Choice([LOCAL, *PROVIDERS]))
@click.option("--endpoint", metavar="URL", help="The function deployed at this URL.")
@click.option(
    "--runs", type=click.IntRange(1, MOST_RUNS), default=RUNS, show_default=True, help="How often each probe is run."
)
@console.as_json
def calibrate(providers: tuple[str, ...], *, endpoint: str | None, runs: int, as_json: bool) -> None:
    """Run truth probes in PROVIDER's runtime, and hold what the profiles say against what was done.

    All four and "local", the call in process, when none is named. A probe burns a known CPU time in one or two
    threads or in a child, sleeps, holds memory, writes and reads a file, or sleeps beside a busy neighbour. The exit
    code is 1 when CPU time of a call's own is off, or a runtime could not be asked.
    """
    if providers and endpoint:
        raise click.UsageError("PROVIDER and --endpoint exclude each other")
    found, well = [], True
    for name in (endpoint,) if endpoint else tuple(dict.fromkeys(providers)) or (LOCAL, *PROVIDERS):
        try:
            calibration = _deployed(name, runs) if endpoint else _in_lab(name, runs)
        except RuntimeUnavailableError as error:
            click.echo(f"{name}: {error.detail}", err=True)
            well = False
            continue
        well = _shown(calibration, as_json=as_json) and well
        found.append(calibration)
    if as_json:
        _document(found)
    click.get_current_context().exit(0 if well else 1)


def _in_lab(provider: str, runs: int) -> "Calibration":
    from adapters.calibration.measure import measure
    from adapters.lab import interrupt, start

    with ExitStack() as stack:
        stack.enter_context(interrupt.once())
        stack.enter_context(console.working(f"calibrating {provider}"))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="polyfaas-")))
        instance = stack.enter_context(start(provider, folder, allow=()))
        found = measure(provider, instance.about, lambda request: instance.call(request).response, runs)
        return msgspec.structs.replace(found, substitute=instance.substitute)


def _deployed(endpoint: str, runs: int) -> "Calibration":
    from adapters.calibration.measure import measure
    from adapters.endpoint import post

    with console.working("calibrating"):
        return measure(access.shown(endpoint), "deployed", lambda request: post(endpoint, request), runs)


def _shown(calibration: "Calibration", *, as_json: bool) -> bool:
    """Show a calibration; gives whether all probes ran and no CPU time was missed."""
    from adapters.calibration import terminal
    from adapters.calibration.verdict import judged

    verdict = judged(calibration)
    if not as_json:
        terminal.show(calibration, verdict, terminal.stdout())
    return not verdict.missed and not calibration.failed


def _document(found: list["Calibration"]) -> None:
    from adapters.calibration.verdict import judged

    console.document([{**msgspec.structs.asdict(each), **msgspec.structs.asdict(judged(each))} for each in found])
