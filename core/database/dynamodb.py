"""DynamoDB: one of its tables holds many of ours; a load's rows are in it before one write makes them a table's.

Whoever reads takes the rows of the loads that the table's own item names, and knows from it how many there must be: a
read that misses some, or meets a load that replaces them, is done again. Filters and sums are the engine's: DynamoDB
has neither groups nor sums, and what its own filters leave out costs as much as what they keep.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec

from core import engine
from core.database import dynamodb_client, dynamodb_loads, scan, server
from core.database.dynamodb_calls import Calls
from core.database.dynamodb_items import Spool
from core.database.dynamodb_load import Load
from core.database.dynamodb_loads import Claim, Entry
from core.database.partial import Group
from core.database.port import Rows, Selection, Table, check_table_name
from core.database.relation import Relation, raised
from core.datasets.grammar import Type
from core.errors import AccessError, DatabaseError, DataError, NotFoundError, PolyfaasError, RequestError
from core.profiler import span

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError
    from duckdb import DuckDBPyConnection

REGION = re.compile("[a-z]+(-[a-z]+)+-[0-9]+")
TABLE = re.compile("[A-Za-z0-9_.-]{3,255}")
# Of a read that meets loads.
READS = 5
NO_TABLE = "ResourceNotFoundException"
REFUSED = frozenset(
    {"AccessDeniedException", "UnrecognizedClientException", "InvalidSignatureException", "ExpiredTokenException"}
    | {"IncompleteSignatureException", "MissingAuthenticationTokenException", "InvalidClientTokenId", "ExpiredToken"}
)
log = logging.getLogger("polyfaas.core")


class DynamodbDatabase:
    """A table of Amazon DynamoDB, which is made when the first load comes and pays by request.

    Args:
        url: `dynamodb://REGION/TABLE`. Who asks is found as the AWS SDK does it (AWS_ACCESS_KEY_ID, a profile, the
            function's role), and so is another endpoint (AWS_ENDPOINT_URL_DYNAMODB).

    Raises:
        RequestError: The URL is wrong.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        at = server.server(url, ())
        if at.user or at.port or at.options:
            raise server.wrong(url, "it may name a region and a table only: the AWS SDK finds who asks")
        if not REGION.fullmatch(at.host) or not TABLE.fullmatch(at.name):
            found = "it names no region or table of 3 to 255 letters: write such as dynamodb://eu-central-1/polyfaas"
            raise server.wrong(url, found)
        self._region, self._table = at.host, at.name

    def load(self, table: Table, batches: Iterable[Rows], *, append: bool) -> tuple[int, int]:
        """Load rows in one visible step; see `Database.load`."""
        with self._calls() as calls:
            self._sweep(calls)
            load = Load(calls, table, append=append)
            loaded = load.run(batches)
            if load.old and not append:
                with span("sweep"):
                    self._remove(calls, dynamodb_loads.dead(calls, load.old.generation))
        return loaded

    def columns(self, table: str) -> Mapping[str, Type]:
        """The columns of a table; see `Database.columns`."""
        with self._calls() as calls:
            return _types(self._entry(calls, table))

    def groups(self, selections: Sequence[Selection]) -> Iterator[tuple[int, Group]]:
        """The groups of selections, as the table was at one moment; see `Database.groups`."""
        import duckdb

        with self._calls() as calls, engine.session() as db:
            relation = self._spooled(db, calls, selections)
            try:
                yield from scan.groups(db, relation, selections)
            except duckdb.InvalidInputException as error:
                if not raised(error):
                    raise
                detail = "holds a number that cannot be summed, such as infinity: correct it or filter it out"
                raise DataError(f"{self._url} {detail}") from error

    def drop(self, table: str) -> bool:
        """Remove a table; see `Database.drop`."""
        check_table_name(table)
        with suppress(NotFoundError), self._calls() as calls:
            while found := dynamodb_loads.entry(calls, table):
                if dynamodb_loads.unpublish(calls, table, found):
                    self._remove(calls, dynamodb_loads.dead(calls, found.generation))
                    return True
        return False

    def stored_bytes(self, table: str) -> int:
        """How much room the table's items take, by what AWS says of their size; see `Database.stored_bytes`.

        It is counted when they are written: what DynamoDB tells of the whole table is six hours old.
        """
        with self._calls() as calls:
            return sum(part.bytes for part in self._entry(calls, table).parts)

    def close(self) -> None:
        """End the connections that this instance keeps to the region; see `Database.close`."""
        dynamodb_client.close(self._region)

    def _entry(self, calls: Calls, table: str) -> Entry:
        check_table_name(table)
        found = dynamodb_loads.entry(calls, table)
        if found is None:
            raise NotFoundError(f"{self._url} has no table {table!r}: load it first")
        return found

    def _spooled(self, db: "DuckDBPyConnection", calls: Calls, selections: Sequence[Selection]) -> Relation:
        """The columns that are needed, in the engine; the cheaper way of reading that may miss rows is tried first.

        Raises:
            DatabaseError: The rows go on changing, or are not all there.
        """
        wanted = {column: each.types[column].kind for each in selections for column in each.columns()}
        missed = ""
        for read in range(READS):
            entry = self._entry(calls, selections[0].table)
            if entry.version == missed:
                raise DatabaseError(f"{self._url} lacks rows of table {selections[0].table!r}: load it again")
            if not wanted.items() <= {name: kind.kind for name, kind in _types(entry).items()}.items():
                break
            spool = Spool(db, entry, list(wanted))
            if spool.fill(calls, consistent=read > 0):
                return spool.relation()
            missed = entry.version if read else ""
        raise DatabaseError(f"{self._url}: table {selections[0].table!r} was replaced while it was read: repeat")

    def _sweep(self, calls: Calls) -> None:
        """Remove what killed loads have left behind; makes the table where there is none."""
        from botocore.exceptions import ClientError

        try:
            with span("sweep"):
                dynamodb_loads.sweep(calls)
        except ClientError as error:
            if _code(error) != NO_TABLE:
                raise
            calls.make()

    def _remove(self, calls: Calls, claim: Claim) -> None:
        """Remove rows that no table has any more: if that fails, a later load does it."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            dynamodb_loads.remove(calls, claim)
        except (BotoCoreError, ClientError, DatabaseError) as error:
            log.warning("rows stay until a later load removes them", extra={"database": self._url, "error": str(error)})

    @contextmanager
    def _calls(self) -> Iterator[Calls]:
        """The calls to the table; what the SDK raises becomes our errors here, and what was consumed is logged."""
        calls = Calls(self._region, self._table)
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield calls
        except ClientError as error:
            raise _meant(self._url, error) from error
        except BotoCoreError as error:
            raise _failed(self._url, error) from error
        except msgspec.DecodeError as error:
            raise DatabaseError(f"what {self._url} answered cannot be read ({error})") from error
        finally:
            units = {"read_units": calls.read_units, "write_units": calls.write_units}
            log.info("DynamoDB capacity consumed", extra={"database": self._url, **units})


def _types(entry: Entry) -> dict[str, Type]:
    return {column.name: column.type for column in entry.columns}


def _code(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _meant(url: str, error: "ClientError") -> PolyfaasError:
    """What an error of DynamoDB's means."""
    code, said = _code(error), str(error.response.get("Error", {}).get("Message", error))
    if code in REFUSED:
        return AccessError(f"access to {url} was refused ({code}): check the credentials and what they allow")
    if code == NO_TABLE:
        return NotFoundError(f"there is no DynamoDB table at {url}: load into it first")
    if code == "TransactionConflictException":
        return DatabaseError(f"another load wrote to {url} at the same time: repeat the load")
    if code == "ValidationException":
        return RequestError(f"{url} does not take what was asked ({said}): check its keys, and that no row has 400 KB")
    return DatabaseError(f"DynamoDB failed on {url} ({code}): {said}")


def _failed(url: str, error: "BotoCoreError") -> PolyfaasError:
    """What an error of the SDK's means, where DynamoDB did not answer or was not asked."""
    from botocore import exceptions

    unknown = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.CredentialRetrievalError)
    if isinstance(error, (*unknown, exceptions.ProfileNotFound, exceptions.TokenRetrievalError)):
        return AccessError(f"nobody to ask {url} as was found ({error}): set AWS_ACCESS_KEY_ID, AWS_PROFILE or a role")
    if isinstance(error, exceptions.HTTPClientError | exceptions.ConnectionError):
        return DatabaseError(f"the connection to {url} was refused or lost ({error}): check AWS_ENDPOINT_URL_DYNAMODB")
    return DatabaseError(f"the AWS SDK failed on {url}: {error}")
