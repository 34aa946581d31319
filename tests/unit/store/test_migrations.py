"""From every earlier version to the newest, with what was in the file; and nothing half done."""

from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from engine.model import FolderId, FolderRecord, Operator, OperatorId, SyncToken
from engine.store import DuckDBStore
from engine.store.migrate import Migration, known_migrations, migrate, version_of
from tests.fakes.store_words import Time

NEWEST = known_migrations()[-1].version

_FIRST = (
    "INSERT INTO _mailroom.operators VALUES ('ann', 'ann@example.com', 'Ann', true);"
    "INSERT INTO _mailroom.mailboxes (operator_id, status, attempts) VALUES ('ann', 'new', 0);"
    "INSERT INTO _mailroom.folders VALUES ('ann', 1, 'F', 'inbox', 't', true, false, NULL, false);"
    "INSERT INTO _mailroom.subscriptions (operator_id, serial, status, callback_url, status_frequency) "
    "VALUES ('ann', 's1', 'active', 'https://x', 30);"
)
SAMPLES = {
    1: (_FIRST, "INSERT INTO _mailroom.job_runs (job, run_id, started_at) VALUES ('EmailSync', 'r', now())"),
    2: (
        _FIRST,
        "UPDATE _mailroom.mailboxes SET next_sync_at = '2026-01-05 09:00:00+00'",
        "INSERT INTO _mailroom.jobs VALUES ('EmailSync', true, '15m', 'UTC', '', NULL, true, '15m', 'UTC', '')",
        "INSERT INTO _mailroom.job_runs VALUES ('r', 'EmailSync', 'manual', now(), NULL, 'running', 1, 0, 0, 0, 0, '')",
        "INSERT INTO _mailroom.alerts VALUES ('a', 'C', 'gathering', now(), now(), ['ann'], [], NULL, NULL, NULL)",
        "INSERT INTO _mailroom.outbox VALUES ('m', 'a', ['x@example.com'], 's', 't', 'h', now(), 0, NULL, NULL, NULL)",
    ),
    3: (
        _FIRST,
        "UPDATE _mailroom.mailboxes SET next_sync_at = '2026-01-05 09:00:00+00'",
        """INSERT INTO _mailroom.settings_history VALUES (1, now(), 'x', '[]', '{"email_sync": {}}', false)""",
        "INSERT INTO _mailroom.settings_file VALUES ('{}')",
    ),
    4: (
        _FIRST,
        "UPDATE _mailroom.mailboxes SET next_sync_at = '2026-01-05 09:00:00+00'",
        "INSERT INTO _mailroom.operators_in_file VALUES ('ann', 'ann@file.example.com', 'Ann', true)",
    ),
    5: (
        _FIRST,
        "UPDATE _mailroom.mailboxes SET next_sync_at = '2026-01-05 09:00:00+00'",
        "INSERT INTO _mailroom.tokens VALUES ('t', 'n', 'viewer', 'x', ['g'], now(), 'b', NULL, NULL, NULL)",
        "INSERT INTO _mailroom.audit VALUES ('e', now(), 'login', 'refused', '', NULL, '', '', '', '{}', '{}')",
    ),
    6: (
        _FIRST,
        "UPDATE _mailroom.mailboxes SET next_sync_at = '2026-01-05 09:00:00+00'",
        "INSERT INTO _mailroom.kept_out VALUES (1, 2, 'k')",
        "INSERT INTO _mailroom.erasures VALUES ('e', now(), 'x', 'f', [], 0, [], [], now(), NULL, 1, 1, now(), 'x')",
    ),
    7: (
        _FIRST,
        "UPDATE _mailroom.mailboxes SET next_sync_at = '2026-01-05 09:00:00+00'",
        "INSERT INTO _mailroom.crm_records VALUES ('contact', 'c1', 1, '', [], [], '', '', '', true, [], NULL, NULL)",
        "INSERT INTO _mailroom.crm_addresses VALUES (2, 1, 'contact', 'c1', 'bea@x.example', '')",
        "INSERT INTO _mailroom.crm_companies VALUES (3, 'a1', 'account')",
        "INSERT INTO _mailroom.crm_roles VALUES (4, 5, 'o1', '', true, NULL, 'a1', [])",
        "INSERT INTO _mailroom.to_associate VALUES (1)",
        "INSERT INTO _mailroom.association_steps VALUES (now(), 1)",
        """INSERT INTO _mailroom.operator_policies VALUES ('ann', '{"only_known": true}', now(), 'x')""",
    ),
}
"""What a file of each version may hold: written by SQL of that version. A new migration adds its own."""


def test_every_version_has_a_sample() -> None:
    assert set(SAMPLES) == {one.version for one in known_migrations()}


@pytest.mark.parametrize("version", range(NEWEST + 1))
async def test_a_file_of_an_earlier_version_opens(path: Path, time: Time, version: int) -> None:
    with duckdb.connect(str(path)) as connection:
        migrate(connection, known_migrations()[:version])
        if version:
            for statements in SAMPLES[version]:
                connection.execute(statements)
    store = await DuckDBStore.open(path, time)
    expected = [Operator(OperatorId("ann"), "ann@example.com", "Ann")] if version else []
    assert await store.operators() == expected
    folder = FolderRecord(FolderId("F"), "inbox", SyncToken("t"), drained=True)
    activations = await store.activate([OperatorId("ann")])
    assert [one.folders for one in activations] == [(folder,)] * len(expected)
    assert [(one.subscription.unheard, one.mailbox.error) for one in activations if one.subscription] == [
        (0, None)
    ] * len(expected)
    assert [one.operator_id for one in await store.due(datetime.now(UTC), 9) if one.sync] == [
        one.operator_id for one in expected
    ], "who was due stays so"
    assert await store.standing_failures(()) == []
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
