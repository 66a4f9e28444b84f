"""The commands that say what requests and answers mean: schema, metrics."""

import difflib

import click
import msgspec

from core import console
from core.runtime import built_in, encode, openapi
from core.service import Services


@click.command(epilog="Example: polyfaas schema query, polyfaas schema profile")
@click.argument("service", required=False)
@click.option("--openapi", "as_openapi", is_flag=True, help="Print an OpenAPI 3.1 document instead.")
def schema(service: str | None, *, as_openapi: bool) -> None:
    """Print what SERVICE, or every service, takes and gives, or what a "profile" holds, as JSON Schema (2020-12)."""
    from core.contract import profile
    from core.contract.services import json_schema

    if service == profile.NAME and not as_openapi:
        click.echo(msgspec.json.format(encode(profile.json_schema())))
        return
    if service == profile.NAME:
        raise click.UsageError("--openapi is about services: leave it out for the profile's schema")
    services = _services(service)
    click.echo(msgspec.json.format(openapi(services) if as_openapi else encode(json_schema(services))))


@click.command(epilog="Example: polyfaas metrics cgroup_throttled_ms")
@click.argument("name", required=False)
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the page docs/metrics.md.")
@console.as_json
def metrics(name: str | None, *, as_markdown: bool, as_json: bool) -> None:
    """Print what the metric NAME means: its unit, kind, scope, source, error, SAAF's names; or list all metrics."""
    from core.profiler.metrics import METRICS, markdown

    if as_markdown and (name or as_json):
        raise click.UsageError("--markdown is the whole page: it takes neither NAME nor --json")
    found = [metric for metric in METRICS if name in (None, metric.name, metric.saaf, metric.saaf_ticks)]
    if not found:
        near = difflib.get_close_matches(str(name), [metric.name for metric in METRICS])
        hint = f"did you mean {near[0]}?" if near else "polyfaas metrics lists them"
        raise click.BadParameter(f"there is no metric {name!r}: {hint}", param_hint="NAME")
    if as_markdown:
        click.echo(markdown(), nl=False)
    elif as_json:
        console.document(found)
    elif name is None:
        for metric in found:
            click.echo(f"{metric.name:30}{metric.scope:9}{metric.kind:9}{metric.unit}".rstrip())
    else:
        for field, value in msgspec.structs.asdict(found[0]).items():
            click.echo(f"{field:11}{value or '-'}")


def _services(name: str | None) -> Services:
    services = built_in()
    if name is None:
        return services
    if name not in services:
        known = ", ".join(sorted(services))
        raise click.BadParameter(f"there is no service {name!r}: use one of {known}", param_hint="SERVICE")
    return {name: services[name]}


COMMANDS = (schema, metrics)
