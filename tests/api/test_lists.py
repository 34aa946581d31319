from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cursors import seal, unseal
from api.problems import Refusal
from engine.listing import Listing, View
from tests.api.conftest import BEARER, KEY, Client
from tests.api.standing import troubled
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

LISTS = ["failures", "subscriptions", "mailboxes", "alerts", "jobs/EmailSync/runs"]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POSITIONS = st.lists(st.text() | st.integers(-(2**62), 2**62) | st.booleans() | st.none(), min_size=1).map(tuple)


@pytest.fixture
def mailroom() -> FakeMailroom:
    return troubled(NOW)


async def page(client: Client, name: str, expected: int = 200, /, **params: str) -> dict[str, Any]:
    async with client.get(f"/api/v1/{name}", params=params, headers=BEARER) as response:
        assert response.status == expected, await response.text()
        return dict(await response.json())


@pytest.mark.parametrize("name", LISTS)
async def test_items_and_next(client: Client, name: str) -> None:
    listed = await page(client, name)
    assert set(listed) == {"items", "next"}
    assert listed["items"]
    assert listed["next"] is None


@pytest.mark.parametrize("name", LISTS)
async def test_an_empty_list_is_no_error(client: Client, mailroom: FakeMailroom, name: str) -> None:
    mailroom.rows.clear()
    assert await page(client, name) == {"items": [], "next": None}


async def test_rows_are_those_of_the_view(client: Client) -> None:
    row = (await page(client, "mailboxes", operator="operator0481"))["items"][0]
    assert (row["status"], row["error_code"], row["last_success_at"]) == ("failed", "MAILBOX_NOT_FOUND", None)
    assert row["next_sync_at"] == "2026-03-01T12:57:00Z"
    assert row["cause"]
    assert row["remedy"]


async def test_pages_follow_each_other(client: Client) -> None:
    seen: list[str] = []
    listed: dict[str, Any] = {"next": ""}
    while listed["next"] is not None:
        cursor = {"cursor": listed["next"]} if listed["next"] else {}
        listed = await page(client, "failures", limit="6", kind="mailbox", **cursor)
        seen += [row["operator_id"] for row in listed["items"]]
    assert seen == [f"operator{number:04}" for number in range(481, 501)]


@pytest.mark.parametrize(
    ("name", "params", "equal"),
    [
        ("failures", {"code": "C", "operator": "o"}, {"code": "C", "operator_id": "o"}),
        ("failures", {"kind": "item", "state": "failed", "email": "e"},
         {"kind": "item", "state": "failed", "operator_email": "e"}),
        ("mailboxes", {"status": "failing", "code": "C"}, {"status": "failing", "error_code": "C"}),
        ("subscriptions", {"status": "active", "live": "false"}, {"status": "active", "live": "false"}),
        ("alerts", {"status": "reported", "code": "C"}, {"status": "reported", "code": "C"}),
    ],
)  # fmt: skip
async def test_filters_are_columns(
    *, client: Client, mailroom: FakeMailroom, name: str, params: dict[str, str], equal: dict[str, str]
) -> None:
    await page(client, name, **params)
    assert mailroom.listings[-1].equal == equal


@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("colour=red", "colour: there is no such parameter here."),
        ("b=1&a=2&limit=3", "a, b: "),
        ("limit=0", "limit: '0' is not a whole number from 1 to 1000."),
        ("limit=1001", "limit: "),
        ("limit=-1", "limit: "),
        ("limit=ten", "limit: "),
        ("limit=%D9%A3", "limit: "),
        ("limit=99999999999999999999999", "limit: "),
        ("limit=", "limit: it is empty."),
        ("limit=1&limit=2", "limit: it is given more than once."),
        ("cursor=nonsense", "cursor: "),
        ("cursor=%C3%A4", "cursor: "),
        ("cursor=", "cursor: it is empty."),
    ],
)
async def test_parameters_that_are_refused(
    *, client: Client, mailroom: FakeMailroom, name: str, query: str, words: str
) -> None:
    async with client.get(f"/api/v1/{name}?{query}", headers=BEARER) as response:
        assert response.status == 400
        refused = await response.json()
    strange = query in {"cursor=nonsense", "cursor=%C3%A4"}
    error = check_shape(refused, "CURSOR_INVALID" if strange else "BAD_REQUEST")
    assert error["message"].startswith(words)
    assert error["hint"]
    assert not mailroom.listings


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("failures", "kind"),
        ("failures", "state"),
        ("mailboxes", "status"),
        ("subscriptions", "live"),
        ("alerts", "status"),
    ],
)
async def test_a_misspelt_state_is_no_empty_list(client: Client, name: str, parameter: str) -> None:
    error = check_shape(await page(client, name, 400, **{parameter: "Failed"}), "BAD_REQUEST")
    assert error["message"] == f"{parameter}: 'Failed' is not one of its values."


async def test_possible_parameters_are_named(client: Client) -> None:
    error = check_shape(await page(client, "failures", 400, stat="failed"), "BAD_REQUEST")
    assert error["hint"] == "Possible are: code, operator, email, kind, state, limit, cursor."


async def test_a_cursor_belongs_to_its_list_and_filters(client: Client) -> None:
    cursor = (await page(client, "failures", limit="1", kind="mailbox"))["next"]
    check_shape(await page(client, "failures", 400, cursor=cursor), "CURSOR_INVALID")
    check_shape(await page(client, "mailboxes", 400, cursor=cursor), "CURSOR_INVALID")
    assert (await page(client, "failures", kind="mailbox", cursor=cursor))["items"]


@given(position=POSITIONS, key=st.binary(min_size=1))
def test_a_cursor_brings_its_position_back(position: tuple[Any, ...], key: bytes) -> None:
    listing = Listing(View.FAILURES, {"code": "C"})
    cursor = seal(key, listing, position)
    assert cursor.replace("-", "").replace("_", "").isalnum()
    assert unseal(key, listing, cursor) == position


@given(position=POSITIONS, data=st.data())
def test_a_changed_cursor_is_found_out(position: tuple[Any, ...], data: st.DataObject) -> None:
    listing = Listing(View.MAILBOXES)
    cursor = seal(KEY, listing, position)
    at = data.draw(st.integers(0, len(cursor) - 2))  # the last character may hold spare bits
    other = data.draw(st.characters(codec="utf-8").filter(lambda char: char != cursor[at]))
    with pytest.raises(Refusal, match="cursor"):
        unseal(KEY, listing, cursor[:at] + other + cursor[at + 1 :])
    with pytest.raises(Refusal, match="cursor"):
        unseal(b"another key", listing, cursor)


async def test_away_stores_are_503(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.broken = frozenset({"page"})
    for name in LISTS:
        check_shape(await page(client, name, 503), "CLUSTER_UNAVAILABLE")
