"""The client of DynamoDB that an instance keeps for each region."""

import os
import threading
from typing import Any

import msgspec

from core.database.server import CONNECT_TIMEOUT_S
from core.errors import DatabaseError

READ_TIMEOUT_S = 30
# Requests at once. A page is 1 MB as DynamoDB counts, and a few times as much in JSON.
WRITERS, READERS = 8, 4
# The SDK's own, of a request that fails: 3 s in all, since legacy mode alone begins with 50 ms for DynamoDB.
ATTEMPTS = 7

_clients: dict[tuple[int, str], Any] = {}
_lock = threading.Lock()


class _Answer(msgspec.Struct):
    """What is read of a page before the engine reads its items."""

    last: dict[str, Any] | None = msgspec.field(default=None, name="LastEvaluatedKey")
    consumed: dict[str, Any] | None = msgspec.field(default=None, name="ConsumedCapacity")


def close(region: str) -> None:
    """End the connections that this instance keeps to a region."""
    with _lock:
        found = _clients.pop((os.getpid(), region), None)
    if found is not None:
        found.close()


def client(region: str) -> Any:
    """The client of this instance, which threads may share; a forked child has its own.

    Raises:
        DatabaseError: boto3 is not installed.
    """
    with _lock:
        if (found := _clients.get((os.getpid(), region))) is None:
            found = _clients[os.getpid(), region] = _opened(region)
    return found


def _opened(region: str) -> Any:
    try:
        import boto3
        from botocore.config import Config
    except ImportError as error:
        raise DatabaseError("dynamodb:// needs boto3: install polyfaas[aws]") from error
    config = Config(
        retries={"mode": "legacy", "total_max_attempts": ATTEMPTS},
        max_pool_connections=WRITERS + READERS,
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        parameter_validation=False,  # it takes longer than all the rest of a write
    )
    made = boto3.Session(region_name=region).client("dynamodb", config=config)
    made.meta.events.register("before-parse.dynamodb.Query", _keep_body)
    return made


def _keep_body(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Hand a page over as the JSON that it is: the SDK makes 12,000 rows a second of it, the engine ten times that."""
    if response_dict["status_code"] == 200:  # noqa: PLR2004  (HTTP's own)
        body = response_dict["body"]
        answer = msgspec.json.decode(body, type=_Answer)
        customized_response_dict["Body"] = body
        response_dict["body"] = msgspec.json.encode(answer)
