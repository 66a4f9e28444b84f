"""What the functions of an app besides the HTTP one are started by: queue, blob, timer and Event Grid.

Their decorators are in `adapters.azure.functions`; this module asks Microsoft's library for nothing.
https://learn.microsoft.com/azure/event-grid/event-schema-blob-storage and
https://learn.microsoft.com/azure/azure-functions/functions-bindings-storage-blob-trigger
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.triggers import (
    TRIGGER,
    DeploymentError,
    Environment,
    EventError,
    encoded,
    message,
    on_object,
)
from core.message import Request

HTTP = "http"
NAMES = (HTTP, "queue", "blob", "timer", "event-grid")
ACCOUNT = "AZURE_STORAGE_ACCOUNT_NAME"

CREATED = "Microsoft.Storage.BlobCreated"
MICROSOFT = "Microsoft."
CONTAINERS, BLOBS = "/blobServices/default/containers/", "/blobs/"


def wanted(environment: Environment) -> tuple[str, ...]:
    """The functions that POLYFAAS_TRIGGER lists, with commas between; the HTTP one when it is not set.

    Raises:
        DeploymentError: It lists one that there is not.
    """
    names = tuple(name.strip() for name in (environment.get(TRIGGER) or HTTP).split(","))
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise DeploymentError(f"{TRIGGER} has {unknown[0]!r}: list some of {', '.join(NAMES)}, with commas between")
    return names


def setting(environment: Environment, name: str, example: str) -> str:
    """A setting that a function cannot do without.

    Raises:
        DeploymentError: It is not there.
    """
    found = environment.get(name)
    if not found:
        raise DeploymentError(f"{TRIGGER} asks for a function that needs {name}: set it, for example to {example}")
    return found


def blob(path: str | None, uri: str | None, environment: Environment) -> Request | None:
    """The request that a blob starts.

    Args:
        path: Its container and name, as the host tells them.
        uri: Its address.
        environment: The deployment's variables.

    Raises:
        EventError: The blob is in another account than the one that az:// URLs are in, or was not named.
    """
    if not path or "/" not in path:
        raise EventError(f"the host names the blob {path!r}, without container and name: check the trigger's path")
    host = urlsplit(uri).netloc if uri else ""
    return _object(path, host.partition(".")[0], environment)


def event_grid(event: Mapping[str, Any], environment: Environment) -> Request | None:
    """The request that an event starts; None where there is nothing to do.

    Args:
        event: Its type, topic, subject, data and traceparent, by these names.
        environment: The deployment's variables.

    Raises:
        EventError: It is of another shape, or of a service of Microsoft's that starts nothing here.
    """
    kind, topic, subject = (str(event.get(name) or "") for name in ("type", "topic", "subject"))
    if kind == CREATED:
        container, separator, name = subject.removeprefix(CONTAINERS).partition(BLOBS)
        if not subject.startswith(CONTAINERS) or not separator:
            raise EventError(f"a new blob's event has the subject {subject!r}, which names none: check what sends it")
        return _object(f"{container}/{name}", topic.rpartition("/storageAccounts/")[2], environment)
    if kind.startswith(MICROSOFT):
        raise EventError(f"an event of type {kind!r} starts nothing here: subscribe to {CREATED} or to your own")
    traceparent = event.get("traceparent")
    return message(encoded(event.get("data")), traceparent if isinstance(traceparent, str) else None)


def _object(path: str, account: str, environment: Environment) -> Request | None:
    ours = environment.get(ACCOUNT)
    if ours and account and account != ours:
        cure = f"connect this function to {ours}, or set {ACCOUNT}"
        raise EventError(f"the blob is in the account {account}, and az:// URLs are in {ours}: {cure}")
    return on_object(f"az://{path}", environment)
