"""The schema and its versions: numbered SQL files, forward only, each in a transaction of its own."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import NamedTuple

import duckdb

from engine import errors

_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>\w+)\.sql")


class Migration(NamedTuple):
    """One step forward: to ``version``, by ``sql``."""

    version: int
    name: str
    sql: str


def known_migrations() -> list[Migration]:
    """The files of ``engine/store/migrations``, in order; no number stands twice."""
    found = []
    for file in files("engine.store").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(file.name)
        if match:
            found.append(Migration(int(match["version"]), match["name"], file.read_text(encoding="utf-8")))
    found.sort()
    if len({one.version for one in found}) != len(found):
        raise errors.StoreError("Two migrations of engine/store/migrations have the same number.")
    return found


def migrate(connection: duckdb.DuckDBPyConnection, migrations: Iterable[Migration] | None = None) -> int:
    """Bring the file to the newest version; returns the version it had before.

    Raises:
        SettingsError: the file was written by a newer Mailroom.
    """
    steps = known_migrations() if migrations is None else list(migrations)
    connection.execute("CREATE SCHEMA IF NOT EXISTS _mailroom")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS _mailroom.schema_version "
        "(version INTEGER NOT NULL, name VARCHAR NOT NULL, applied_at TIMESTAMPTZ NOT NULL)"
    )
    before = version_of(connection)
    newest = steps[-1].version if steps else 0
    if before > newest:
        raise errors.SettingsError(
            f"The store file has schema version {before} and this Mailroom knows {newest} at most: it was written by "
            "a newer Mailroom. Upgrade Mailroom, or name another file in store.path."
        )
    # Not "those above": a branch merged late may bring a lower number than the file has seen.
    rows = connection.execute("SELECT version FROM _mailroom.schema_version").fetchall()
    applied = {version for (version,) in rows}
    for step in (one for one in steps if one.version not in applied):
        with transaction(connection):
            connection.execute(step.sql)
            connection.execute("INSERT INTO _mailroom.schema_version VALUES (?, ?, now())", [step.version, step.name])
    return before


def version_of(connection: duckdb.DuckDBPyConnection) -> int:
    """The schema version of the file; 0 for a new one."""
    row = connection.execute("SELECT coalesce(max(version), 0) FROM _mailroom.schema_version").fetchone()
    return int(row[0]) if row else 0


def next_incarnation(connection: duckdb.DuckDBPyConnection) -> int:
    """Count this opening of the file; durable, so that epochs of an earlier opening can never come again."""
    row = connection.execute("UPDATE _mailroom.meta SET incarnation = incarnation + 1 RETURNING incarnation").fetchone()
    if row is None:
        raise errors.StoreError("The store file has no incarnation: _mailroom.meta is empty.")
    return int(row[0])


@contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it or nothing."""
    connection.execute("BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
