"""What a platform answers in the function's place, a time-out or a crash, in the function's form."""

from http import HTTPStatus

import msgspec

from core.message import Request, Response

# Every answer of `handle` has one of these: the full view the first, the flat view the second, the contract the third.
OURS = frozenset({"context", "platform", "openapi"})
SHOWN_CHARACTERS = 500


def presented(request: Request, response: Response, platform: str) -> Response:
    """The response itself when the function gave it, else an error object that says what the platform said.

    Args:
        request: What was asked.
        response: What came back.
        platform: The platform's name.
    """
    if _is_ours(response.body):
        return response
    status = response.status if response.status >= HTTPStatus.BAD_REQUEST else HTTPStatus.BAD_GATEWAY.value
    said = response.body.decode(errors="replace").strip()[:SHOWN_CHARACTERS] or "nothing"
    error = {
        "type": "urn:polyfaas:error:platform",
        "title": "The platform answered",
        "status": status,
        "detail": f"{platform} answered in the function's place: {said}",
        "instance": request.path,
    }
    body = {"service": None, "status": status, "error": error, "context": {"platform": platform}}
    headers = {"content-type": "application/json"}
    return Response(status=status, headers=headers, body=msgspec.json.encode(body))


def _is_ours(body: bytes) -> bool:
    try:
        return not OURS.isdisjoint(msgspec.json.decode(body, type=dict[str, msgspec.Raw]))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
