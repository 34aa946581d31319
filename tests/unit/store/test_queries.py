"""Queries: one SELECT, nothing else, on a snapshot of its own."""

import asyncio
from datetime import UTC, datetime

import duckdb
import pytest

from engine import errors
from engine.store import DuckDBStore
from engine.store.views import view_names
from tests.fakes.store_emails import emails
from tests.fakes.store_words import INBOX, START, Lander


async def test_rows_come_back_as_arrow_in_utc(store: DuckDBStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "received_at": START}, {"item_id": "2"}))
    table, truncated = await store.query("SELECT item_id, received_at FROM emails WHERE item_id = ?", ["1"])
    assert not truncated
    assert table.to_pylist() == [{"item_id": "1", "received_at": START}]
    assert str(table.schema.field("received_at").type) == "timestamp[us, tz=UTC]"
    table, _ = await store.query("SELECT hour(TIMESTAMPTZ '2026-01-05 09:00:00+00') AS h, now() AS t")
    assert table.column("h").to_pylist() == [9]
    assert abs((table.column("t").to_pylist()[0] - datetime.now(UTC)).total_seconds()) < 60


@pytest.mark.parametrize(("rows", "truncated"), [(9, True), (10, False), (11, False), (0, True)])
async def test_at_most_max_rows(store: DuckDBStore, rows: int, truncated: bool) -> None:
    table, more = await store.query("SELECT * FROM range(10) ORDER BY 1 DESC", max_rows=rows)
    assert (table.num_rows, more) == (min(rows, 10), truncated)
    assert table.column(0).to_pylist() == list(range(9, 9 - min(rows, 10), -1))


async def test_a_truncated_query_is_not_run_to_its_end(store: DuckDBStore) -> None:
    table, more = await store.query("SELECT 'x' || i FROM range(1_000_000_000_000) AS r(i)", max_rows=5)
    assert (table.num_rows, more) == (5, True)


async def test_no_rows_have_columns(store: DuckDBStore) -> None:
    table, more = await store.query("SELECT subject, size FROM emails")
    assert (table.num_rows, table.schema.names, more) == (0, ["subject", "size"], False)


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "SELEC 1",
        "SELECT 1; SELECT 2",
        "SELECT * FROM nowhere",
        "SELECT ?",
        "INSERT INTO operators VALUES ('a', 'b', 'c', true)",
        "DELETE FROM emails",
        "DROP VIEW emails",
        "CREATE TABLE t (a INTEGER)",
        "CREATE TEMP TABLE t AS SELECT 1",
        "ATTACH ':memory:' AS other",
        "COPY emails TO '/tmp/mailroom-leak.csv'",
        "SET threads = 1",
        "PRAGMA database_size",
        "CALL checkpoint()",
        "INSTALL httpfs",
        "LOAD httpfs",
        "BEGIN",
        "EXPLAIN ANALYZE DELETE FROM emails",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM force_checkpoint()",
        "SELECT callback_url FROM _mailroom.subscriptions",
        'SELECT callback_url FROM mailroom."_MAILROOM".subscriptions',
        "SELECT * FROM query_table('_mail' || 'room.subscriptions')",
        "SELECT * FROM query ('SELECT 1')",
        "WITH gone AS (DELETE FROM _mailroom.emails RETURNING item_id) SELECT * FROM gone",
        "SELECT * FROM secret_variable",
    ],
)
async def test_what_is_refused(store: DuckDBStore, sql: str) -> None:
    secret_variable = emails({"item_id": "a Python variable is not a table"})
    with pytest.raises(errors.QueryRefused):
        await store.query(sql)
    assert len(await store.operators()) == 2
    assert secret_variable.num_rows == 1


async def test_the_message_is_for_the_author(store: DuckDBStore) -> None:
    with pytest.raises(errors.QueryRefused, match="subjekt"):
        await store.query("SELECT subjekt FROM emails")
    with pytest.raises(errors.QueryRefused, match="Only SELECT is allowed, not DELETE"):
        await store.query("DELETE FROM emails")
    with pytest.raises(errors.QueryRefused, match="2 statements"):
        await store.query("SELECT 1; SELECT 2")


async def test_who_reaches_behind_the_views_is_told_of_all_of_them(store: DuckDBStore) -> None:
    with pytest.raises(errors.QueryRefused) as refusal:
        await store.query("SELECT * FROM _mailroom.outbox")
    assert [view for view in view_names() if view not in str(refusal.value)] == []
    assert "alerts" in view_names()


async def test_queries_of_every_kind_of_select(store: DuckDBStore) -> None:
    for sql in ("FROM operators", "WITH o AS (FROM operators) SELECT * FROM o", "TABLE operators", "DESCRIBE emails"):
        assert (await store.query(sql))[0].num_rows > 0
    assert (await store.query("SELECT 1 AS a, 2 AS a"))[0].num_columns == 2


async def test_settings_cannot_be_changed_by_anybody(store: DuckDBStore) -> None:
    cursor = store._database.cursor()
    with pytest.raises(duckdb.Error):
        cursor.execute("SET GLOBAL enable_external_access = true")
    cursor.close()


async def test_a_long_query_keeps_nobody_waiting_and_ends_with_the_store(store: DuckDBStore, land: Lander) -> None:
    endless = "SELECT count(*) FROM range(1_000_000_000) AS a, range(1_000_000_000) AS b WHERE a.range + b.range = -1"
    running = [asyncio.create_task(store.query(endless)) for _ in range(4)]
    await asyncio.sleep(0)
    assert (await land(folder=INBOX, emails=emails({"item_id": "1"}))).inserted == 1
    assert (await store.status()).emails == 1
    await store.close()
    for one in running:
        with pytest.raises((errors.StoreUnavailable, asyncio.CancelledError)):
            await one
