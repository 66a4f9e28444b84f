"""Who asks a store: by variables, by a profile in a file, by a connection string."""

from pathlib import Path

import pytest

from adapters.lab.ports import free_port
from core import AccessError, RequestError, storage
from core.storage import clients, profiles
from tests import store_rigs
from tests.store_rigs import ACCOUNT, ACCOUNT_KEY, KEY, SECRET, Servers, bucket, get, put

VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


@pytest.fixture
def amazon(store_servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A bucket on a server that checks signatures, and an environment that says nothing of who asks."""
    url = bucket("seaweedfs", store_servers.endpoint("seaweedfs"), monkeypatch)
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    return url


def written(folder: Path, name: str, profile: str, key: str, secret: str) -> None:
    fields = f"aws_access_key_id = {key}\naws_secret_access_key = {secret}\n"
    (folder / ".aws" / name).write_text(f"[{profile}]\n{fields}")


def test_the_default_profile_is_used_where_no_variable_says_who_asks(amazon: str, tmp_path: Path) -> None:
    written(tmp_path, "credentials", "default", KEY, SECRET)
    put(f"{amazon}/a", b"x")
    assert get(f"{amazon}/a") == b"x"


def test_a_profile_is_used_by_its_name(amazon: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "credentials", "default", KEY, "wrong")
    written(tmp_path, "config", "profile mine", KEY, SECRET)
    monkeypatch.setenv("AWS_PROFILE", "mine")
    put(f"{amazon}/a", b"x")
    assert get(f"{amazon}/a") == b"x"


def test_a_profile_with_another_secret_is_refused(amazon: str, tmp_path: Path) -> None:
    written(tmp_path, "credentials", "default", KEY, "wrong")
    with pytest.raises(AccessError, match=r"access to .* was refused"):
        put(f"{amazon}/a", b"x")


def test_variables_come_before_profiles(amazon: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "credentials", "default", KEY, "wrong")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    put(f"{amazon}/a", b"x")
    assert get(f"{amazon}/a") == b"x"


def test_files_are_found_where_variables_say(amazon: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "elsewhere", "default", KEY, SECRET)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / ".aws/elsewhere"))
    put(f"{amazon}/a", b"x")
    assert get(f"{amazon}/a") == b"x"


def test_a_profile_that_is_not_there_is_named(amazon: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "none")
    with pytest.raises(RequestError, match=r"the profile 'none' of AWS cannot be used .*: correct ~/.aws"):
        storage.stat(f"{amazon}/a")


def test_a_profile_without_boto3_says_what_to_install(amazon: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setattr(profiles, "import_module", missing)
    with pytest.raises(RequestError, match=r"the profile 'mine', which boto3 reads, .*: install boto3, or"):
        storage.stat(f"{amazon}/a")


def missing(name: str) -> None:
    raise ImportError(name)


@pytest.mark.usefixtures("amazon")
def test_without_files_and_variables_no_profile_is_looked_for() -> None:
    assert profiles.named() is None


def test_who_has_no_credentials_and_no_role_is_told_so(amazon: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(
        AccessError, match=r"no credentials were found for .*/a, and this machine gives no role: set them"
    ):
        storage.stat(f"{amazon}/a")


def test_who_has_no_credentials_and_no_identity_at_azure_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "mine")
    monkeypatch.setenv("AZURE_MSI_ENDPOINT", f"http://127.0.0.1:{free_port()}/metadata/identity/oauth2/token")
    with pytest.raises(
        AccessError, match=r"no credentials were found for .*/a, and this machine gives no role: set them"
    ):
        storage.stat("az://container/a")


CONNECTIONS = {
    "key": "DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={endpoint}/;",
    "blanks and another order": " BlobEndpoint={endpoint} ;accountkey={key}; AccountName={account}",
}


@pytest.mark.parametrize("form", CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_connection_string_says_it_all(store_servers: Servers, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    endpoint = store_servers.endpoint("az")
    url = bucket("az", endpoint, monkeypatch)
    for variable in store_rigs.environment("az", endpoint):
        monkeypatch.delenv(variable)
    connection = form.format(account=ACCOUNT, key=ACCOUNT_KEY, endpoint=endpoint)
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
    put(f"{url}/a", b"x")
    assert get(f"{url}/a") == b"x"


def test_a_connection_string_with_a_signature_is_used(store_servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = store_servers.endpoint("az")
    url = bucket("az", endpoint, monkeypatch)
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "bm90IHRoZSBrZXk=")
    signature = store_rigs.signature(url.rpartition("/")[2])
    connection = f"BlobEndpoint={endpoint};AccountName={ACCOUNT};SharedAccessSignature={signature}"
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
    put(f"{url}/a", b"x")
    assert get(f"{url}/a") == b"x"


def test_a_signature_in_a_variable_is_used(store_servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    url = bucket("az", store_servers.endpoint("az"), monkeypatch)
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_KEY")
    monkeypatch.setenv("AZURE_STORAGE_SAS_TOKEN", store_rigs.signature(url.rpartition("/")[2]))
    put(f"{url}/a", b"x")
    assert get(f"{url}/a") == b"x"


def test_a_connection_string_names_the_account_in_its_endpoint() -> None:
    given = clients._connection("BlobEndpoint=https://mine.blob.core.windows.net/;SharedAccessSignature=?sv=1&sig=a%3D")
    expected = {"account_name": "mine", "endpoint": "https://mine.blob.core.windows.net"}
    assert given == {**expected, "sas_key": "sv=1&sig=a%3D", "credential_type": "sas_token"}


def test_a_connection_string_of_azure_itself_is_read() -> None:
    given = clients._connection(
        "DefaultEndpointsProtocol=https;AccountName=mine;AccountKey=a+b/c==;EndpointSuffix=core.chinacloudapi.cn"
    )
    expected = {"account_name": "mine", "endpoint": "https://mine.blob.core.chinacloudapi.cn"}
    assert given == {**expected, "account_key": "a+b/c==", "credential_type": "access_key"}


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        ("AccountName=mine", "lacks a key: it must have AccountName and AccountKey, or"),
        ("AccountKey=secret", "names no AccountName and no BlobEndpoint"),
        ("secret", "names no AccountName and no BlobEndpoint"),
    ],
)
def test_a_connection_string_that_says_too_little_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, connection: str, message: str
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection)
    with pytest.raises(RequestError, match=message) as raised:
        storage.stat("az://container/blob")
    assert "secret" not in str(raised.value)


def test_another_key_is_refused_by_azure(store_servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    url = bucket("az", store_servers.endpoint("az"), monkeypatch)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "bm90IHRoZSBrZXk=")
    with pytest.raises(AccessError, match=r"access to .* was refused"):
        put(f"{url}/a", b"x")


def test_azure_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AZURE_STORAGE_ACCOUNT_NAME", raising=False)
    monkeypatch.delenv("AZURE_STORAGE_CONNECTION_STRING", raising=False)
    with pytest.raises(
        RequestError, match="az:// needs AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME"
    ):
        storage.stat("az://container/blob")


def test_cos_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COS_ENDPOINT", raising=False)
    with pytest.raises(RequestError, match="COS_ENDPOINT, COS_HMAC_ACCESS_KEY_ID and COS_HMAC_SECRET_ACCESS_KEY"):
        storage.stat("cos://bucket/key")
