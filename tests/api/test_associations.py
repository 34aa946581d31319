"""Associations, conversations and the review queue, over HTTP and on the command line."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from engine.access.audit import Action
from engine.listing import View
from tests.api.conftest import BEARER, TOKEN, Client
from tests.api.processes import run
from tests.api.test_emails import email
from tests.api.test_error_shape import check_shape
from tests.fakes.mailroom import FakeMailroom

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
RECORD = {"record_kind": "contact", "record_id": "c1", "name": "Bea"}
WHY = {
    "rule": "conversation", "address": "bea@acme.example", "confidence": 0.5, "associated_at": AT,
    "via_operator_id": "bob", "via_item_id": "first",
}  # fmt: skip
LISTS = {
    "associations": View.ASSOCIATIONS,
    "threads": View.THREADS,
    "review?what=unmatched": View.UNMATCHED_ADDRESSES,
    "review?what=ambiguous": View.AMBIGUOUS_MATCHES,
}


def association(item_id: str, **more: Any) -> dict[str, Any]:
    return {"operator_id": "ann", "item_id": item_id, "record_kind": "contact", "record_id": "c1", **WHY, **more}


def thread(thread_id: str) -> dict[str, Any]:
    return {
        "thread_id": thread_id, "subject": "Offer", "first_at": AT, "last_at": AT, "emails": 1, "copies": 2,
        "operators": ["ann", "bob"], "records": [RECORD],
    }  # fmt: skip


def message(number: int) -> dict[str, Any]:
    copies = [{"operator_id": one, "item_id": f"i{number}", "folder": "inbox"} for one in ("ann", "bob")]
    return {
        "thread_id": "t1", "message_id": f"<{number}@x>", "at": AT, "sender_address": "bea@acme.example",
        "subject": "Offer", "copies": copies,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def found(mailroom: FakeMailroom) -> None:
    mailroom.rows = {
        View.ASSOCIATIONS: [association("i1"), association("i2", record_kind="lead", rule="domain")],
        View.THREADS: [thread("t1"), thread("t2")],
        View.THREAD_MESSAGES: [message(1), message(2)],
        View.UNMATCHED_ADDRESSES: [
            {"address": f"n{n}@x.example", "name": None, "emails": 3 - n, "last_at": AT, "operator_id": "ann",
             "item_id": "i1"} for n in range(2)
        ],
        View.AMBIGUOUS_MATCHES: [
            {"address": f"n{n}@x.example", "record_kind": "lead", "rule": "exact_address", "emails": 1, "last_at": None,
             "candidates": [{"record_id": "l1", "name": "Lea"}, {"record_id": "l2", "name": None}]} for n in range(2)
        ],
    }  # fmt: skip


@pytest.fixture
def environ(client: Client) -> dict[str, str]:
    return {"MAILROOM_URL": str(client.make_url("/")), "MAILROOM_TOKEN": TOKEN}


async def get(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    async with client.get(f"/api/v1/{path}", headers=BEARER) as response:
        assert response.status == status, await response.text()
        return dict(await response.json())


@pytest.mark.parametrize(("path", "view"), LISTS.items(), ids=LISTS)
async def test_page_by_page(client: Client, mailroom: FakeMailroom, path: str, view: View) -> None:
    mark = "&" if "?" in path else "?"
    first = await get(client, f"{path}{mark}limit=1")
    second = await get(client, f"{path}{mark}limit=1&cursor={first['next']}")
    assert (len(first["items"]), second["next"]) == (1, None)
    assert first["items"] + second["items"] == (await get(client, path))["items"]
    assert {one.view for one in mailroom.listings} == {view}
    await client.close()
    kept = [(one.action, one.target) for one in mailroom.access.audited]
    assert set(kept) == {(Action.EMAILS_READ, view.value)}, "it tells of mail"


async def test_filters_are_columns(client: Client, mailroom: FakeMailroom) -> None:
    await get(client, "associations?operator=o&kind=lead&record=r&item=i&rule=domain")
    assert mailroom.listings[-1].equal == {
        "operator_id": "o", "record_kind": "lead", "record_id": "r", "item_id": "i", "rule": "domain",
    }  # fmt: skip


@pytest.mark.parametrize(
    "path", ["associations?kind=contacts", "associations?rule=guess", "review", "review?what=all", "threads?operator=o"]
)
async def test_what_is_refused(client: Client, mailroom: FakeMailroom, path: str) -> None:
    check_shape(await get(client, path, 400), "BAD_REQUEST")
    assert not mailroom.listings


async def test_a_cursor_of_one_sort_is_none_of_the_other(client: Client) -> None:
    cursor = (await get(client, "review?what=unmatched&limit=1"))["next"]
    check_shape(await get(client, f"review?what=ambiguous&cursor={cursor}", 400), "CURSOR_INVALID")


async def test_a_conversation(client: Client, mailroom: FakeMailroom) -> None:
    shown = await get(client, "threads/t1")
    assert (shown["thread_id"], shown["records"], shown["more"]) == ("t1", [RECORD], False)
    assert [one["message_id"] for one in shown["messages"]] == ["<1@x>", "<2@x>"]
    assert [one["operator_id"] for one in shown["messages"][0]["copies"]] == ["ann", "bob"]
    mailroom.rows[View.THREAD_MESSAGES] = [message(number) for number in range(1001)]
    assert (await get(client, "threads/t1"))["more"] is True
    check_shape(await get(client, "threads/none", 404), "THREAD_UNKNOWN")


async def test_an_email_shows_what_it_concerns_and_is_found_by_it(client: Client, mailroom: FakeMailroom) -> None:
    mailroom.mail = [
        email("ann", "i1", 1, associations=[{**RECORD, **WHY}], thread_id="t1", mass_mail=True),
        email("ann", "i2", 2, associations=[{**RECORD, **WHY, "record_kind": "lead"}]),
        email("ann", "i3", 3),
    ]
    shown = await get(client, "emails/i1")
    assert (shown["associations"][0]["name"], shown["thread_id"], shown["mass_mail"]) == ("Bea", "t1", True)
    assert [one["item_id"] for one in (await get(client, "emails?record=c1"))["items"]] == ["i2", "i1"]
    assert [one["item_id"] for one in (await get(client, "emails?record=c1&kind=contact"))["items"]] == ["i1"]


async def test_on_the_command_line(environ: dict[str, str]) -> None:
    result = await run("associations", "list", "--kind", "lead", "--json", environ=environ)
    assert [row["item_id"] for row in json.loads(result.out)] == ["i2"]
    result = await run("threads", "list", "--limit", "1", "--json", environ=environ)
    assert [row["thread_id"] for row in json.loads(result.out)] == ["t1"]
    assert "more than these 1" in result.err
    result = await run("crm", "review", "--what", "ambiguous", environ=environ)
    assert (result.code, result.out.count(b"Lea")) == (0, 2)


async def test_a_conversation_on_the_command_line(environ: dict[str, str]) -> None:
    result = await run("threads", "show", "t1", environ=environ)
    assert (result.code, result.err) == (0, "")
    shown = result.out.decode()
    assert "Concerns: contact Bea (c1)" in shown
    assert "ann, bob" in shown
    result = await run("threads", "show", "no/ne", environ=environ)
    assert (result.code, result.out) == (1, b"")
    assert "There is no conversation 'no/ne'." in result.err
