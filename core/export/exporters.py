"""The exporters by name, and the call of those that POLYFAAS_EXPORT asks for."""

import os
from functools import cache
from importlib import import_module
from typing import Protocol, cast

from core.export.record import ExportError, Finished

VARIABLE = "POLYFAAS_EXPORT"
# Where each exporter is; imported at its first use.
EXPORTERS = {"otlp": "core.export.otlp.delivery", "emf": "core.export.emf", "log": "core.export.log"}

# What this instance has said already.
_told: set[str] = set()


class Exporter(Protocol):
    """What an exporter's module gives."""

    def send(self, finished: Finished) -> None:
        """Send a call's profile.

        Raises:
            ExportError: It could not be sent; the message says why and what to do.
        """
        ...


def export(finished: Finished) -> None:
    """Give a finished call to each exporter that POLYFAAS_EXPORT names; one that fails says so once in the log."""
    for name in _names(os.environ.get(VARIABLE, "")):
        if name not in EXPORTERS:
            tell(name, f"{VARIABLE} names {name!r}, which is no exporter: use {', '.join(EXPORTERS)}")
            continue
        try:
            cast("Exporter", import_module(EXPORTERS[name])).send(finished)
        except ExportError as error:
            tell(name, f"the exporter {name} failed, and will not say so again: {error}")


def tell(about: str, message: str) -> None:
    """Warn in the log, once an instance for each thing that it is about."""
    if about in _told:
        return
    _told.add(about)
    import logging  # some ms that only a failure has to pay

    logging.getLogger("polyfaas.export").warning("%s", message, extra={"exporter": about})


@cache
def _names(listed: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in listed.split(",") if name.strip()))
