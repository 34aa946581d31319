"""Queries and emails through the gateway of a whole Mailroom: pieces, refusals, and a client that goes away."""

import csv
import io
from typing import Any
from urllib.parse import quote

import pyarrow as pa
import pytest
import requests

from tests.cluster.conftest import BEGIN_WITH, Room

BEARER = {"Authorization": "Bearer token"}
ENDLESS = "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t"


@pytest.fixture
def settled(room: Room) -> Room:
    room.settle(room.emails[:BEGIN_WITH])
    return room


def ask(room: Room, sql: str, seconds: float = 60, **more: Any) -> requests.Response:
    body = {"sql": sql, **more}
    return requests.post(f"{room.cluster.url}/api/v1/query", json=body, headers=BEARER, timeout=seconds)


def get(room: Room, path: str, **params: str) -> requests.Response:
    return requests.get(f"{room.cluster.url}/api/v1/{path}", params=params, headers=BEARER, timeout=60)


def test_an_answer_in_pieces(settled: Room) -> None:
    sql = "SELECT i.range AS n, body_text FROM emails, range(200) AS i ORDER BY n, item_id"
    as_csv = ask(settled, sql, format="csv", limit=20_000)
    assert as_csv.headers["Transfer-Encoding"] == "chunked"
    rows = [int(row["n"]) for row in csv.DictReader(io.StringIO(as_csv.content.decode(), newline=""))]
    table = pa.ipc.open_stream(ask(settled, sql, format="arrow", limit=20_000).content).read_all()
    assert len(rows) > 1_000
    assert rows == table["n"].to_pylist() == sorted(rows)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM _mailroom.tokens",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT getenv('MAILROOM_EXCHANGE_PASSWORD')",
        "SELECT * FROM duckdb_settings()",
        "ATTACH '/tmp/x.duckdb'",
        "DELETE FROM emails",
        "SELECT 1; SELECT 2",
        f"SELECT {'(' * 30_000}1{')' * 30_000}",
    ],
)
def test_misuse_is_refused(room: Room, sql: str) -> None:
    answer = ask(room, sql)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "QUERY_REFUSED")
    assert ask(room, "SELECT 1").json()["rows"] == [[1]]


def test_clients_that_go_leave_their_places(room: Room) -> None:
    for _ in range(6):
        with pytest.raises(requests.ReadTimeout):
            ask(room, ENDLESS, seconds=0.5)
    answer = ask(room, "SELECT 1", seconds=20)  # four endless ones would keep it waiting for thirty
    assert answer.json()["rows"] == [[1]]


def test_emails_are_found_and_shown(settled: Room) -> None:
    page = get(settled, "emails", operator=settled.emails[0], limit="3").json()
    assert len(page["items"]) == 3
    times = [item["received_at"] for item in page["items"]]
    assert times == sorted(times, reverse=True)
    following = get(settled, "emails", operator=settled.emails[0], limit="3", cursor=page["next"]).json()
    ids = [item["item_id"] for item in (*page["items"], *following["items"])]
    assert len(set(ids)) == 6
    shown = get(settled, f"emails/{quote(ids[0], safe='')}").json()
    assert (shown["item_id"], shown["subject"]) == (ids[0], page["items"][0]["subject"])
    found = get(settled, "emails", q=shown["subject"], operator=settled.emails[0], limit="1000").json()
    assert ids[0] in {item["item_id"] for item in found["items"]}
