"""Emails over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from engine.emails import EmailListing
from tests.api.conftest import BEARER, Client
from tests.fakes.mailroom import FakeMailroom

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
WORDS = (
    "operator_email", "change_key", "subject", "sender_name", "sender_address", "modified_at", "message_id",
    "conversation_id", "in_reply_to", "references", "body_text", "body_html", "importance", "sensitivity", "item_class",
    "moved_from", "sent_at", "deleted_at", "size", "is_read", "has_attachments", "categories", "to_recipients",
    "cc_recipients", "bcc_recipients",
)  # fmt: skip


def email(operator_id: str, item_id: str, hours: int, **more: Any) -> dict[str, Any]:
    return {
        **dict.fromkeys(WORDS),
        "operator_id": operator_id,
        "item_id": item_id,
        "folder": "inbox",
        "folder_id": "F",
        "landed_at": AT,
        "first_landed_at": AT,
        "received_at": AT + timedelta(hours=hours),
        **more,
    }


@pytest.fixture(autouse=True)
def mail(mailroom: FakeMailroom) -> None:
    mailroom.mail = [
        email("ann", "AAMk/1+==", 1, subject="Offer", body_text="Dear\n  Ann", is_read=True,
              to_recipients=[{"name": "Ann", "address": "ann@example.com"}]),
        email("ann", "2", 2, sender_address="Carl@example.com", deleted_at=None),
        email("bob", "2", 3),
        email("bob", "gone", 4, deleted_at=AT),
    ]  # fmt: skip


async def get(client: Client, path: str, **params: str) -> tuple[int, dict[str, Any]]:
    async with client.get(f"/api/v1/{path}", params=params, headers=BEARER) as response:
        return response.status, await response.json()


async def test_the_list(client: Client) -> None:
    status, page = await get(client, "emails")
    assert status == 200
    assert [(item["operator_id"], item["item_id"]) for item in page["items"]] == [
        ("bob", "2"), ("ann", "2"), ("ann", "AAMk/1+=="),
    ]  # fmt: skip
    last = page["items"][-1]
    assert (last["snippet"], last["received_at"]) == ("Dear Ann", "2026-03-01T13:00:00Z")
    assert "body_text" not in last
    assert page["next"] is None


async def test_page_by_page_with_the_same_filters(client: Client) -> None:
    status, page = await get(client, "emails", limit="1", operator="ann")
    assert (status, [item["item_id"] for item in page["items"]]) == (200, ["2"])
    status, rest = await get(client, "emails", limit="1", operator="ann", cursor=page["next"])
    assert ([item["item_id"] for item in rest["items"]], rest["next"]) == (["AAMk/1+=="], None)
    for others in ({"operator": "bob"}, {}, {"operator": "ann", "q": "x"}):
        status, refusal = await get(client, "emails", cursor=page["next"], **others)
        assert (status, refusal["error"]["code"]) == (400, "CURSOR_INVALID")
    status, _ = await get(client, "mailboxes", cursor=page["next"])
    assert status == 400


async def test_filters_are_handed_over(client: Client, mailroom: FakeMailroom) -> None:
    asked = list[EmailListing]()
    original = mailroom.emails

    async def emails(listing: EmailListing) -> Any:
        asked.append(listing)
        return await original(listing)

    mailroom.emails = emails  # type: ignore[method-assign]  # to see what comes
    await get(
        client, "emails", operator="ann", q="a b", contact="x@y", folder="inbox", is_read="false",
        since="2026-03-01", until="2026-03-01T12:00:00.1234567+02:00", limit="7", kind="lead", record="L1",
        **{"from": "z"},
    )  # fmt: skip
    until = datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)
    since = datetime(2026, 3, 1, tzinfo=UTC)
    assert asked == [EmailListing("ann", "a b", "z", "x@y", "inbox", False, since, until, None, 7, "lead", "L1")]


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({"sender": "x"}, "BAD_REQUEST", "sender: there is no such parameter"),
        ({"q": ""}, "BAD_REQUEST", "q: it is empty"),
        ({"is_read": "yes"}, "BAD_REQUEST", "is_read: 'yes'"),
        ({"kind": "contacts"}, "BAD_REQUEST", "kind: 'contacts'"),
        ({"limit": "0"}, "BAD_REQUEST", "limit"),
        ({"limit": "1001"}, "BAD_REQUEST", "limit"),
        ({"since": "yesterday"}, "BAD_REQUEST", "neither a date nor a time"),
        ({"since": "2026-03-01T12:00:00"}, "BAD_REQUEST", "neither a date nor a time"),
        ({"since": "2026-03-01T12:00:00 02:00"}, "BAD_REQUEST", "neither a date nor a time"),
        ({"until": "2026-02-30"}, "VALUE_INVALID", "there is no such time"),
        ({"until": "0001-01-01T00:00:00+23:59"}, "VALUE_INVALID", "there is no such time"),
        ({"cursor": "AAAA"}, "CURSOR_INVALID", "cursor"),
    ],
)
async def test_what_is_refused(client: Client, params: dict[str, str], code: str, words: str) -> None:
    status, refusal = await get(client, "emails", **params)
    assert (status, refusal["error"]["code"]) == (400, code)
    assert words in refusal["error"]["message"]
    assert refusal["error"]["hint"]


async def test_an_email_by_an_id_with_everything_in_it(client: Client) -> None:
    async with client.get(f"/api/v1/emails/{quote('AAMk/1+==', safe='')}", headers=BEARER) as response:
        shown = await response.json()
        assert response.status == 200
    assert (shown["item_id"], shown["body_text"], shown["attachments"]) == ("AAMk/1+==", "Dear\n  Ann", [])


async def test_which_of_several(client: Client) -> None:
    status, refusal = await get(client, "emails/2")
    assert (status, refusal["error"]["code"]) == (409, "EMAIL_AMBIGUOUS")
    status, shown = await get(client, "emails/2", operator="bob")
    assert (status, shown["operator_id"]) == (200, "bob")
    status, shown = await get(client, "emails/gone")
    assert (status, shown["deleted_at"]) == (200, "2026-03-01T12:00:00Z")
    status, refusal = await get(client, "emails/3")
    assert (status, refusal["error"]["code"]) == (404, "EMAIL_UNKNOWN")
    status, refusal = await get(client, "emails/2", who="bob")
    assert (status, refusal["error"]["code"]) == (400, "BAD_REQUEST")


async def test_looking_at_mail_is_in_the_audit_trail(client: Client, mailroom: FakeMailroom) -> None:
    await get(client, "emails", q="offer")
    await get(client, "emails/gone")
    await client.close()
    trail = [(entry.action, entry.target, dict(entry.after)) for entry in mailroom.access.audited]
    assert trail == [("emails.read", "", {"q": "offer"}), ("emails.read", "gone", {})]
