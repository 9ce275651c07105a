"""Where the rows of a target are: an SQLite file, or a PostgreSQL of our own."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import LiteralString, Protocol

import psycopg

from tests.support.servers import Postgres, ServerFailed, postgres_programs


class Database(Protocol):
    """Be read beside the servers, or after they were killed."""

    def column(self, query: LiteralString) -> list[str]:
        """Return the only column of a query."""


class SqliteFile:
    """Read a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def column(self, query: LiteralString) -> list[str]:
        """Return the only column of a query."""
        with closing(sqlite3.connect(self.path)) as connection:
            return [row[0] for row in connection.execute(query)]


class PostgresServer:
    """Read a database of a server."""

    def __init__(self, server: Postgres) -> None:
        self.server = server

    def column(self, query: LiteralString) -> list[str]:
        """Return the only column of a query."""
        if not self.server.alive:
            self.server.start()
        with psycopg.connect(self.server.url) as connection:
            return [row[0] for row in connection.execute(query)]


def postgres_missing() -> str:
    """Return why no PostgreSQL can be started here, or nothing."""
    try:
        postgres_programs()
    except ServerFailed as failed:
        return str(failed)
    return ""
