"""What a failed request means, whichever client made it."""

import re
from http import HTTPStatus

from core.errors import AccessError, NotFoundError, PolyfaasError, StorageError
from core.storage.port import ChangedError

READ_AGAIN = "has changed while it was read: read it again"
REPEAT = "was changed by another writer meanwhile: read it and repeat"
REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
BUSY = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
# What obstore, and what requests, say of an answer that ends before it should.
BROKEN = re.compile("response body error|IncompleteRead|Connection broken")
# Where obstore asks for a role when it has no credentials: Amazon's and Azure's addresses of metadata.
ROLELESS = re.compile(r"https?://[^/ ]+/latest/(api/token|meta-data/iam)|performing token request")


def meant(url: str, status: int, said: str, changed: str = REPEAT) -> PolyfaasError:
    """Our error for a store's answer.

    Args:
        url: The object, as it was asked for.
        status: The answer's; 0 where there was none.
        said: What the client says of it.
        changed: What is told of an object that has not the version that was asked for.
    """
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError(f"there is nothing at {url}: check the bucket and the name")
    if status in REFUSED:
        return AccessError(f"access to {url} was refused: check the credentials and what they allow")
    if status == HTTPStatus.PRECONDITION_FAILED:
        return ChangedError(f"{url} {changed}")
    if ROLELESS.search(said):
        return AccessError(f"no credentials were found for {url}, and this machine gives no role: set them")
    return StorageError(f"the store failed on {url}: {_cured(status, said)}")


def _cured(status: int, said: str) -> str:
    """What happened, with what to do where that is known."""
    if status in BUSY:
        return f"it has too much to do ({int(status)}), try again later"
    if BROKEN.search(said):
        return "its answer broke off each time, try again later"
    return said
