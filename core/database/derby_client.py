"""Derby's JDBC client, in a Java machine that starts when it is first needed and runs as long as the process."""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from core.errors import DatabaseError

# Where Debian's libderbyclient-java puts it.
USUAL = "/usr/share/java/derbyclient.jar"
# -Xrs leaves the signals to Python: Java would end the process at once, whatever is to be tidied up.
OPTIONS = ("-Xmx256m", "-Xrs")
VALID_WITHIN_S = 5
_starting = threading.Lock()


class SqlError(Exception):
    """What the client raised.

    Args:
        state: The SQLSTATE.
        said: What is said about it.
    """

    def __init__(self, state: str, said: str) -> None:
        super().__init__(said)
        self.state = state
        self.said = said


def start() -> None:
    """Start the Java machine, unless it runs.

    Raises:
        DatabaseError: There is no JPype, no Java or no client.
    """
    try:
        import jpype
    except ImportError as error:
        raise DatabaseError("derby:// needs JPype: install polyfaas[derby], and Java") from error
    with _starting:
        if jpype.isJVMStarted():
            return
        path = os.environ.get("DERBY_CLASSPATH") or USUAL
        for each in path.split(os.pathsep):
            if not Path(each).exists():
                raise DatabaseError(f"there is no {each}: install Derby's client, or name it in DERBY_CLASSPATH")
        try:
            jpype.startJVM(*OPTIONS, classpath=path.split(os.pathsep), convertStrings=True, interrupt=False)
        except (OSError, jpype.JVMNotFoundException) as error:
            raise DatabaseError(f"Java cannot be started ({error}): install a Java runtime") from error


def connect(place: str, given: Mapping[str, str | None]) -> "Session":
    """A connection.

    Args:
        place: JDBC's URL.
        given: Properties; those that are None are left out.
    """
    import jpype

    java = jpype.JPackage("java")
    properties = java.util.Properties()
    for name, value in given.items():
        if value is not None:
            properties.setProperty(name, value)
    with _mapped():
        connection = java.sql.DriverManager.getConnection(place, properties)
        connection.setAutoCommit(False)
    return Session(connection)


class Session:
    """A connection to Derby; each call belongs to the open transaction.

    Args:
        connection: JDBC's.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def run(self, sql: str, *operands: str) -> list[tuple[Any, ...]]:
        """Run a statement; gives its rows, as texts."""
        with _mapped(), _closing(self._connection.prepareStatement(sql)) as statement:
            for index, operand in enumerate(operands, 1):
                statement.setString(index, operand)
            if not statement.execute():
                return []
            return [row for batch in _rows(statement.getResultSet(), 1000) for row in batch]

    def columns(self, table: str) -> list[tuple[str, str, int, int]]:
        """The columns of a table of the session's schema: name, type, digits, and those after the point."""
        with _mapped():
            found = self._connection.getMetaData().getColumns(None, self._connection.getSchema(), None, None)
            columns = []
            while found.next():
                if str(found.getString("TABLE_NAME")) == table:
                    name, kind = str(found.getString("COLUMN_NAME")), str(found.getString("TYPE_NAME"))
                    columns.append((name, kind, int(found.getInt("COLUMN_SIZE")), int(found.getInt("DECIMAL_DIGITS"))))
            found.close()
            return columns

    def texts(self, sql: str, most: int) -> Iterator[list[tuple[str | None, ...]]]:
        """The rows of a query as texts, so many at once."""
        with _mapped(), _closing(self._connection.prepareStatement(sql)) as statement:
            statement.setFetchSize(most)
            yield from _rows(statement.executeQuery(), most)

    def insert(self, sql: str, batches: Iterable[Sequence[Sequence[str | None]]]) -> None:
        """Run a statement for each row of texts."""
        with _mapped(), _closing(self._connection.prepareStatement(sql)) as statement:
            for rows in batches:
                for row in rows:
                    for index, value in enumerate(row, 1):
                        statement.setString(index, value)
                    statement.addBatch()
                statement.executeBatch()

    def commit(self) -> None:
        """End the transaction well."""
        with _mapped():
            self._connection.commit()

    def back(self) -> None:
        """Take the transaction back."""
        with _mapped():
            self._connection.rollback()

    def alive(self) -> bool:
        """Whether the server still answers."""
        with suppress(SqlError), _mapped():
            return bool(self._connection.isValid(VALID_WITHIN_S))
        return False

    def close(self) -> None:
        """End the connection; what was not committed is taken back."""
        with suppress(SqlError):
            self.back()
        with _mapped():
            self._connection.close()


def _rows(found: Any, most: int) -> Iterator[list[tuple[str | None, ...]]]:
    places = range(1, found.getMetaData().getColumnCount() + 1)
    rows = []
    while found.next():
        rows.append(tuple(found.getString(place) for place in places))
        if len(rows) == most:
            yield rows
            rows = []
    if rows:
        yield rows


@contextmanager
def _closing(statement: Any) -> Iterator[Any]:
    try:
        yield statement
    finally:
        with suppress(SqlError), _mapped():
            statement.close()


@contextmanager
def _mapped() -> Iterator[None]:
    """Turn what Java raises into an error of Python's: the one place where it happens."""
    import jpype

    try:
        yield
    except jpype.JException as error:
        # A batch's own error says little: the next one says why.
        last = getattr(error, "getNextException", lambda: None)() or error
        state = str(getattr(last, "getSQLState", lambda: "")() or "")
        said = str(last.getMessage() or last).partition("\n")[0]
        raise SqlError(state, said) from error
