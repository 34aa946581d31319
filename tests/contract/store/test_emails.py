"""Emails as they are looked for, on the fake and the real store."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from engine import errors
from engine.emails import LISTED, SNIPPET, EmailListing
from engine.listing import Page
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_words import BOB, INBOX, SENT, START, AnyStore, Lander, activate, ids

LONG = "word " * 400


def someone(address: str, name: str | None = None) -> dict[str, Any]:
    return {"name": name, "address": address}


@pytest.fixture
async def filled(store: AnyStore, land: Lander) -> AnyStore:
    """Ann has five in her inbox, one of which is deleted, and one sent; Bob has two, one with an id of Ann's."""
    at = [START + timedelta(hours=n) for n in range(10)]
    rows: list[dict[str, Any]] = [
        {"item_id": "a/1+=", "subject": "Offer 100%", "received_at": at[1], "sender_address": "Carl@Example.com",
         "sender_name": "Carl", "body_text": "Dear Ann,\n\n  the   offer", "is_read": True,
         "to_recipients": [someone("ann@example.com", "Ann")], "cc_recipients": [someone("Dora@Example.com")]},
        {"item_id": "a2", "subject": "Ärger", "received_at": at[2], "sender_address": "dora@example.com",
         "body_text": LONG, "is_read": False, "bcc_recipients": [someone("eve@example.com")]},
        {"item_id": "a3", "subject": None, "received_at": at[2], "sender_address": "carl@example.com.evil"},
        {"item_id": "a4", "subject": "no time", "received_at": None},
        {"item_id": "a5", "subject": "Offer withdrawn", "received_at": at[5]},
    ]  # fmt: skip
    attached = attachments({"item_id": "a2", "attachment_id": "x1", "name": "offer.pdf", "size": 7, "is_inline": False})
    await land(folder=INBOX, emails=emails(*rows), attachments=attached)
    await land(folder=INBOX, deleted=ids("a5"))
    await land(folder=SENT, emails=emails({"item_id": "s1", "subject": "Re: offer_1", "received_at": at[3]}))
    bob = Lander(store, await activate(store, BOB))
    await bob(
        folder=INBOX,
        emails=emails(
            {"item_id": "a2", "received_at": at[2]}, {"item_id": "b1", "received_at": at[4], "is_read": True}
        ),
    )
    return store


def names(page: Page) -> list[str]:
    return [f"{item['operator_id']}:{item['item_id']}" for item in page.items]


EVERYTHING = ["bob:b1", "ann:s1", "ann:a2", "ann:a3", "bob:a2", "ann:a/1+=", "ann:a4"]


async def test_the_newest_come_first(filled: AnyStore) -> None:
    page = await filled.emails(EmailListing())
    assert (names(page), page.after) == (EVERYTHING, None)
    assert all(tuple(item) == LISTED for item in page.items)


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_go_on_where_the_one_before_ended(filled: AnyStore, limit: int) -> None:
    found, listing = list[str](), EmailListing(limit=limit)
    while True:
        page = await filled.emails(listing)
        assert len(page.items) <= limit
        found += names(page)
        if page.after is None:
            break
        listing = replace(listing, after=page.after)
    assert found == EVERYTHING


async def test_what_lands_meanwhile_shifts_no_page(filled: AnyStore, land: Lander) -> None:
    first = await filled.emails(EmailListing(limit=3))
    again = Lander(filled, await activate(filled))
    await again(folder=INBOX, emails=emails({"item_id": "new", "received_at": START + timedelta(days=9)}))
    second = await filled.emails(EmailListing(limit=10, after=first.after))
    assert names(first) + names(second) == EVERYTHING


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"operator_id": "bob"}, ["bob:b1", "bob:a2"]),
        ({"operator_id": "nobody"}, []),
        ({"text": "OFFER"}, ["ann:s1", "ann:a/1+="]),
        ({"text": "the   offer"}, ["ann:a/1+="]),
        ({"text": "carl"}, ["ann:a3", "ann:a/1+="]),
        ({"text": "0%"}, ["ann:a/1+="]),
        ({"text": "offer_"}, ["ann:s1"]),
        ({"text": "%"}, ["ann:a/1+="]),
        ({"text": "\\"}, []),
        ({"text": "word word"}, ["ann:a2"]),
        ({"sender": "CARL@example.com"}, ["ann:a3", "ann:a/1+="]),
        ({"sender": "@"}, ["ann:a2", "ann:a3", "ann:a/1+="]),
        ({"contact": "carl@EXAMPLE.com"}, ["ann:a/1+="]),
        ({"contact": "dora@example.com"}, ["ann:a2", "ann:a/1+="]),
        ({"contact": "eve@example.com"}, ["ann:a2"]),
        ({"contact": "eve"}, []),
        ({"folder": "sent"}, ["ann:s1"]),
        ({"is_read": True}, ["bob:b1", "ann:a/1+="]),
        ({"is_read": False}, ["ann:a2"]),
        ({"since": START + timedelta(hours=3)}, ["bob:b1", "ann:s1"]),
        ({"until": START + timedelta(hours=2)}, ["ann:a/1+="]),
        ({"since": START + timedelta(hours=2), "until": START + timedelta(hours=3)}, ["ann:a2", "ann:a3", "bob:a2"]),
        ({"text": "offer", "folder": "inbox", "operator_id": "ann", "is_read": True}, ["ann:a/1+="]),
    ],
)
async def test_filters(filled: AnyStore, filters: dict[str, Any], found: list[str]) -> None:
    assert names(await filled.emails(EmailListing(**filters))) == found
    first = await filled.emails(EmailListing(**filters, limit=1))
    assert names(first) == found[:1]
    if first.after is not None:
        assert names(await filled.emails(EmailListing(**filters, after=first.after))) == found[1:]


async def test_a_snippet_is_one_line(filled: AnyStore) -> None:
    shown = {item["item_id"]: item["snippet"] for item in (await filled.emails(EmailListing(operator_id="ann"))).items}
    assert shown["a/1+="] == "Dear Ann, the offer"
    assert shown["a3"] is None
    assert len(shown["a2"]) <= SNIPPET
    assert shown["a2"].endswith("word…")


async def test_an_email_is_shown_whole(filled: AnyStore) -> None:
    email = await filled.email("a/1+=")
    assert (email["operator_id"], email["subject"], email["deleted_at"]) == ("ann", "Offer 100%", None)
    assert email["body_text"] == "Dear Ann,\n\n  the   offer"
    assert email["received_at"] == START + timedelta(hours=1)
    assert email["attachments"] == []
    (attachment,) = (await filled.email("a2", "ann"))["attachments"]
    assert (attachment["name"], attachment["size"]) == ("offer.pdf", 7)


async def test_a_deleted_one_is_shown_too(filled: AnyStore) -> None:
    assert (await filled.email("a5"))["deleted_at"] is not None


async def test_which_one_of_several(filled: AnyStore) -> None:
    with pytest.raises(errors.EmailAmbiguous, match="ann, bob"):
        await filled.email("a2")
    assert (await filled.email("a2", "bob"))["operator_id"] == "bob"
    for item_id, operator_id in (("nothing", ""), ("b1", "ann"), ("", ""), ("%", "")):
        with pytest.raises(errors.UnknownEmail):
            await filled.email(item_id, operator_id)


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_bounds(store: AnyStore, limit: int) -> None:
    with pytest.raises(errors.QueryRefused):
        await store.emails(EmailListing(limit=limit))
