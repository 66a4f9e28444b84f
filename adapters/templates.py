"""The requests that a deployment's environment names, with the parts of an object's URL filled in.

Whoever can write an object chooses its key, and a key is put into a request here. So a template is JSON first and
filled in after: a key never becomes a field. It is filled in below a place that the template itself names, and a key
that would lead elsewhere is refused.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from core.errors import PolyfaasError

WHOLE = "{url}"
PLACEHOLDER = re.compile(r"\{(\w*)\}")
# What follows is below a bucket, or whatever else the URL's first part names.
BELOW = re.compile(r"[^{}]*://[^/{}]*/")
# In a URL these begin something else, or are another spelling of a letter.
MISLEADING = re.compile(r"[\x00-\x1f\x7f\\?#%]")
PACKED = (".gz", ".zst")


class DeploymentError(PolyfaasError):
    """What the deployment's environment says cannot be carried out: its operator has to mend it."""

    status = 500
    title = "Deployment misconfigured"
    slug = "deployment"


class EventError(PolyfaasError, ValueError):
    """An event is not of its documented shape, or nothing can be started with it."""

    status = 400
    title = "Bad event"
    slug = "bad-event"


def template(environment: Mapping[str, str], variable: str, example: str) -> dict[str, Any]:
    """The JSON object in a variable.

    Args:
        environment: The deployment's variables.
        variable: The variable's name.
        example: A value that it could have.

    Raises:
        DeploymentError: There is none.
    """
    text = environment.get(variable)
    if not text:
        raise DeploymentError(f"{variable} does not say what such an event starts: set it, for example to {example}")
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DeploymentError(f"{variable} is not JSON ({error}): set it to an object such as {example}") from error
    if not isinstance(found, dict):
        raise DeploymentError(f"{variable} is JSON, but no object: set it to one such as {example}")
    return found


def filled(request: Mapping[str, Any], url: str) -> dict[str, Any]:
    """The template with the parts of an object's URL.

    `{url}` stands for the URL, as the whole of a text; `{key}` for the object's name in its bucket, `{name}` for what
    follows its last slash, `{stem}` for that without its ending. `source` is the URL where nothing says `{url}`.

    Raises:
        DeploymentError: The template has another placeholder, or one where none may be.
        EventError: The object's name would lead out of the place that the template names.
    """
    if PLACEHOLDER.search(str(request.get("service"))):
        raise DeploymentError(f'"service" is {request["service"]!r}: an object must not choose the service, name one')
    key = url.partition("://")[2].partition("/")[2]
    name = key.rpartition("/")[2]
    parts = {"key": key, "name": name, "stem": _stem(name)}
    found: dict[str, Any] = _filled(dict(request), url, parts)
    if WHOLE not in _texts(request):
        found.setdefault("source", url)
    return found


def writes_to(request: Mapping[str, Any], url: str) -> bool:
    """Whether an object lies where the template has its service write, so that it may be the service's own."""
    named = {name: value for name, value in request.items() if name != "source"}
    places = (text.partition("{")[0] for text in _texts(named) if BELOW.match(text))
    return any(url.startswith(_plain(place)) for place in places)


def _plain(place: str) -> str:
    """The object's URL in that of a database in an object, such as parquet+s3://bucket/sales."""
    scheme, separator, rest = place.partition("://")
    return f"{scheme.rpartition('+')[2]}{separator}{rest}"


def _stem(name: str) -> str:
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.rpartition(".")[0] or name


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def _filled(value: Any, url: str, parts: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, url, parts) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, url, parts) for each in value]
    if not isinstance(value, str):
        return value
    return url if value == WHOLE else _text(value, parts)


def _text(text: str, parts: Mapping[str, str]) -> str:
    first = PLACEHOLDER.search(text)
    if first is None:
        return text
    below = BELOW.match(text)
    if "://" in text and (below is None or below.end() > first.start()):
        raise DeploymentError(f"{text!r} leaves the place open: name scheme and bucket, such as s3://bucket/{{key}}")
    return PLACEHOLDER.sub(lambda found: _part(text, found[1], parts), text)


def _part(text: str, name: str, parts: Mapping[str, str]) -> str:
    if name not in parts:
        known = ", ".join(f"{{{each}}}" for each in parts)
        raise DeploymentError(f"{text!r} has {{{name}}}: use {known}, or {WHOLE} as the whole text")
    value = parts[name]
    if MISLEADING.search(value) or not {"", ".", ".."}.isdisjoint(value.split("/")):
        cure = "rename the object, or have the template name its target without it"
        raise EventError(f"the object's {name} {value!r} would not stay below the place in {text!r}: {cure}")
    return value
