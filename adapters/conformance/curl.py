"""An HTTP request as a command line that sends it again."""

import base64
import shlex
from urllib.parse import quote, urlencode

from core.message import Request

LONGEST_BYTES = 8000
JSON = "application/json"


def command(request: Request, url: str) -> str:
    """The request as a shell command.

    A body that is no plain text goes through base64, so that what is pasted is what was sent; one of more than 8000
    bytes is to be put into a file first.

    Args:
        request: In the provider's own form.
        url: Where it goes to; its path is added.
    """
    target = quote(request.path) + (f"?{urlencode(request.query)}" if request.query else "")
    headers = {"content-type": JSON, **request.headers}
    words = ["curl", "-s", "-X", request.method]
    for name, value in headers.items():
        words += ["-H", f"{name}: {value}" if value else f"{name};"]
    if len(request.body) > LONGEST_BYTES:
        words += ["--data-binary", "@body"]
    elif _is_plain(request.body):
        words += ["--data-raw", request.body.decode()]
    elif request.body:
        encoded = base64.b64encode(request.body).decode()
        return f"echo {encoded} | base64 -d | {shlex.join(words)} --data-binary @- {_place(url, target)}"
    return f"{shlex.join(words)} {_place(url, target)}"


def _place(url: str, target: str) -> str:
    """The address in quotes; a variable in front stays one."""
    variable, rest = ("$URL", url.removeprefix("$URL")) if url.startswith("$URL") else ("", url)
    return f'"{variable}"{shlex.quote(rest + target)}' if variable else shlex.quote(rest + target)


def _is_plain(body: bytes) -> bool:
    try:
        return bool(body) and body.decode().isprintable()
    except UnicodeDecodeError:
        return False
