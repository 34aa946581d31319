"""Queries: one SELECT, nothing else, on a snapshot of its own."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from engine import errors
from engine.model import Operator
from engine.querying import Limits, Params, Query
from engine.store import DuckDBStore, StoreOptions, group, writer
from engine.store.views import view_names
from tests.fakes.store_emails import emails
from tests.fakes.store_words import ANN, INBOX, START, Lander, Time, activate


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


async def test_values_by_place_and_by_name(store: DuckDBStore) -> None:
    asked: list[tuple[str, Params]] = [
        ("SELECT ? || ? AS t", ["a", "b"]),
        ("SELECT $x || $y AS t", {"x": "a", "y": "b"}),
    ]
    for sql, params in asked:
        answer = await store.start_query(Query("q", sql, params))
        assert answer.table.to_pylist() == [{"t": "ab"}]
    for wrong in ([], ["a"], ["a", "b", "c"], {"x": "a"}, {"x": 1, "y": 2, "z": 3}, [2**200, 1], ["\ud800", "b"]):
        with pytest.raises(errors.QueryRefused):
            await store.start_query(
                Query("q", "SELECT $x || $y" if isinstance(wrong, dict) else "SELECT ? || ?", wrong)
            )


@pytest.mark.parametrize(
    "sql", ["SELECT 1\0", "SELECT '\ud800'", f"SELECT '{'x' * 100_000}'", "SELECT 'a", "/* " * 100]
)
async def test_what_is_no_text_or_too_much_of_it(store: DuckDBStore, sql: str) -> None:
    with pytest.raises(errors.QueryRefused):
        await store.query(sql)


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT {'(' * 5_000}1{')' * 5_000}",
        f"SELECT {'1+' * 20_000}1",
        f"SELECT {'- ' * 20_000}1",
        f"SELECT {'(SELECT ' * 5_000}1{')' * 5_000}",
        "FROM " + "(FROM " * 3_000 + "(VALUES (1))" + ")" * 3_000,
        f"SELECT {'[' * 20_000}1{']' * 20_000}",
        f"SELECT {'abs(' * 15_000}1{')' * 15_000}",
        f"SELECT {'CASE WHEN true THEN ' * 3_000}1{' END' * 3_000}",
        f"SELECT NULL::INTEGER{'[]' * 20_000}",
        f"SELECT NULL::{'STRUCT(a ' * 5_000}INTEGER{')' * 5_000}",
        f"SELECT 1{' EXCEPT SELECT 1' * 5_000}",
        f"{'(' * 3_000}SELECT 1{' UNION ALL SELECT 1)' * 3_000}",
        f"WITH {', '.join(f'c{n} AS (FROM c{n - 1})' for n in range(1, 2_000))} FROM c1999",
    ],
)
async def test_depth_is_refused_and_takes_nobody_along(store: DuckDBStore, sql: str) -> None:
    with pytest.raises(errors.QueryRefused):
        await store.query(sql)
    assert (await store.query("SELECT 1 AS n"))[0].to_pylist() == [{"n": 1}]


async def test_json_of_any_depth(store: DuckDBStore, land: Lander) -> None:
    await land(folder=INBOX, emails=emails({"item_id": "1", "body_text": '{"a":' * 200_000 + "1" + "}" * 200_000}))
    for expression in (
        "json_type(body_text)", "json_keys(body_text)", "json_extract(body_text, '$.a.a') IS NULL",
        "json_valid(body_text)",
        "length((body_text::JSON)::VARCHAR)", "json_array_length(body_text)", "length(to_json(body_text)::VARCHAR)",
        "len(json_extract(body_text, '$.*'))", "json_exists(body_text, '$.b')", "json_value(body_text, '$.a') IS NULL",
    ):  # fmt: skip
        assert (await store.query(f"SELECT {expression} FROM emails"))[0].num_rows == 1  # noqa: S608  # from above


async def test_an_answer_in_pieces(path: Path, time: Time) -> None:
    store = await DuckDBStore.open(path.with_name("other.duckdb"), time, StoreOptions(limits=Limits(chunk=100_000)))
    try:
        answer = await store.start_query(Query("q", "FROM range(50_000)", max_rows=50_000))
        tables = [answer.table]
        while answer.more:
            answer = await store.read_query("q")
            tables.append(answer.table)
        assert len(tables) > 2
        assert pa.concat_tables(tables).column(0).to_pylist() == list(range(50_000))
        with pytest.raises(errors.QueryRefused, match="gone"):
            await store.read_query("q")
        assert (await store.start_query(Query("r", "FROM range(50_000)"))).more
        await store.end_query("r")
        with pytest.raises(errors.QueryRefused, match="gone"):
            await store.read_query("r")
    finally:
        await store.close()


ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"


async def _until_it_runs(store: DuckDBStore) -> None:
    while not store._readers._desk._running:  # noqa: ASYNC110  # it begins in another thread
        await asyncio.sleep(0.01)


async def test_a_query_is_ended_by_its_asker(store: DuckDBStore) -> None:
    running = asyncio.create_task(store.start_query(Query("q", ENDLESS)))
    await _until_it_runs(store)
    await store.end_query("q")
    with pytest.raises(errors.QueryRefused, match="cancelled"):
        await running


async def test_endless_queries_leave_room_for_others_in_time(path: Path, time: Time) -> None:
    store = await DuckDBStore.open(path.with_name("other.duckdb"), time, StoreOptions(limits=Limits(seconds=0.5)))
    try:
        endless = [asyncio.create_task(store.start_query(Query(str(n), ENDLESS))) for n in range(4)]
        await asyncio.sleep(0)
        assert (await store.query("SELECT 1 AS n"))[0].to_pylist() == [{"n": 1}]
        for one in endless:
            with pytest.raises(errors.QueryTimedOut, match=r"after 0\.5 seconds"):
                await one
    finally:
        await store.close()


async def test_a_query_that_takes_too_much_memory_is_stopped_and_landings_go_on(path: Path, time: Time) -> None:
    options = StoreOptions(memory_limit="600MB", spill_limit="0MB", limits=Limits(share=0.2))
    store = await DuckDBStore.open(path.with_name("other.duckdb"), time, options)
    try:
        await store.put_operators([Operator(ANN, "ann@example.com")])
        land = Lander(store, await activate(store))
        greedy = asyncio.create_task(store.query("SELECT len(list(a.range)) FROM range(1_000_000_000) AS a"))
        for number in range(20):
            assert (await land(folder=INBOX, emails=emails({"item_id": str(number)}))).inserted == 1
        with pytest.raises((errors.QueryTooLarge, errors.QueryBusy)):
            await greedy
        assert (await store.query("SELECT count(*) AS n FROM emails"))[0].to_pylist() == [{"n": 20}]
    finally:
        await store.close()


async def test_a_landing_without_memory_stops_queries_and_is_tried_again(
    store: DuckDBStore, land: Lander, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = asyncio.create_task(store.start_query(Query("q", ENDLESS)))
    await _until_it_runs(store)
    write_group, attempts = group.write_group, list[int]()

    def short_of_memory(*args: Any, **kwargs: Any) -> Any:
        attempts.append(1)
        if len(attempts) == 1:
            raise duckdb.OutOfMemoryException("Out of Memory Error: failed to allocate")
        return write_group(*args, **kwargs)

    monkeypatch.setattr(writer, "write_group", short_of_memory)
    assert (await land(folder=INBOX, emails=emails({"item_id": "1"}))).inserted == 1
    with pytest.raises(errors.QueryBusy, match="landings needed the memory"):
        await running
    assert len(attempts) == 2


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
