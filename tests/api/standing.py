"""A Mailroom in the middle of trouble: rows of every view, as the store would give them."""

from datetime import datetime, timedelta
from typing import Any

from engine.errors import AuthenticationFailed
from engine.failures import failure_by_code
from engine.jobs.model import Job, JobName, JobRun, JobState, Outcome, Trigger
from engine.listing import View
from engine.model import OperatorId
from engine.orders import HostReport, Standing
from engine.status import OperatorCounts, Status, SubscriptionCounts, Trouble
from tests.fakes.mailroom import FakeMailroom

SAID = "The SMTP address has no mailbox associated with it."


def troubled(now: datetime, *, operators: int = 20) -> FakeMailroom:
    """``operators`` without a mailbox, a subscription that was refused, an item that cannot be read."""
    mailroom = FakeMailroom()
    failure = failure_by_code("MAILBOX_NOT_FOUND")
    assert failure is not None
    mailroom.figures = Status(
        operators=OperatorCounts(total=500, enabled=500, synced=475, failing=25),
        emails=1_234_567,
        pending=12,
        quarantined=1,
        subscriptions=SubscriptionCounts(475, 500),
        troubles=(
            Trouble(
                failure.code, failure.cause, failure.remedy, operators, OperatorId("operator0481"), SAID,
                now - timedelta(minutes=3), now + timedelta(minutes=57),
            ),
        ),
    )  # fmt: skip
    run = JobRun(
        "0198", JobName.EMAIL_SYNC, Trigger.SCHEDULE, now - timedelta(minutes=4), now - timedelta(minutes=3),
        Outcome.PARTIAL, 500, 500, 25, 3_120, 0, "25 fail: MAILBOX_NOT_FOUND 20, IMPERSONATION_DENIED 5.",
    )  # fmt: skip
    job = Job(JobName.EMAIL_SYNC, enabled=True, every="15m", last_run_at=run.started_at)
    mailroom.states[JobName.EMAIL_SYNC] = JobState(job, next_run_at=now + timedelta(minutes=11))
    mailroom.put_run(run)
    mailroom.reports = {
        "host-0": HostReport("a", (OperatorId("o1"),), 120, None, now, 8, 100, {"ok": 90, "THROTTLED": 10}),
        "host-1": HostReport(
            "b", (), 130, Standing(AuthenticationFailed("HTTP 401"), now - timedelta(seconds=40), 130), now, 1, 9,
            {"ok": 5, "AUTH_FAILED": 2, "ErrorSomethingNew": 2},
        ),
    }  # fmt: skip
    mailroom.rows[View.FAILURES] = [
        *(_failure(f"operator{number:04}", now) for number in range(481, 481 + operators)),
        {**_failure("operator0003", now), "kind": "item", "state": "quarantined", "code": "ErrorMimeContentInvalid",
         "folder": "inbox", "item_id": "AAMk" * 40, "message": "The MIME content of the item is not valid.",
         "cause": "Exchange's answer about an item cannot be read.", "remedy": "Open it in Outlook."},
    ]  # fmt: skip
    mailroom.rows[View.MAILBOXES] = [_mailbox(f"operator{number:04}", now) for number in range(1, 4)]
    mailroom.rows[View.MAILBOXES].append(_failing(_mailbox("operator0481", now), now))
    mailroom.rows[View.SUBSCRIPTIONS] = [_subscription(f"operator{number:04}", now) for number in range(1, 4)]
    mailroom.rows[View.SUBSCRIPTIONS][1] |= {"live": False, "unheard": 2, "heard_at": None}
    mailroom.rows[View.ALERTS] = [
        _alert("a2", "MAILBOX_NOT_FOUND", "reported", now),
        _alert("a1", "AUTH_FAILED", "closed", now),
    ]
    mailroom.rows[View.ALERTS][0] |= {"mails_waiting": 1, "last_error": "Connection refused by smtp.example.com:25"}
    return mailroom


def _failure(operator: str, now: datetime) -> dict[str, Any]:
    failure = failure_by_code("MAILBOX_NOT_FOUND")
    assert failure is not None
    return {
        "operator_id": operator, "operator_email": f"{operator}@example.com", "folder": None, "item_id": None,
        "code": failure.code, "cause": failure.cause, "remedy": failure.remedy, "message": SAID,
        "since": now - timedelta(minutes=3), "attempts": 2, "next_attempt_at": now + timedelta(minutes=57),
        "kind": "mailbox", "state": "failed",
    }  # fmt: skip


def _mailbox(operator: str, now: datetime) -> dict[str, Any]:
    return {
        "operator_id": operator, "operator_email": f"{operator}@example.com", "status": "synced",
        "window_start": now - timedelta(days=90), "last_success_at": now - timedelta(seconds=90),
        "next_sync_at": None, "failing_since": None, "attempts": 0, "error_code": None, "error": None,
        "error_at": None, "cause": None, "remedy": None, "folders": 2, "folders_drained": 2, "pending": 0,
        "quarantined": 0,
    }  # fmt: skip


def _failing(row: dict[str, Any], now: datetime) -> dict[str, Any]:
    failure = failure_by_code("MAILBOX_NOT_FOUND")
    assert failure is not None
    return {
        **row, "status": "failed", "last_success_at": None, "next_sync_at": now + timedelta(minutes=57),
        "failing_since": now - timedelta(minutes=3), "attempts": 2, "error_code": failure.code, "error": SAID,
        "error_at": now - timedelta(minutes=3), "cause": failure.cause, "remedy": failure.remedy,
    }  # fmt: skip


def _subscription(operator: str, now: datetime) -> dict[str, Any]:
    return {
        "operator_id": operator, "operator_email": f"{operator}@example.com", "serial": "s1", "status": "active",
        "status_frequency": 30, "subscription_id": "abc", "watermark": "AAAA", "created_at": now - timedelta(hours=2),
        "heard_at": now - timedelta(seconds=12), "next_attempt_at": None, "error_code": None, "error": None,
        "unheard": 0, "live": True,
    }  # fmt: skip


def _alert(alert_id: str, code: str, status: str, now: datetime) -> dict[str, Any]:
    failure = failure_by_code(code)
    assert failure is not None
    return {
        "alert_id": alert_id, "code": code, "cause": failure.cause, "status": status,
        "opened_at": now - timedelta(minutes=3), "reported_at": now - timedelta(minutes=2),
        "closed_at": now if status == "closed" else None, "operators": 20, "mails_sent": 1, "mails_waiting": 0,
        "last_error": None,
    }  # fmt: skip
