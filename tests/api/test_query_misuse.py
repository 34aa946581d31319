"""Attempts to misuse ``query``, over HTTP and a real store.

Each is refused, or stopped within its limit; and after each, landings, the gateway and a plain query work.
"""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import build_app
from engine.clock import SystemClock
from engine.model import Folder, FolderId, Landing, Operator, OperatorId
from engine.ports import Mailroom
from engine.querying import Limits
from engine.store import DuckDBStore, StoreOptions
from tests.api.conftest import BEARER, KEY, Client, settings
from tests.api.store_room import StoreRoom
from tests.fakes.mailroom import FakeMailroom
from tests.fakes.store_emails import emails

ANN = OperatorId("ann")
INBOX = Folder(FolderId("F"), "inbox")
LIMITS = Limits(seconds=1.0, grace=0.5, share=0.3)
MEMORY = "1GB"

OTHERS_FILES = [
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_parquet('/tmp/*.parquet')",
    "SELECT * FROM read_duckdb('{file}')",
    "SELECT * FROM parquet_metadata('/tmp/x.parquet')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM 'https://example.com/x.parquet'",
    "SELECT * FROM emails, LATERAL read_text('/etc/' || emails.folder)",
    "SELECT (SELECT content FROM read_text('/proc/self/environ'))",
    "COPY emails TO '/tmp/mailroom-leak.csv'",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "COPY emails FROM '/etc/passwd'",
    "EXPORT DATABASE '/tmp/mailroom-leak'",
    "IMPORT DATABASE '/tmp/mailroom-leak'",
    "ATTACH '/tmp/other.duckdb' AS other",
    "ATTACH '{file}' AS again",
    "DETACH mailroom",
    "USE memory",
    "INSTALL httpfs",
    "LOAD httpfs",
    "LOAD '/tmp/evil.so'",
]
CHANGES = [
    "INSERT INTO operators VALUES ('x', 'x@example.com', 'X', true)",
    "UPDATE _mailroom.emails SET subject = 'x'",
    "DELETE FROM emails",
    "TRUNCATE _mailroom.emails",
    "MERGE INTO _mailroom.emails USING (SELECT 1) ON true WHEN MATCHED THEN DELETE",
    "DROP VIEW emails",
    "ALTER TABLE _mailroom.emails DROP COLUMN subject",
    "CREATE TABLE t AS SELECT 1",
    "CREATE TEMP TABLE t AS SELECT 1",
    "CREATE OR REPLACE VIEW emails AS SELECT 1",
    "CREATE MACRO lower(x) AS getenv(x)",
    "CREATE SECRET (TYPE s3, KEY_ID 'x', SECRET 'y')",
    "WITH gone AS (DELETE FROM _mailroom.emails RETURNING *) SELECT * FROM gone",
    "SELECT 1 INTO t",
    "CHECKPOINT",
    "FORCE CHECKPOINT",
    "SELECT * FROM force_checkpoint()",
    "CALL checkpoint()",
    "VACUUM",
    "BEGIN",
    "COMMIT",
    "ROLLBACK",
    "PREPARE p AS SELECT 1",
    "EXECUTE p",
    "EXPLAIN ANALYZE DELETE FROM emails",
    "SELECT 1; DELETE FROM emails",
    "SELECT 1;; DROP VIEW emails; --",
    "SELECT 1 /* ; */ ; /* */ DELETE FROM emails",
    "SET threads = 1",
    "SET GLOBAL enable_external_access = true",
    "RESET memory_limit",
    "SET VARIABLE x = 1",
    "PRAGMA database_size",
    "PRAGMA enable_profiling",
    "PRAGMA memory_limit = '1TB'",
    "SELECT nextval('s')",
    "SELECT setseed(0.5)",
    "SELECT write_log('x')",
]
THE_INSIDE = [
    "SELECT * FROM _mailroom.emails",
    "SELECT callback_url FROM _mailroom.subscriptions",
    'SELECT * FROM "_mailroom"."tokens"',
    'SELECT * FROM mailroom."_MAILROOM".tokens',
    "SELECT * FROM/**/_mailroom/**/./**/tokens",
    "SELECT * FROM _mailroom\n.\ntokens",
    "FROM _mailroom.tokens",
    "TABLE _mailroom.tokens",
    "DESCRIBE _mailroom.tokens",
    "SUMMARIZE _mailroom.tokens",
    "SELECT * FROM emails WHERE item_id IN (SELECT token_id FROM _mailroom.tokens)",
    "WITH RECURSIVE t AS (FROM _mailroom.tokens UNION ALL FROM t) FROM t",
    "SELECT * FROM \uff3fmailroom.tokens",
    "SELECT * FROM _m\u0430ilroom.tokens",
    "SELECT * FROM query('FROM _mailroom.tokens')",
    "SELECT * FROM query_table('_mail' || 'room.tokens')",
    "SELECT * FROM query_table(['emails', '_mailroom.tokens'])",
    "SELECT * FROM seq_scan('_mailroom.tokens')",
    "SELECT json_execute_serialized_sql(json_serialize_sql('FROM _mailroom.tokens'))",
    "SELECT * FROM json_execute_serialized_sql('{{}}')",
    "SELECT json_serialize_plan('FROM _mailroom.tokens')",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_tables",
    "SELECT * FROM sqlite_master",
    "SELECT sql FROM duckdb_tables()",
    "SELECT sql FROM duckdb_views()",
    "SELECT * FROM duckdb_columns",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_databases()",
    "SELECT * FROM duckdb_temporary_files()",
    "SELECT * FROM duckdb_logs",
    "SELECT * FROM duckdb_memory()",
    "SELECT * FROM pragma_database_size()",
    "SELECT * FROM pragma_table_info('_mailroom.tokens')",
    "SELECT * FROM pragma_storage_info('_mailroom.tokens')",
    "SHOW TABLES",
    "SHOW ALL TABLES",
    "SELECT getenv('MAILROOM_ADMIN_TOKEN')",
    "SELECT current_setting('temp_directory')",
    "SELECT getvariable('x')",
    "SELECT current_query()",
    "SELECT pg_get_viewdef(1)",
    "SELECT * FROM python_map_function()",
    "SELECT * FROM arrow_scan(1, 2, 3)",
    "SELECT * FROM pandas_scan(1)",
    "SELECT * FROM secret_table",
]
TOO_MUCH = [
    "SELECT repeat('x', 1_000_000_000)",
    "SELECT lpad('x', 1_000_000_000, 'y')",
    "SELECT range(1_000_000_000)",
    "SELECT list_resize([1], 4_000_000_000)",
    "SELECT format('{{:1000000000}}', 1)",
    "SELECT printf('%1000000000d', 1)",
    "SELECT printf('%*d', 1_000_000_000, 1)",
    "SELECT damerau_levenshtein(subject, subject) FROM emails",
    "SELECT sleep_ms(1_000_000)",
    "SELECT pg_sleep(1_000)",
    "SELECT json_transform(subject, subject) FROM emails",
    "SELECT subject::JSON::VARIANT FROM emails",
    "SELECT bitstring('1', 1_000_000_000)",
]
ENDLESS = [
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t",
    "WITH RECURSIVE t(n) AS (SELECT 1 UNION SELECT n + r.range FROM t, range(1000) AS r) SELECT count(*) FROM t",
    "WITH RECURSIVE t(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM t) SELECT max(length(s)) FROM t",
    "SELECT count(*) FROM range(1_000_000_000_000) WHERE hash(range) = 1",
    "SELECT count(*) FROM range(1_000_000) AS a, range(1_000_000) AS b WHERE a.range + b.range = -1",
    "SELECT count(*) FROM emails a, emails b, emails c, emails d, emails e WHERE hash(a.size + e.size) = 1",
    "SELECT list(range) FROM range(1_000_000_000)",
    "SELECT string_agg(range::VARCHAR, '') FROM range(1_000_000_000)",
    "SELECT count(DISTINCT hash(range)) FROM range(1_000_000_000_000)",
    "SELECT hash(range) AS h FROM range(1_000_000_000) ORDER BY h OFFSET 1_000_000",
    "SELECT histogram(range) FROM range(1_000_000_000)",
    "SELECT sum(range) OVER (ORDER BY hash(range)) FROM range(1_000_000_000)",
    "SELECT median(range) OVER (ORDER BY range ROWS 100_000 PRECEDING) FROM range(10_000_000)",
    "SELECT count(*) FROM range(10_000_000) a JOIN range(10_000_000) b ON a.range < b.range AND a.range > -b.range",
    "SELECT * FROM range(1_000_000_000) USING SAMPLE RESERVOIR (100_000_000 ROWS)",
    "SELECT levenshtein(string_agg(range::VARCHAR, ''), string_agg('x', '')) FROM range(1_000_000)",
    "SELECT regexp_matches(string_agg('a', ''), '(a*)*b') FROM range(100_000_000)",
    "SELECT list_reduce(list(range), lambda a, b: a + b) FROM range(100_000_000)",
    "SELECT replace(string_agg('a', ''), 'a', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') FROM range(10_000_000)",
    "SELECT json_group_array(range) FROM range(1_000_000_000)",
]
DEEP = [
    "SELECT " + "(" * 30_000 + "1" + ")" * 30_000,
    "SELECT 1" + "+1" * 40_000,
    "SELECT " + "NOT " * 20_000 + "true",
    "SELECT " + "abs(" * 15_000 + "1" + ")" * 15_000,
    "SELECT " + "(SELECT " * 5_000 + "1" + ")" * 5_000,
    "SELECT 1" + " UNION ALL SELECT 1" * 5_000,
    "SELECT 1 WHERE " + " OR ".join(f"(1 = {n} AND 2 = {n})" for n in range(3_000)),
    "FROM emails" + ", emails" * 100,
    "/*" * 40_000,
    "SELECT '" + "x" * 90_000,
    "SELECT $" + "x" * 90_000 + "$y",
]


@dataclass
class Room:
    client: Client
    store: DuckDBStore
    path: Path
    epoch: int
    landed: int = 0

    async def ask(self, sql: str, **more: Any) -> tuple[int, dict[str, Any]]:
        async with self.client.post("/api/v1/query", json={"sql": sql, **more}, headers=BEARER) as response:
            return response.status, await response.json()

    async def works(self) -> None:
        """Landings, the gateway and a plain query."""
        self.landed += 1
        row = {"item_id": f"later {self.landed}", "subject": "later", "size": self.landed}
        result = await self.store.land(Landing(ANN, self.epoch, folder=INBOX, emails=emails(row)))
        assert result.inserted == 1
        async with self.client.get("/api/v1/status", headers=BEARER) as response:
            assert response.status == 200
        status, answer = await self.ask("SELECT count(*) FROM emails WHERE subject = 'later'")
        assert (status, answer["rows"]) == (200, [[self.landed]])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> "Shared":
    return Shared(tmp_path_factory.mktemp("misuse") / "room.duckdb")


class Shared:
    """One store for all attempts; each has a gateway of its own, since its event loop is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        options = StoreOptions(memory_limit=MEMORY, spill_limit="100MB", limits=LIMITS)
        self.store = DuckDBStore(path, SystemClock().now, options)
        self.epoch = 0
        self.landed = 0


@pytest.fixture
async def room(shared: Shared) -> AsyncIterator[Room]:
    store = shared.store
    if not shared.epoch:
        await store.put_operators([Operator(ANN, "ann@example.com")])
        (activation,) = await store.activate([ANN])
        shared.epoch = activation.epoch
        rows = [{"item_id": str(n), "subject": f"Offer {n}", "size": n} for n in range(2_000)]
        await store.land(Landing(ANN, shared.epoch, folder=INBOX, emails=emails(*rows)))
    app = build_app(cast("Mailroom", StoreRoom(store, FakeMailroom())), settings(), callback_key=KEY)
    client: Client = TestClient(TestServer(app))
    await client.start_server()
    room = Room(client, store, shared.path, shared.epoch, shared.landed)
    yield room
    shared.landed = room.landed
    await client.close()


@pytest.mark.parametrize("sql", [*OTHERS_FILES, *CHANGES, *THE_INSIDE, *TOO_MUCH])
async def test_what_is_refused(room: Room, sql: str) -> None:
    secret_table = emails({"item_id": "a Python variable is not a table"})
    status, answer = await room.ask(sql.replace("{file}", str(room.path)).replace("{{", "{").replace("}}", "}"))
    assert (status, answer["error"]["code"]) == (400, "QUERY_REFUSED"), answer
    assert answer["error"]["hint"]
    assert secret_table.num_rows == 1
    await room.works()


@pytest.mark.parametrize("sql", ENDLESS)
async def test_what_is_stopped(room: Room, sql: str) -> None:
    async with asyncio.timeout(60):
        status, answer = await room.ask(sql, limit=1_000_000)
    assert status == 400, str(answer)[:300]
    assert answer["error"]["code"] in {"QUERY_TIMED_OUT", "QUERY_TOO_LARGE"}, answer
    await room.works()


@pytest.mark.parametrize("sql", DEEP, ids=range(len(DEEP)))
async def test_what_is_too_deep(room: Room, sql: str) -> None:
    status, answer = await room.ask(sql)
    assert (status, answer["error"]["code"]) == (400, "QUERY_REFUSED"), answer
    assert len(answer["error"]["message"]) < 3_000
    await room.works()


async def test_ten_megabytes_of_sql(room: Room) -> None:
    body = io.BytesIO(b'{"sql": "SELECT \'' + b"x" * 10_000_000 + b"'\"}")
    async with room.client.post("/api/v1/query", data=body, headers=BEARER) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (413, "REQUEST_ENTITY_TOO_LARGE")
    status, answer = await room.ask("SELECT '" + "x" * 500_000 + "'")
    assert (status, answer["error"]["code"]) == (400, "BAD_REQUEST")
    await room.works()


async def test_many_params(room: Room) -> None:
    status, answer = await room.ask("SELECT 1", params=list(range(20_000)))
    assert (status, answer["error"]["code"]) == (400, "BAD_REQUEST")
    many = 4_000
    status, answer = await room.ask(f"SELECT {' + '.join(['?'] * 100)}", params=[1] * 100)
    assert (status, answer["rows"]) == (200, [[100]])
    status, answer = await room.ask(f"SELECT ? IN ({', '.join(['?'] * many)})", params=[1] * (many + 1))
    assert status == 200
    await room.works()


async def test_huge_answers_are_cut(room: Room) -> None:
    status, answer = await room.ask("FROM range(1_000_000_000_000)")
    assert (status, len(answer["rows"]), answer["truncated"]) == (200, 100_000, True)
    status, answer = await room.ask("SELECT string_agg(b.subject, '') FROM emails a, emails b GROUP BY a.item_id")
    assert (status, answer["truncated"]) == (200, False)
    longer = (
        "WITH s AS (SELECT string_agg(subject, '') AS s FROM emails) SELECT s || a.subject FROM s, emails a, emails b"
    )
    status, answer = await room.ask(longer)
    assert (status, answer["truncated"]) == (200, True)
    assert LIMITS.size * 0.9 < sum(len(row[0]) for row in answer["rows"]) <= LIMITS.size
    await room.works()


async def test_several_at_once_leave_it_to_others_in_time(room: Room) -> None:
    endless = [asyncio.create_task(room.ask(ENDLESS[0])) for _ in range(8)]
    async with asyncio.timeout(60):
        await room.works()
        answers = await asyncio.gather(*endless)
    assert {answer["error"]["code"] for _, answer in answers} == {"QUERY_TIMED_OUT"}


async def test_a_crowd_is_told_to_come_again(room: Room) -> None:
    crowd = LIMITS.at_once + LIMITS.waiting + 4
    endless = [asyncio.create_task(room.ask(ENDLESS[0])) for _ in range(crowd)]
    codes = [answer["error"]["code"] for _, answer in await asyncio.gather(*endless)]
    assert set(codes) == {"QUERY_TIMED_OUT", "QUERY_BUSY"}
    assert codes.count("QUERY_BUSY") >= 4
    await room.works()


async def test_a_client_that_goes_ends_its_query(room: Room) -> None:
    async def hang() -> None:
        with pytest.raises(asyncio.TimeoutError):
            async with asyncio.timeout(0.3):
                await room.ask(ENDLESS[0])

    desk = room.store._readers._desk
    await asyncio.gather(*(hang() for _ in range(6)))
    async with asyncio.timeout(30):
        while desk._running or desk._waiting:  # noqa: ASYNC110  # they end in other threads
            await asyncio.sleep(0.01)
    await room.works()
