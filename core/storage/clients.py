"""obstore's client of each bucket: Amazon S3 and what speaks like it, IBM COS among them; Azure Blob; memory.

Each finds its credentials by its provider's own variables and, on the provider's machines, by the role of these.
"""

import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import msgspec

from core.errors import RequestError
from core.storage import profiles

# The client repeats what fails for a moment, with jitter, as long as this allows.
RETRIES: Any = {"max_retries": 6, "retry_timeout": timedelta(seconds=30)}
CONNECT_TIMEOUT = "10s"

Store: TypeAlias = Any


class _Amazon(msgspec.Struct, frozen=True):
    """What an S3 client is made from.

    Attributes:
        bucket: Its bucket.
        endpoint: Another server than Amazon's.
        region: Where the bucket is.
        keys: Key id, secret and session token, as far as there are.
        profile: The files with a profile that gives the keys, and its name; see `core.storage.profiles`.
        timeout: How long a request may take.
    """

    bucket: str
    endpoint: str | None
    region: str | None
    keys: tuple[str | None, ...]
    profile: tuple[str, ...] | None
    timeout: str


def _amazon(bucket: str, timeout: str) -> Store:
    """By AWS_* variables, AWS_ENDPOINT_URL_S3 and AWS_ENDPOINT_URL among them, a profile, or the machine's role."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    keys = _environment("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    return _s3(_Amazon(bucket, endpoint, region, keys, None if keys[0] else profiles.named(), timeout))


def _ibm(bucket: str, timeout: str) -> Store:
    """By HMAC credentials; the region is the endpoint's."""
    endpoint = os.environ.get("COS_ENDPOINT")
    keys = _environment("COS_HMAC_ACCESS_KEY_ID", "COS_HMAC_SECRET_ACCESS_KEY")
    if not endpoint or None in keys:
        missing = "COS_ENDPOINT, COS_HMAC_ACCESS_KEY_ID and COS_HMAC_SECRET_ACCESS_KEY"
        raise RequestError(f"cos:// needs {missing} in the environment: set them")
    return _s3(_Amazon(bucket, endpoint, None, keys, None, timeout))


def _environment(*names: str) -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in names)


@cache
def _s3(client: _Amazon) -> Store:
    from obstore.store import S3Store

    names = ("access_key_id", "secret_access_key", "session_token")
    given: dict[str, Any] = {name: key for name, key in zip(names, client.keys, strict=False) if key}
    if client.endpoint:
        given |= {"endpoint": client.endpoint, "virtual_hosted_style_request": False}
    found = profiles.credentials(client.profile) if client.profile else None
    if found:
        given["credential_provider"] = found.provider
    region = client.region or (found.region if found else None) or "us-east-1"
    options = _options(client.endpoint, client.timeout)
    return S3Store(client.bucket, region=region, client_options=options, retry_config=RETRIES, **given)


def _options(endpoint: str | None, timeout: str) -> Any:
    """Plain HTTP only where the endpoint says so: an emulator's."""
    plain = bool(endpoint and endpoint.startswith("http://"))
    return {"connect_timeout": CONNECT_TIMEOUT, "timeout": timeout, "allow_http": plain}


def _azure(bucket: str, timeout: str) -> Store:
    """By AZURE_STORAGE_CONNECTION_STRING, else what obstore reads itself: account, key, SAS, client, or the role."""
    variables = {name: value for name, value in os.environ.items() if name.startswith(("AZURE_", "IDENTITY_", "MSI_"))}
    if not {"AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_NAME"} & set(variables):
        missing = "AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with AZURE_STORAGE_ACCOUNT_KEY"
        raise RequestError(f"az:// needs {missing} (or a role), in the environment: set it")
    return _blobs(bucket, timeout, tuple(sorted(variables.items())))


@cache
def _blobs(bucket: str, timeout: str, variables: tuple[tuple[str, str], ...]) -> Store:
    from obstore.store import AzureStore

    known = dict(variables)
    connection = known.get("AZURE_STORAGE_CONNECTION_STRING")
    given = _connection(connection) if connection else {}
    endpoint = given.get("endpoint") or known.get("AZURE_STORAGE_ENDPOINT") or known.get("AZURE_ENDPOINT")
    return AzureStore(bucket, client_options=_options(endpoint, timeout), retry_config=RETRIES, **given)


def _connection(string: str) -> dict[str, Any]:
    """What a connection string says, as obstore calls it; it is shown to nobody."""
    pairs = (part.partition("=") for part in string.split(";") if part.strip())
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    endpoint = fields.get("blobendpoint") or _endpoint(fields)
    account = fields.get("accountname") or (urlsplit(endpoint).hostname or "").partition(".")[0]
    given = {"account_name": account, "endpoint": endpoint.rstrip("/")}
    if key := fields.get("accountkey"):
        return given | {"account_key": key, "credential_type": "access_key"}
    if token := fields.get("sharedaccesssignature"):
        return given | {"sas_key": token.removeprefix("?"), "credential_type": "sas_token"}
    wanted = "AccountName and AccountKey, or BlobEndpoint and SharedAccessSignature"
    raise RequestError(f"AZURE_STORAGE_CONNECTION_STRING lacks a key: it must have {wanted}")


def _endpoint(fields: Mapping[str, str]) -> str:
    if not fields.get("accountname"):
        raise RequestError("AZURE_STORAGE_CONNECTION_STRING names no AccountName and no BlobEndpoint: copy it again")
    protocol, suffix = fields.get("defaultendpointsprotocol", "https"), fields.get("endpointsuffix", "core.windows.net")
    return f"{protocol}://{fields['accountname']}.blob.{suffix}"


def _memory(bucket: str, _timeout: str) -> Store:
    return _kept(bucket)


@cache
def _kept(bucket: str) -> Store:  # noqa: ARG001  (one store each)
    from obstore.store import MemoryStore

    return MemoryStore()


STORES: dict[str, Callable[[str, str], Store]] = {"s3": _amazon, "cos": _ibm, "az": _azure, "memory": _memory}
