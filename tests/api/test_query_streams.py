"""Answers of queries that come in pieces, and clients that go away."""

import asyncio
import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pyarrow as pa
import pyarrow.parquet
import pytest

from api.encoders import TRUNCATED_KEY
from engine.columns import TIME
from tests.api.conftest import BEARER, Client
from tests.fakes.mailroom import FakeMailroom

ROWS = 1_000
TABLE = pa.table(
    {
        "n": pa.array(range(ROWS)),
        "text": pa.array([None if n % 7 == 0 else f'"{n}",\n' for n in range(ROWS)]),
        "at": pa.array([datetime(2026, 1, 1, n % 24, tzinfo=UTC) for n in range(ROWS)], TIME),
    }
)
FORMS = ("json", "csv", "arrow", "parquet")


@pytest.fixture(autouse=True)
def pieces(mailroom: FakeMailroom) -> None:
    mailroom.table = TABLE
    mailroom.rows_a_piece = 64


async def ask(client: Client, **body: Any) -> tuple[bytes, dict[str, str]]:
    async with client.post("/api/v1/query", json={"sql": "SELECT 1", **body}, headers=BEARER) as response:
        assert response.status == 200
        return await response.read(), dict(response.headers)


def read(form: str, body: bytes) -> list[Any]:
    match form:
        case "json":
            return [row[0] for row in json.loads(body)["rows"]]
        case "csv":
            return [int(row["n"]) for row in csv.DictReader(io.StringIO(body.decode(), newline=""))]
        case "arrow":
            assert pa.ipc.open_stream(body).read_all().equals(TABLE)
            return list(pa.ipc.open_stream(body).read_all()["n"].to_pylist())
        case _:
            assert pyarrow.parquet.read_table(io.BytesIO(body)).equals(TABLE)
            return list(pyarrow.parquet.read_table(io.BytesIO(body))["n"].to_pylist())


@pytest.mark.parametrize("form", FORMS)
async def test_pieces_make_a_whole(client: Client, mailroom: FakeMailroom, form: str) -> None:
    body, headers = await ask(client, format=form)
    assert read(form, body) == list(range(ROWS))
    assert headers.get("Transfer-Encoding") == "chunked"
    assert "X-Mailroom-Truncated" not in headers
    assert mailroom.ended == []


@pytest.mark.parametrize("form", FORMS)
async def test_truncation_is_told_before_the_first_row(client: Client, mailroom: FakeMailroom, form: str) -> None:
    mailroom.truncated = True
    body, headers = await ask(client, format=form)
    assert headers["X-Mailroom-Truncated"] == "true"
    if form == "json":
        assert json.loads(body)["truncated"] is True
    if form == "arrow":
        assert pa.ipc.open_stream(body).schema.metadata[TRUNCATED_KEY.encode()] == b"true"
    if form == "parquet":
        assert pyarrow.parquet.read_metadata(io.BytesIO(body)).metadata[TRUNCATED_KEY.encode()] == b"true"


@pytest.mark.parametrize("form", FORMS)
async def test_an_answer_that_cannot_be_finished_is_no_answer(
    client: Client, mailroom: FakeMailroom, form: str
) -> None:
    mailroom.broken = frozenset({"read_query"})
    with pytest.raises(aiohttp.ClientPayloadError):
        await ask(client, format=form)
    assert len(mailroom.ended) == 1


async def test_rows_and_params_are_handed_over(client: Client, mailroom: FakeMailroom) -> None:
    await ask(client, limit=7, params={"a": 1, "b": None})
    await ask(client, params=["x"])
    assert [(query.params, query.max_rows) for query in mailroom.asked] == [({"a": 1, "b": None}, 7), (["x"], 100_000)]
    assert len({query.query_id for query in mailroom.asked}) == 2


async def test_a_client_that_goes_while_it_runs_ends_it(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.hang = True
    asking = asyncio.create_task(ask(client))
    while not mailroom.asked:  # noqa: ASYNC110  # the gateway has it
        await asyncio.sleep(0.01)
    asking.cancel()
    await _until_ended(mailroom)


async def test_a_client_that_goes_while_it_reads_ends_it(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.table = pa.table({"text": pa.array(["x" * 100_000] * 1_000)})
    mailroom.rows_a_piece = 10
    async with client.post("/api/v1/query", json={"sql": "x", "format": "csv"}, headers=BEARER) as response:
        await response.content.readexactly(1_000_000)
        assert not mailroom.ended
        response.close()
    await _until_ended(mailroom)


async def _until_ended(mailroom: FakeMailroom) -> None:
    async with asyncio.timeout(30):
        while not mailroom.ended:  # noqa: ASYNC110  # the gateway looks now and then
            await asyncio.sleep(0.01)
    assert mailroom.ended == [query.query_id for query in mailroom.asked]
