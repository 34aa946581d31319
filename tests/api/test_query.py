import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest

from engine.columns import ADDRESSES, TIME
from tests.api.conftest import BEARER, Client
from tests.fakes.mailroom import FakeMailroom

TABLE = pa.table(
    {
        "subject": pa.array(['He said "no", twice\r\nand left', "", None, "日本語 \u2028"]),
        "received_at": pa.array([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), None, None, None], TIME),
        "to_recipients": pa.array(
            [[{"name": "Anna", "address": "a@x"}], [], None, [{"name": None, "address": None}]], ADDRESSES
        ),
        "size": pa.array([1, 2**62, None, -1], pa.int64()),
        "is_read": pa.array([True, False, None, True]),
    }
)
VALUES: list[list[Any]] = [
    ['He said "no", twice\r\nand left', "2026-01-02T03:04:05Z", [{"name": "Anna", "address": "a@x"}], 1, True],
    ["", None, [], 2**62, False],
    [None, None, None, None, None],
    ["日本語 \u2028", None, [{"name": None, "address": None}], -1, True],
]


async def ask(client: Client, **body: Any) -> tuple[bytes, str, dict[str, str]]:
    async with client.post("/api/v1/query", json=body, headers=BEARER) as response:
        assert response.status == 200, await response.text()
        return await response.read(), response.headers["Content-Type"], dict(response.headers)


@pytest.mark.parametrize("form", [{}, {"format": "json"}, {"format": "table"}])
async def test_json(client: Client, mailroom: FakeMailroom, form: dict[str, str]) -> None:
    mailroom.table = TABLE
    body, content_type, headers = await ask(client, sql="SELECT 1", **form)
    assert content_type == "application/json"
    assert json.loads(body) == {"columns": TABLE.column_names, "rows": VALUES, "truncated": False}
    assert "X-Mailroom-Truncated" not in headers


async def test_sql_and_params_are_handed_over_as_they_are(client: Client, mailroom: FakeMailroom) -> None:
    await ask(client, sql="SELECT ?", params=["1", 1, 1.5, True, None])
    (query,) = mailroom.queries
    assert query == ("SELECT ?", ["1", 1, 1.5, True, None])
    assert [type(value) for value in query[1]] == [str, int, float, bool, type(None)]


async def test_truncation_is_told_in_every_format(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.truncated = True
    body, _, headers = await ask(client, sql="x")
    assert json.loads(body)["truncated"] is True
    for form in ("json", "csv", "arrow", "parquet"):
        _, _, headers = await ask(client, sql="x", format=form)
        assert headers["X-Mailroom-Truncated"] == "true"


async def test_csv(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.table = TABLE
    body, content_type, _ = await ask(client, sql="x", format="csv")
    assert content_type == "text/csv; charset=utf-8"
    header, *lines = csv.reader(io.StringIO(body.decode(), newline=""))
    assert header == TABLE.column_names
    assert lines[0] == [VALUES[0][0], "2026-01-02T03:04:05Z", '[{"name": "Anna", "address": "a@x"}]', "1", "true"]
    assert lines[2] == [""] * 5
    assert lines[3][0] == VALUES[3][0]
    assert body.decode().splitlines()[3].startswith('"",')  # an empty string, not NULL
    assert "\n,,,," in body.decode()  # NULLs


async def test_arrow(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.table = TABLE
    body, content_type, _ = await ask(client, sql="x", format="arrow")
    assert content_type == "application/vnd.apache.arrow.stream"
    assert pa.ipc.open_stream(body).read_all().equals(TABLE)


async def test_parquet(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.table = TABLE
    body, content_type, _ = await ask(client, sql="x", format="parquet")
    assert content_type == "application/vnd.apache.parquet"
    assert pyarrow.parquet.read_table(io.BytesIO(body)).equals(TABLE)


@pytest.mark.parametrize("form", ["json", "csv", "arrow", "parquet"])
async def test_no_rows(client: Client, mailroom: FakeMailroom, form: str) -> None:
    mailroom.table = TABLE.slice(0, 0)
    body, _, _ = await ask(client, sql="x", format=form)
    if form == "json":
        assert json.loads(body) == {"columns": TABLE.column_names, "rows": [], "truncated": False}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([Decimal(12345678901234567890)], pa.decimal128(38, 0)), 12345678901234567890),
        (pa.array([Decimal("1.5")], pa.decimal128(3, 1)), 1.5),
        (pa.array([float("nan")]), None),
        (pa.array([float("inf")]), None),
        (pa.array([1.25]), 1.25),
        (pa.array([date(2026, 1, 2)]), "2026-01-02"),
        (pa.array([datetime(2026, 1, 2, 3, 4, 5, 6)], pa.timestamp("us")), "2026-01-02T03:04:05.000006"),  # noqa: DTZ001  # a time without a zone is the case
        (pa.array([1], pa.timestamp("ns", "UTC")), "1970-01-01T00:00:00Z"),
        (pa.array([datetime(2026, 7, 1, 12, tzinfo=UTC)], pa.timestamp("us", "Europe/Berlin")), "2026-07-01T12:00:00Z"),
        (pa.array([timedelta(seconds=90)], pa.duration("us")), "PT90S"),
        (pa.array([(1, 2, 3_500_000_000)], pa.month_day_nano_interval()), "P1M2DT3.5S"),
        (pa.array([b"\x00\xff"]), "AP8="),
        (pa.array([None], pa.null()), None),
        (pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64())), [["k", 1]]),
        (pa.array(["x", "x"]).dictionary_encode(), "x"),
        (
            pa.array([{"at": datetime(2026, 1, 2, tzinfo=UTC)}], pa.struct([("at", TIME)])),
            {"at": "2026-01-02T00:00:00Z"},
        ),
        (pa.array([2**62], pa.timestamp("us", "UTC")), None),
    ],
)
async def test_every_kind_of_value_has_json(client: Client, mailroom: FakeMailroom, values: Any, expected: Any) -> None:
    mailroom.table = pa.table([values, values], names=["v", "v"])  # the same name twice is SQL's right
    body, _, _ = await ask(client, sql="x")
    answer = json.loads(body)
    assert answer["columns"] == ["v", "v"]
    value = answer["rows"][0][1]
    assert value == expected or (expected is None and isinstance(value, str) and value.startswith("1"))
    csv_body, _, _ = await ask(client, sql="x", format="csv")
    assert len(csv_body.splitlines()) == 1 + len(values)
