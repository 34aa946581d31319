"""What each role gets to see, looked for in every answer of every endpoint over a real store.

``sales_ops`` sees no mail, no settings and no secrets; ``viewer`` sees mail where it asks for mail and nowhere else.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from api.app import ROUTES, build_app
from api.routes import Access
from engine.access.audit import Action, AuditEntry, AuditOutcome
from engine.access.roles import Permission, Role
from engine.emails import EmailListing
from engine.listing import Listing, Page
from engine.model import (
    FolderRecord,
    ItemId,
    MailboxRecord,
    MailboxStatus,
    Operator,
    OperatorId,
    QuarantinedItem,
    SubscriptionRecord,
    SubscriptionStatus,
)
from engine.querying import Answer, Query
from engine.settings import build_settings
from engine.status import Status
from engine.store import DuckDBStore
from tests.api.access import bearer, give_out
from tests.api.conftest import KEY, Client
from tests.fakes.mailroom import FakeMailroom
from tests.fakes.store_emails import attachments, emails
from tests.fakes.store_words import ANN, INBOX, Lander

NOW = datetime.now(UTC)
SUBJECT, BODY, PERSON, FILE = "M4rk-subject", "M4rk-body", "m4rk-person@example.org", "M4rk-file.pdf"
MAIL = (SUBJECT, BODY, PERSON, FILE)
SETTINGS = ("S3tting.example.com", "s3tting-user", "s3tting-failures@example.com")
SECRETS = ("S3cret-password", "S3cret-admin", "S3cret-smtp", "S3cret-key", "S3cret-callback")
MAY_SHOW_MAIL = {Permission.EMAILS_READ, Permission.QUERY_RUN}


class Stored(FakeMailroom):
    """A FakeMailroom whose figures, lists and queries are those of a store."""

    store: DuckDBStore

    async def status(self) -> Status:
        return await self.store.status()

    async def page(self, listing: Listing) -> Page:
        return await self.store.page(listing)

    async def start_query(self, query: Query) -> Answer:
        return await self.store.start_query(query)

    async def emails(self, listing: EmailListing) -> Page:
        return await self.store.emails(listing)

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        return await self.store.email(item_id, operator_id)


async def furnish(store: DuckDBStore) -> None:
    """One operator with mail, a subscription, an item that cannot be read, and an administrator who looked at it."""
    await store.put_operators([Operator(ANN, "ann@example.com", "Ann"), Operator(OperatorId("bob"), "bob@example.com")])
    [activation] = await store.activate([ANN])
    land = Lander(store, activation)
    people = [{"name": "M4rk", "address": PERSON}]
    row = {"item_id": "i1", "subject": SUBJECT, "body_text": BODY, "body_html": f"<p>{BODY}</p>", "received_at": NOW}
    await land(
        folder=INBOX,
        folder_record=FolderRecord(INBOX.folder_id, "inbox", drained=True),
        emails=emails({**row, "sender_address": PERSON, "to_recipients": people}),
        attachments=attachments({"item_id": "i1", "position": 0, "name": FILE}),
        quarantined=(QuarantinedItem(INBOX.folder_id, ItemId("i2"), "ITEM_UNREADABLE", "corrupt", 1, NOW),),
        mailbox=MailboxRecord(MailboxStatus.FAILED, NOW, NOW, NOW, NOW, 3, "AUTH_FAILED", "401", NOW),
        subscription=SubscriptionRecord(
            "s", SubscriptionStatus.ACTIVE, f"https://x/{SECRETS[-1]}", 30, "id", "w", NOW, NOW
        ),
    )
    looked = AuditEntry(NOW, Action.EMAILS_READ, AuditOutcome.DONE, "boss", target=SUBJECT, entry_id="e1")
    await store.write_audit([looked, replace(looked, action=Action.SETTINGS_CHANGE, target=SETTINGS[0], entry_id="e2")])


@pytest.fixture
async def mailroom(tmp_path: Path) -> AsyncIterator[Stored]:
    mailroom = Stored()
    mailroom.store = await DuckDBStore.open(tmp_path / "store.duckdb", lambda: NOW)
    await furnish(mailroom.store)
    yield mailroom
    await mailroom.store.close()


@pytest.fixture
async def client(mailroom: Stored, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Client]:
    names = ("EXCHANGE_PASSWORD", "ADMIN_TOKEN", "SMTP_PASSWORD", "KEY")
    environ = {f"MAILROOM_{name}": secret for name, secret in zip(names, SECRETS, strict=False)}
    for name, secret in environ.items():
        monkeypatch.setenv(name, secret)
    raw = {
        "exchange": {"url": f"https://{SETTINGS[0]}/EWS", "username": SETTINGS[1]},
        "email_sync": {"notify_failures_to": SETTINGS[2]},
        "smtp": {"host": "127.0.0.1", "from": "a@example.com", "username": "u"},
    }
    made = build_settings(raw, environ)
    client: Client = TestClient(TestServer(build_app(mailroom, made, callback_key=KEY)))
    await client.start_server()
    yield client
    await client.close()


async def shown(client: Client, token: str, marks: Sequence[str]) -> dict[str, set[str]]:
    """Which endpoints answer with which of the marks."""
    found: dict[str, set[str]] = {}
    for route in ROUTES:
        path = re.sub(
            r"\{\w+\}", "i1", route.path.replace("{name}", "EmailSync").replace("operators/{id}", "operators/ann")
        )
        body = (
            {"sql": "SELECT * FROM emails, (SELECT name AS file FROM attachments)"} if route.method == "POST" else None
        )
        async with client.request(route.method, path, json=body, headers=bearer(token)) as response:
            text = f"{response.headers}{await response.text()}"
        if seen := {mark for mark in marks if mark.lower() in text.lower()}:
            found[f"{route.method} {route.path}"] = seen
    return found


async def test_sales_ops_sees_no_mail_no_settings_and_no_secrets(client: Client, mailroom: Stored) -> None:
    token = give_out(mailroom, Role.SALES_OPS, groups=("g",)).text
    assert await shown(client, token, (*MAIL, *SETTINGS, *SECRETS)) == {}


async def test_a_viewer_sees_mail_where_it_is_asked_for_and_no_settings(client: Client, mailroom: Stored) -> None:
    token = give_out(mailroom, Role.VIEWER).text
    found = await shown(client, token, (*MAIL, *SETTINGS, *SECRETS))
    mail = {f"{one.method} {one.path}" for one in ROUTES if one.access in MAY_SHOW_MAIL}
    assert set(found) <= mail
    assert found["POST /api/v1/query"] == set(MAIL), "the marks can be found where they are"


async def test_nobody_sees_a_secret(client: Client, mailroom: Stored) -> None:
    assert await shown(client, give_out(mailroom, Role.ADMINISTRATOR).text, SECRETS) == {}
    assert await shown(client, SECRETS[1], SECRETS) == {}


def test_whoever_may_see_mail_is_decided_by_few_permissions() -> None:
    guarded = [one for one in ROUTES if not isinstance(one.access, Access)]
    assert {one.access for one in guarded if "emails" in one.path or "query" in one.path} <= MAY_SHOW_MAIL
