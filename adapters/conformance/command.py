"""The command `conform`."""

import secrets
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
import msgspec

from adapters import PROVIDERS
from adapters.base import RuntimeUnavailableError
from adapters.options import provider_choice
from core import console

if TYPE_CHECKING:
    from adapters.conformance.record import Fuzz, Miss, Sheet, Subject

MOST_REQUESTS = 1_000_000
NO_PLACE = "it needs files: name a place that both this machine and the endpoint may touch by --scratch"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done with each.

    Attributes:
        scratch: Where files may be laid; in the lab a temporary folder when left out.
        fuzz: How many requests are made up.
        seed: Of these.
    """

    scratch: str | None
    fuzz: int
    seed: int


@click.command(epilog="Example: polyfaas conform aws gcp --fuzz 1000")
@click.argument("providers", metavar="[PROVIDER]...", nargs=-1, type=provider_choice)
@click.option("--endpoint", metavar="URL", help="The function deployed at this URL.")
@click.option(
    "--scratch",
    metavar="URL",
    help="Folder or place in a bucket that this machine and the calls may touch: files are laid there, and removed. "
    "[default: a temporary folder for PROVIDER, none for --endpoint]",
)
@click.option(
    "--fuzz",
    "count",
    metavar="N",
    type=click.IntRange(0, MOST_REQUESTS),
    default=0,
    help="Send so many made-up requests, too; one that is answered otherwise than in process is made as small as can "
    "be and printed.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of the made-up requests.  [default: another each time]")
@console.as_json
def conform(  # noqa: PLR0913  (click hands over one argument an option)
    providers: tuple[str, ...],
    *,
    endpoint: str | None,
    scratch: str | None,
    count: int,
    seed: int | None,
    as_json: bool,
) -> None:
    """Ask PROVIDER's runtime golden requests: every answer must be the one that the call in process gives.

    All four when none is named. Texts, numbers at the edges, null and false, large and odd bodies, errors, paths,
    queries, headers, traces, profiles, calls at once, and files. Each request is a point. The exit code is 1 when a
    point was missed, or a runtime could not be asked.
    """
    if providers and endpoint:
        raise click.UsageError("PROVIDER and --endpoint exclude each other")
    if seed is not None and not count:
        raise click.UsageError("--seed is of --fuzz N: say how many")
    plan = Plan(scratch=scratch, fuzz=count, seed=secrets.randbelow(1 << 32) if seed is None else seed)
    found, well = [], True
    for name in (endpoint,) if endpoint else tuple(dict.fromkeys(providers)) or tuple(PROVIDERS):
        try:
            found.append(_deployed(name, plan) if endpoint else _in_lab(name, plan))
        except RuntimeUnavailableError as error:
            click.echo(f"{name}: {error.detail}", err=True)
            well = False
    _show(found, as_json=as_json)
    click.get_current_context().exit(0 if well and all(sheet.is_full for sheet in found) else 1)


def _in_lab(provider: str, plan: Plan) -> "Sheet":
    from adapters.conformance.subjects import in_lab
    from adapters.lab import interrupt, start

    with ExitStack() as stack:
        stack.enter_context(interrupt.once())
        stack.enter_context(console.working(f"examining {provider}"))
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="polyfaas-"))).resolve()
        scratch = plan.scratch or str(folder)
        instance = stack.enter_context(start(provider, folder / "instance", allow=[scratch]))
        return _examined(in_lab(instance), scratch, plan)


def _deployed(endpoint: str, plan: Plan) -> "Sheet":
    from adapters.conformance.subjects import deployed

    with console.working("examining"):
        return _examined(deployed(endpoint), plan.scratch, plan)


def _examined(subject: "Subject", scratch: str | None, plan: Plan) -> "Sheet":
    from adapters.conformance.examine import examine
    from adapters.conformance.goldens import GOLDENS, data

    if scratch is None:
        sheet = msgspec.structs.replace(examine(subject, GOLDENS), left_out={data.GROUP: NO_PLACE})
    else:
        with data.laid_out(scratch) as start:
            sheet = examine(subject, [*GOLDENS, *data.goldens(start)], [scratch])
    return msgspec.structs.replace(sheet, fuzz=_fuzzed(subject, plan))


def _fuzzed(subject: "Subject", plan: Plan) -> "Fuzz | None":
    if not plan.fuzz:
        return None
    from adapters.conformance.fuzz import fuzz

    return fuzz(subject, plan.fuzz, plan.seed)


def _show(sheets: list["Sheet"], *, as_json: bool) -> None:
    if as_json:
        console.document([_document(sheet) for sheet in sheets])
    elif sheets:
        from adapters.conformance import terminal

        terminal.show(sheets, terminal.stdout())


def _document(sheet: "Sheet") -> dict[str, Any]:
    """A sheet with its sums, and with bodies as texts where they are."""
    fuzz = sheet.fuzz and {**msgspec.structs.asdict(sheet.fuzz), "miss": sheet.fuzz.miss and _told(sheet.fuzz.miss)}
    sums = {"passed": sheet.passed, "total": sheet.total, "misses": list(map(_told, sheet.misses)), "fuzz": fuzz}
    return {**msgspec.structs.asdict(sheet), **sums}


def _told(miss: "Miss") -> dict[str, Any]:
    request = msgspec.structs.asdict(miss.request)
    try:
        request["body"] = miss.request.body.decode()
    except UnicodeDecodeError:
        request["body_base64"] = request.pop("body")  # which is how bytes are written in JSON
    return {**msgspec.structs.asdict(miss), "request": request}
