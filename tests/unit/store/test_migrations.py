"""From every earlier version to the newest, with what was in the file; and nothing half done."""

from pathlib import Path

import duckdb
import pytest

from engine.model import FolderId, FolderRecord, Operator, OperatorId, SyncToken
from engine.store import DuckDBStore
from engine.store.migrate import Migration, known_migrations, migrate, version_of
from tests.fakes.store_words import Time

NEWEST = known_migrations()[-1].version

SAMPLES = {
    1: "INSERT INTO _mailroom.operators VALUES ('ann', 'ann@example.com', 'Ann', true);"
    "INSERT INTO _mailroom.mailboxes (operator_id, status, attempts) VALUES ('ann', 'new', 0);"
    "INSERT INTO _mailroom.folders VALUES ('ann', 1, 'F', 'inbox', 't', true, false, NULL, false);",
}
"""What a file of each version may hold: written by SQL of that version. A new migration adds its own."""


def test_every_version_has_a_sample() -> None:
    assert set(SAMPLES) == {one.version for one in known_migrations()}


@pytest.mark.parametrize("version", range(NEWEST + 1))
async def test_a_file_of_an_earlier_version_opens(path: Path, time: Time, version: int) -> None:
    with duckdb.connect(str(path)) as connection:
        migrate(connection, known_migrations()[:version])
        if version:
            connection.execute(SAMPLES[version])
    store = await DuckDBStore.open(path, time)
    expected = [Operator(OperatorId("ann"), "ann@example.com", "Ann")] if version else []
    assert await store.operators() == expected
    folder = FolderRecord(FolderId("F"), "inbox", SyncToken("t"), drained=True)
    assert [one.folders for one in await store.activate([OperatorId("ann")])] == [(folder,)] * len(expected)
    assert version_of(store._database.writer) == NEWEST
    await store.close()


def test_a_failing_migration_leaves_nothing() -> None:
    with duckdb.connect(":memory:") as connection:
        migrate(connection, [])
        bad = Migration(1, "bad", "CREATE TABLE _mailroom.half (a INTEGER); SELECT * FROM nowhere")
        with pytest.raises(duckdb.CatalogException):
            migrate(connection, [bad])
        assert version_of(connection) == 0
        tables = connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()
        assert ("half",) not in tables


def test_migrations_run_once_and_in_order() -> None:
    steps = [Migration(1, "one", "CREATE TABLE a (x INTEGER)"), Migration(2, "two", "INSERT INTO a VALUES (2)")]
    with duckdb.connect(":memory:") as connection:
        assert migrate(connection, steps[:1]) == 0
        assert migrate(connection, steps) == 1
        assert migrate(connection, steps) == 2
        assert connection.execute("SELECT x FROM a").fetchall() == [(2,)]
