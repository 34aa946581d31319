"""Lists: what they show, how they are filtered, and that page after page shows every row once."""

import json
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from engine import errors
from engine.access.audit import Action, AuditEntry, AuditOutcome
from engine.alerts.model import Alert, AlertStatus, OutgoingMail
from engine.crm.change import CrmChange, CrmOutcome
from engine.crm.model import CrmRecord, RecordKind
from engine.jobs.model import JobName, JobRun, Outcome, Trigger
from engine.listing import Listing, View
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
from engine.privacy.erasure import ErasureRequest, LiftRequest
from engine.store import DuckDBStore, StoreOptions
from engine.store.lists import LONG
from tests.fakes.store import MemoryStore
from tests.fakes.store_erasures import KEY
from tests.fakes.store_words import INBOX, SENT, AnyStore, Lander, Time, page

NOW = datetime.now(UTC).replace(microsecond=0)
"""Whether a subscription lives is asked of the database's own clock in the view."""
STORED = [view for view in View if view not in LONG]
"""What a store in memory has too; it associates nothing."""
HOUR = timedelta(hours=1)
WHO = [OperatorId(f"op{n}") for n in range(7)]
LIVE = SubscriptionRecord("s", SubscriptionStatus.ACTIVE, "https://x/secret", 30, "id", "w", NOW, NOW)
FAILED = MailboxRecord(MailboxStatus.FAILED, NOW, NOW, NOW, NOW - HOUR, 3, "AUTH_FAILED", "401", NOW)


async def furnish(store: AnyStore) -> None:
    """Something of everything: states, causes known and unknown, rows with and without the optional."""
    await store.put_operators([Operator(one, f"{one}@example.com", email_sync=one != "op6") for one in WHO])
    land = [Lander(store, one) for one in await store.activate(WHO)]
    item = QuarantinedItem(INBOX.folder_id, ItemId("i1"), "ITEM_UNREADABLE", "corrupt", 1, NOW)
    await land[0](
        folder=INBOX,
        mailbox=FAILED,
        folder_record=FolderRecord(INBOX.folder_id, "inbox", drained=True),
        queued=(page("p", "1", "2"),),
        quarantined=(item, replace(item, item_id=ItemId("i2")), replace(item, folder_id=SENT.folder_id, code="NEW")),
        subscription=LIVE,
    )
    await land[0](folder=SENT, quarantined=(replace(item, item_id=ItemId("i3"), folder_id=SENT.folder_id),))
    await land[1](
        mailbox=replace(FAILED, status=MailboxStatus.FAILING, error_code="NEW_CODE"),
        subscription=replace(LIVE, status=SubscriptionStatus.FAILED, error_code="SUBSCRIPTION_QUOTA", error="20"),
    )
    await land[2](mailbox=replace(FAILED, error_code=None), subscription=replace(LIVE, unheard=1))
    await land[3](subscription=replace(LIVE, created_at=NOW - 9 * HOUR, heard_at=NOW - 9 * HOUR, unheard=1))
    await land[4](subscription=replace(LIVE, status=SubscriptionStatus.LOST, created_at=None, heard_at=None))
    await land[5](mailbox=MailboxRecord(MailboxStatus.SYNCED, NOW, NOW), subscription=replace(LIVE, heard_at=None))
    await land[6](mailbox=FAILED, subscription=LIVE)
    for n in range(5):
        job = list(JobName)[n % 2]
        run = JobRun(f"r{n}", job, list(Trigger)[n % 2], NOW + (n // 2) * HOUR, operators=n, message=f"m{n}")
        done = replace(run, finished_at=run.started_at + timedelta(seconds=n, milliseconds=250), done=n)
        await store.put_run(run if n == 4 else replace(done, outcome=Outcome.PARTIAL, failed=1, emails=n))
    alerts = [
        Alert("a1", "AUTH_FAILED", AlertStatus.REPORTED, NOW, NOW, (WHO[0], WHO[1]), reported_at=NOW + HOUR),
        Alert("a2", "NEW_CODE", AlertStatus.GATHERING, NOW, NOW, (WHO[0],)),
        Alert("a3", "THROTTLED", AlertStatus.CLOSED, NOW + HOUR, NOW, closed_at=NOW + 2 * HOUR),
    ]
    mail = OutgoingMail("m1", "a1", ("boss@example.com",), "S", "text", "html", NOW, 2, NOW, None, "421 later")
    again = replace(mail, mail_id="m2", created_at=NOW + HOUR, error="550 no")
    await store.write_audit(
        [
            AuditEntry(NOW + n // 2 * HOUR, list(Action)[n], list(AuditOutcome)[n % 3], f"p{n}", entry_id=f"e{n}")
            for n in range(4)
        ]
    )
    await store.put_alerts(alerts, [mail, again, replace(mail, mail_id="m3", sent_at=NOW, error=None)])
    for n, address in enumerate(("gone@x.com", "away@x.com", "Gone@x.com")):
        await store.erase(ErasureRequest(f"e{n}", address, "boss"))
    await store.lift_erasure(LiftRequest("e0", "boss"))
    for size in range(100, 103):
        await store.seed_settings({"exchange": {}, "email_sync": {"batch_size": size}})
    for kind in (RecordKind.LEAD, RecordKind.CONTACT):
        addresses = ("ann@example.com", "a.müller@example.org")
        whole = CrmRecord(kind, "c10", "Ann Müller", addresses, owner="op0", account_id="a1", updated_at=NOW)
        await store.put_crm(CrmChange(kind, (whole, CrmRecord(kind, "c9"), CrmRecord(kind, "C9", owner="op1"))))


async def _duck(folder: Path, clock: Time) -> DuckDBStore:
    return await DuckDBStore.open(folder / "lists.duckdb", clock, StoreOptions(suppression_key=KEY))


@pytest.fixture
async def furnished(kind: str, tmp_path: Path) -> AsyncIterator[AnyStore]:
    clock = Time()
    clock.now = NOW
    store = MemoryStore(clock) if kind == "memory" else await _duck(tmp_path, clock)
    await furnish(store)
    yield store
    await store.close()


async def rows(
    store: AnyStore, view: View, limit: int = 1000, equal: Mapping[str, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Everything, page by page; each position goes through JSON, as in a cursor."""
    found, after = list[dict[str, Any]](), None
    while True:
        one = await store.page(Listing(view, equal, after, limit))
        assert len(one.items) <= limit
        found += one.items
        if one.after is None:
            return found
        assert len(one.items) == limit
        after = tuple(json.loads(json.dumps(one.after)))


@pytest.mark.parametrize("view", STORED)
@pytest.mark.parametrize("limit", [1, 2, 3])
async def test_pages_show_every_row_once_and_in_order(furnished: AnyStore, view: View, limit: int) -> None:
    whole = await rows(furnished, view)
    assert len(whole) > 2
    assert await rows(furnished, view, limit) == whole


@pytest.mark.parametrize("view", STORED)
async def test_both_stores_show_the_same(tmp_path: Path, view: View) -> None:
    clock = Time()
    clock.now = NOW
    memory, duck = MemoryStore(clock), await _duck(tmp_path, clock)
    await furnish(memory)
    await furnish(duck)
    shown = await rows(duck, view)
    for row in shown:
        # A file has a size, memory has not.
        row.update({name: None for name in ("size_before", "size_after") if name in row})
    assert shown == await rows(memory, view)
    assert [list(row) for row in shown] == [list(row) for row in await rows(memory, view)]
    assert "secret" not in str(shown)
    await duck.close()


async def test_failures_go_from_mailboxes_to_items(furnished: AnyStore) -> None:
    found = [(row["kind"], row["state"], row["operator_id"]) for row in await rows(furnished, View.FAILURES)]
    assert found == [
        ("mailbox", "failed", "op0"),
        ("mailbox", "failing", "op1"),
        ("subscription", "failed", "op1"),
        ("subscription", "unreachable", "op2"),
        ("subscription", "unreachable", "op3"),
        ("item", "quarantined", "op0"),
        ("item", "quarantined", "op0"),
        ("item", "quarantined", "op0"),
    ]


async def test_mailboxes_say_what_is_wrong_and_what_to_do(furnished: AnyStore) -> None:
    failed, failing, unnamed, *others = await rows(furnished, View.MAILBOXES)
    assert "credentials" in failed["cause"]
    assert "MAILROOM_EXCHANGE_PASSWORD" in failed["remedy"]
    assert failing["remedy"], "an unknown code still says what to do"
    assert (unnamed["cause"], unnamed["remedy"]) == (None, None)
    assert {(one["cause"], one["remedy"]) for one in others} == {(None, None)}
    assert (failed["pending"], failed["quarantined"], failed["next_sync_at"]) == (2, 3, NOW)


async def test_subscriptions_say_whether_they_live(furnished: AnyStore) -> None:
    found = {row["operator_id"]: (row["live"], row["unheard"]) for row in await rows(furnished, View.SUBSCRIPTIONS)}
    assert found == {
        "op0": (True, 0),
        "op1": (False, 0),
        "op2": (False, 1),
        "op3": (False, 1),
        "op4": (False, 0),
        "op5": (True, 0),
        "op6": (True, 0),
    }


async def test_runs_come_newest_first(furnished: AnyStore) -> None:
    found = await rows(furnished, View.JOB_RUNS)
    assert [(row["run_id"], row["seconds"]) for row in found] == [
        ("r4", None),
        ("r2", 2.25),
        ("r3", 3.25),
        ("r0", 0.25),
        ("r1", 1.25),
    ]


async def test_alerts_count_their_mail(furnished: AnyStore) -> None:
    found = await rows(furnished, View.ALERTS)
    assert [(row["alert_id"], row["operators"], row["mails_sent"], row["mails_waiting"]) for row in found] == [
        ("a3", 0, 0, 0),
        ("a1", 2, 1, 2),
        ("a2", 1, 0, 0),
    ]
    assert [row["last_error"] for row in found] == [None, "550 no", None]
    assert "boss@example.com" not in str(found)


@pytest.mark.parametrize(
    ("view", "equal", "expected"),
    [
        (View.FAILURES, {"code": "AUTH_FAILED"}, 1),
        (View.FAILURES, {"kind": "item", "folder": "inbox"}, 1),
        (View.FAILURES, {"operator_id": "op1", "state": "failed"}, 1),
        (View.FAILURES, {"code": "auth_failed"}, 0),
        (View.FAILURES, {"code": "' OR true --"}, 0),
        (View.SUBSCRIPTIONS, {"live": "true"}, 3),
        (View.SUBSCRIPTIONS, {"unheard": "1"}, 2),
        (View.MAILBOXES, {"status": "failed"}, 2),
        (View.JOB_RUNS, {"job": "EmailSync", "outcome": "partial"}, 2),
        (View.ALERTS, {"status": "closed"}, 1),
        (View.CRM_RECORDS, {"kind": "contact", "record_id": "c9"}, 1),
        (View.CRM_RECORDS, {"owner": "op0"}, 2),
    ],
)
async def test_filters(furnished: AnyStore, view: View, equal: dict[str, str], expected: int) -> None:
    assert len(await rows(furnished, view, equal=equal)) == expected
    assert len(await rows(furnished, view, 1, equal)) == expected


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("MULLER ann", ["c10"]),
        ("ann@ example.org", ["c10"]),
        ("c9", ["C9", "c9"]),
        ("op0", []),
        ("[", []),
    ],
)
async def test_records_by_words_of_id_name_and_addresses(furnished: AnyStore, search: str, found: list[str]) -> None:
    one = await furnished.page(Listing(View.CRM_RECORDS, {"kind": "lead"}, search=search))
    assert [row["record_id"] for row in one.items] == found


async def test_a_dry_run_says_what_a_change_would_come_to(furnished: AnyStore) -> None:
    before = await rows(furnished, View.CRM_RECORDS)
    given = (CrmRecord(RecordKind.LEAD, "c9"), CrmRecord(RecordKind.LEAD, "C9"), CrmRecord(RecordKind.LEAD, "new"))
    change = CrmChange(RecordKind.LEAD, given, ("c10", "none"), dry_run=True)
    waiting = await furnished.associations_left()
    assert await furnished.put_crm(change) == CrmOutcome(1, 1, 1, 1, 1)
    assert await rows(furnished, View.CRM_RECORDS) == before
    assert await furnished.associations_left() == waiting
    assert await furnished.put_crm(replace(change, dry_run=False)) == CrmOutcome(1, 1, 1, 1, 1)
    assert len(await rows(furnished, View.CRM_RECORDS)) == len(before)
    assert await rows(furnished, View.CRM_RECORDS) != before


@pytest.mark.parametrize("column", ["colour", "callback_url", 'code" OR true --', "Code"])
async def test_a_column_that_is_not_there_is_refused(furnished: AnyStore, column: str) -> None:
    with pytest.raises(errors.QueryRefused, match=re.escape(column)):
        await furnished.page(Listing(View.SUBSCRIPTIONS, {column: "x"}))


@pytest.mark.parametrize("limit", [0, -1, 1001])
async def test_a_limit_out_of_bounds_is_refused(furnished: AnyStore, limit: int) -> None:
    with pytest.raises(errors.QueryRefused, match="1 to 1000"):
        await furnished.page(Listing(View.MAILBOXES, limit=limit))
