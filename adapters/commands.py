"""The commands that deal with providers' runtimes: serve, call, coldstart, calibrate, conform, doctor."""

import contextlib
import importlib
import json
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
import msgspec

from adapters import PROVIDERS
from adapters.base import Client, Runtime, RuntimeUnavailableError
from adapters.calibration.command import calibrate
from adapters.coldstart.command import coldstart
from adapters.conformance.command import conform
from adapters.endpoint import post
from adapters.options import allow_option, env_option, environment, provider_choice, roots
from core import access, console
from core.errors import RequestError
from core.message import LOCAL, Request
from core.runtime import handle

if TYPE_CHECKING:
    from adapters.lab.instance import Instance

EXAMPLE = {"service": "query", "database": "sqlite:///sales.db", "group_by": ["Region"]}


@click.command(epilog="Example: polyfaas serve gcp --allow data")
@click.argument("provider", type=provider_choice)
@allow_option
@env_option
def serve(provider: str, allow: Sequence[str], variables: Sequence[str]) -> None:
    """Run the services under PROVIDER's real runtime until Ctrl-C; relative paths count from this folder."""
    allowed = roots(allow)
    with contextlib.suppress(KeyboardInterrupt), _instance(provider, allowed, environment(variables)) as instance:
        click.echo(f"{instance.about} at {instance.url}")
        click.echo(f"Calls may touch: {', '.join(map(access.shown, allowed)) or 'nothing'} (--allow ROOT for others)")
        if instance.substitute:
            click.echo(f"Stand-in: {instance.substitute}")
        click.echo(f"Try it: {_curl(provider, instance.url)}\nCtrl-C stops it.")
        instance.wait()


@contextlib.contextmanager
def _instance(provider: str, allow: Sequence[str], variables: Mapping[str, str]) -> Iterator["Instance"]:
    from adapters.lab import interrupt, start

    with (
        interrupt.once(),
        tempfile.TemporaryDirectory(prefix="polyfaas-") as folder,
        start(provider, Path(folder), work=Path.cwd(), allow=allow, environment=variables) as instance,
    ):
        yield instance


def _curl(provider: str, url: str) -> str:
    client = cast("Client", importlib.import_module(PROVIDERS[provider].client))
    request = client.wrap(Request(path="/", body=json.dumps(EXAMPLE).encode()))
    header = "content-type: application/json"
    return shlex.join(["curl", "-s", "-H", header, "-d", request.body.decode(), f"{url}{request.path}"])


@click.command(epilog='Example: polyfaas call query \'{"database": "sales.db"}\' --provider aws')
@click.argument("service")
@click.argument("parameters", metavar="JSON")
@click.option("--provider", type=provider_choice, help="In a fresh instance of this provider's runtime.")
@click.option("--endpoint", metavar="URL", help="At this URL; the service's name is added to it.")
@allow_option
@env_option
@console.as_json
def call(  # noqa: PLR0913  (click hands over one argument an option)
    service: str,
    parameters: str,
    *,
    provider: str | None,
    endpoint: str | None,
    allow: Sequence[str],
    variables: Sequence[str],
    as_json: bool,
) -> None:
    """Call SERVICE with the parameters in JSON: in process, under a provider's runtime, or at an endpoint."""
    if provider and endpoint:
        raise click.UsageError("--provider and --endpoint exclude each other")
    if allow and endpoint:
        raise click.UsageError("--allow and --endpoint exclude each other: who deployed it says what it may touch")
    if variables and not provider:
        raise click.UsageError("--env needs --provider: elsewhere the variables are those that are there")
    request = Request(path=f"/{service}", body=parameters.encode())
    if endpoint:
        response = post(endpoint, request)
    elif provider:
        with _instance(provider, roots(allow), environment(variables)) as instance:
            response = instance.call(request).response
    else:
        with access.limited(roots(allow)):
            response = handle(request, LOCAL)
    body = response.body if as_json else msgspec.json.format(response.body)
    click.echo(body)
    click.get_current_context().exit(0 if response.status < RequestError.status else 1)


class Check(msgspec.Struct, frozen=True):
    """One line of the doctor.

    Attributes:
        name: What is looked for.
        found: What was found; absent when it is missing.
        cure: How to get it.
    """

    name: str
    found: str | None
    cure: str | None = None


@click.command(epilog="Example: polyfaas doctor")
@console.as_json
def doctor(*, as_json: bool) -> None:
    """Say what is installed, what is missing, and how to get it; the exit code is 1 when something is missing."""
    checks = [*map(_package, PACKAGES.items()), *map(_runtime, PROVIDERS)]
    if as_json:
        console.document(checks)
    else:
        for check in checks:
            click.echo(f"{'ok ' if check.found else 'MISSING'} {check.name:24} {check.found or check.cure}")
    click.get_current_context().exit(0 if all(check.found for check in checks) else 1)


# Distribution: what it is for, and the extra that brings it.
PACKAGES = {
    "duckdb": ("engine", None),
    "adbc-driver-sqlite": ("bulk load into SQLite", None),
    "scipy": ("statistics of the bench", "bench"),
    "altair": ("charts of the report", "bench"),
    "vl-convert-python": ("charts of the report", "bench"),
}


def _package(item: tuple[str, tuple[str, str | None]]) -> Check:
    name, (purpose, extra) = item
    try:
        return Check(f"{name} ({purpose})", version(name))
    except PackageNotFoundError:
        wanted = f"polyfaas[{extra}]" if extra else "polyfaas"
        return Check(f"{name} ({purpose})", None, f"pip install '{wanted}'")


def _runtime(provider: str) -> Check:
    runtime = cast("Runtime", importlib.import_module(PROVIDERS[provider].runtime))
    with tempfile.TemporaryDirectory(prefix="polyfaas-") as folder:
        try:
            launch = runtime.launch(Path(folder))
        except RuntimeUnavailableError as error:
            return Check(f"{provider} runtime", None, error.detail)
    note = f" (stand-in: {launch.substitute})" if launch.substitute else ""
    return Check(f"{provider} runtime", launch.about + note)


COMMANDS = (serve, call, coldstart, calibrate, conform, doctor)
