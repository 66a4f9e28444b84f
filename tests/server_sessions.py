"""Sessions of the tests' own with the database servers, beside those that are tested."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pymysql
import pytest

from core.database import connect, server
from tests import database_servers

URLS = {"postgresql": database_servers.postgresql_url, "mysql": database_servers.mysql_url}


@pytest.fixture(params=URLS.values(), ids=list(URLS))
def server_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of a new schema or database of each server of the run."""
    made: str = request.param()
    yield made
    connect(made).close()


def run(url: str, *statements: str) -> list[Any]:
    """Run statements in a session of the test's own; gives the rows of the last."""
    at = server.server(url, ("schema",))
    if url.startswith("postgresql"):
        schema = f"-c search_path={at.options['schema']}"
        with psycopg.connect(host=at.host, port=at.port, user=at.user, dbname=at.name, options=schema) as db:
            for each in statements:
                cursor = db.execute(each.encode())
            return cursor.fetchall() if cursor.description else []
    given = {"host": at.host, "port": at.port, "user": at.user, "database": at.name, "autocommit": True}
    with pymysql.connect(**given) as db, db.cursor() as cursor:
        for each in statements:
            cursor.execute(each)
        return list(cursor.fetchall())
