"""MemoryStore's lists: the rows of the views, made from records; filters, order and positions as the real ones."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from engine.access.audit import AuditEntry
from engine.alerts.model import Alert, OutgoingMail
from engine.application_settings.model import SettingsVersion
from engine.crm.model import CrmRecord
from engine.errors import QueryRefused
from engine.jobs.model import JobRun
from engine.listing import Listing, Page, View
from engine.privacy.erasure import Receipt
from tests.fakes.store_access import audit_rows
from tests.fakes.store_crm import crm_rows
from tests.fakes.store_erasures import erasure_rows
from tests.fakes.store_operators import check_search, is_found
from tests.fakes.store_records import FAILING, Mailbox, is_live, is_unreachable, troubles_of, words_of
from tests.fakes.store_settings import history_rows

Row = dict[str, Any]

_KINDS = ("mailbox", "subscription", "item")


@dataclass
class Shown:
    """What the views are made of."""

    boxes: list[Mailbox]
    runs: Mapping[str, JobRun]
    alerts: Mapping[str, Alert]
    mails: Mapping[str, OutgoingMail]
    now: datetime
    audited: Sequence[AuditEntry] = ()
    versions: Sequence[SettingsVersion] = ()
    erasures: Sequence[Receipt] = ()
    records: Sequence[CrmRecord] = ()


def page_of(listing: Listing, shown: Shown) -> Page:
    """As ``Store.page``; a position is a number of rows, and a column is known once a row has it."""
    check_search(listing)
    if not 1 <= listing.limit <= 1000:
        raise QueryRefused("limit goes from 1 to 1000")
    found = [row for row in _rows(listing.view, shown) if _matches(row, listing.equal)]
    found = [row for row in found if is_found(listing.view, row, listing.search)]
    start = int(listing.after[0]) if listing.after else 0
    end = start + listing.limit
    return Page(tuple(found[start:end]), (end,) if end < len(found) else None)


def _rows(view: View, shown: Shown) -> list[Row]:
    boxes = sorted(shown.boxes, key=lambda box: box.operator.operator_id)
    match view:
        case View.FAILURES:
            rows = [row for box in boxes if box.operator.email_sync for row in _failures(box)]
            rows.sort(key=lambda row: (_KINDS.index(row["kind"]), row["operator_id"], row["item_id"] or ""))
        case View.SUBSCRIPTIONS:
            rows = [_subscription(box, shown.now) for box in boxes if box.subscription]
        case View.OPERATORS:
            rows = [_operator(box) for box in boxes]
        case View.MAILBOXES:
            rows = [_mailbox(box) for box in boxes]
        case View.JOB_RUNS:
            rows = [_run(run) for run in sorted(shown.runs.values(), key=lambda run: run.run_id)]
            rows.sort(key=lambda row: row["started_at"], reverse=True)
        case View.ALERTS:
            rows = [_alert(one, shown.mails) for one in sorted(shown.alerts.values(), key=lambda one: one.alert_id)]
            rows.sort(key=lambda row: row["opened_at"], reverse=True)
        case _:
            rows = _others(view, shown)
    return rows


def _others(view: View, shown: Shown) -> list[Row]:
    rows: dict[View, Callable[[], list[Row]]] = {
        View.ERASURES: lambda: erasure_rows(shown.erasures),
        View.CRM_RECORDS: lambda: crm_rows(shown.records),
        View.AUDIT: lambda: audit_rows(shown.audited),
        View.SETTINGS_HISTORY: lambda: history_rows(shown.versions),
    }
    return rows[view]()


def _matches(row: Row, equal: Mapping[str, str]) -> bool:
    for column, text in equal.items():
        if column not in row:
            raise QueryRefused(f"{column} is no column of it")
        value = row[column]
        if value is None or (str(value).lower() if isinstance(value, bool) else str(value)) != text:
            return False
    return True


def _owner(box: Mailbox) -> Row:
    return {"operator_id": box.operator.operator_id, "operator_email": box.operator.email}


def _failures(box: Mailbox) -> list[Row]:
    rows = [
        _owner(box)
        | {"folder": None, "item_id": None, "code": one.code}
        | {"cause": words_of(one.code).cause, "remedy": words_of(one.code).remedy}
        | {"message": one.message, "since": one.since, "attempts": one.attempts}
        | {"next_attempt_at": one.next_attempt_at, "kind": one.kind, "state": one.state}
        for one in troubles_of(box)
    ]
    for item in box.quarantined.values():
        folder = box.folders.get(item.folder_id)
        words = words_of(item.code, "ITEM_UNREADABLE")
        rows.append(
            _owner(box)
            | {"folder": folder.name if folder else item.folder_id, "item_id": item.item_id, "code": item.code}
            | {"cause": words.cause, "remedy": words.remedy}
            | {"message": item.reason, "since": box.set_aside[item.item_id], "attempts": item.attempts}
            | {"next_attempt_at": item.next_attempt_at, "kind": "item", "state": "quarantined"}
        )
    return rows


def _subscription(box: Mailbox, now: datetime) -> Row:
    one = box.subscription
    assert one is not None
    names = ("serial", "status", "status_frequency", "subscription_id", "watermark", "created_at", "heard_at")
    more = ("next_attempt_at", "error_code", "error", "unheard")
    shown = {name: getattr(one, name) for name in (*names, *more)}
    live = is_live(one, now) and not is_unreachable(one)
    return _owner(box) | shown | {"status": one.status.value, "live": live}


def _mailbox(box: Mailbox) -> Row:
    one = box.record
    names = ("window_start", "last_success_at", "next_sync_at", "failing_since", "attempts")
    words = words_of(one.error_code) if one.status in FAILING and one.error_code else None
    return (
        _owner(box)
        | {"status": one.status.value}
        | {name: getattr(one, name) for name in (*names, "error_code", "error", "error_at")}
        | {"cause": words.cause if words else None, "remedy": words.remedy if words else None}
        | {"folders": len(box.folders), "folders_drained": sum(one.drained for one in box.folders.values())}
        | {"pending": sum(len(one.item_ids) for one in box.pages.values()), "quarantined": len(box.quarantined)}
    )


def _operator(box: Mailbox) -> Row:
    mailbox = _mailbox(box)
    names = ("status", "last_success_at", "next_sync_at", "error_code", "cause", "remedy", "pending")
    return asdict(box.operator) | {name: mailbox[name] for name in names}


def _run(run: JobRun) -> Row:
    lasted = (run.finished_at - run.started_at).total_seconds() if run.finished_at else None
    return (
        {"job": run.job.value, "run_id": run.run_id, "trigger": run.trigger.value, "started_at": run.started_at}
        | {"finished_at": run.finished_at, "seconds": lasted, "outcome": run.outcome.value}
        | {
            name: getattr(run, name)
            for name in ("operators", "done", "failed", "emails", "subscriptions", "message", "pending")
        }
    )


def _alert(alert: Alert, mails: Mapping[str, OutgoingMail]) -> Row:
    mine = [mail for mail in mails.values() if mail.alert_id == alert.alert_id]
    wrong = sorted((mail.created_at, mail.error) for mail in mine if mail.error is not None)
    return {
        "alert_id": alert.alert_id,
        "code": alert.code,
        "cause": words_of(alert.code).cause,
        "status": alert.status.value,
        "opened_at": alert.opened_at,
        "reported_at": alert.reported_at,
        "closed_at": alert.closed_at,
        "operators": len(alert.operators),
        "mails_sent": sum(mail.sent_at is not None and bool(mail.recipients) for mail in mine),
        "mails_waiting": sum(mail.sent_at is None for mail in mine),
        "last_error": wrong[-1][1] if wrong else None,
    }
