"""Amazon's credentials from profiles in files, `~/.aws/config` and `~/.aws/credentials`, as boto3 reads them.

Only without AWS_ACCESS_KEY_ID: a function has that, and never waits for boto3, which takes half a second to import.
"""

import os
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from core.errors import RequestError

FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
DEFAULT = "default"


class Credentials(msgspec.Struct, frozen=True):
    """Credentials that a profile leads to.

    Attributes:
        provider: Gives them anew when they have expired.
        region: The profile's region, if it has one.
    """

    provider: Any
    region: str | None


def named() -> tuple[str, ...] | None:
    """The profile that is to be used and the files that may hold it; None where there is none."""
    paths = [Path(os.environ.get(variable) or usual).expanduser() for variable, usual in FILES.items()]
    profile = os.environ.get("AWS_PROFILE")
    if profile or any(path.is_file() for path in paths):
        return (profile or DEFAULT, *map(str, paths))
    return None


def credentials(profile: tuple[str, ...]) -> Credentials | None:
    """The credentials of a profile; None where it has none, or nobody asked for it and boto3 is not installed.

    Raises:
        RequestError: The profile that was asked for is not there, or boto3, which reads it, is not.
    """
    name, asked = profile[0], bool(os.environ.get("AWS_PROFILE"))
    try:
        boto3, exceptions = import_module("boto3"), import_module("botocore.exceptions")
        from obstore.auth.boto3 import Boto3CredentialProvider
    except ImportError as error:
        if not asked:
            return None
        detail = f"AWS_PROFILE names the profile {name!r}, which boto3 reads, and it is not installed"
        raise RequestError(f"{detail}: install boto3, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY") from error
    try:
        session = boto3.Session(profile_name=name if asked else None)
        provider = Boto3CredentialProvider(session) if session.get_credentials() else None
    except exceptions.BotoCoreError as error:
        raise RequestError(f"the profile {name!r} of AWS cannot be used ({error}): correct ~/.aws") from error
    if provider is None and asked:
        raise RequestError(f"the profile {name!r} of AWS has no credentials: run aws configure")
    return Credentials(provider, session.region_name) if provider else None
