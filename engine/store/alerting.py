"""Alerts, the mail they lead to, and what they are read from: the failures that stand."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import duckdb

from engine.alerts.model import Affected, Alert, AlertStatus, OutgoingMail, StandingFailure
from engine.model import OperatorId
from engine.store.staging import registered
from engine.store.tables import ALERTS, MAILS, columns
from engine.store.times import utc

_ALERT = "alert_id, code, status, opened_at, grown_at, operators, reported, quiet_since, reported_at, closed_at"
_MAIL = 'mail_id, alert_id, recipients, subject, "text", html, created_at, attempts, next_attempt_at, sent_at, "error"'


def standing_failures(cursor: duckdb.DuckDBPyConnection, subscription_codes: Sequence[str]) -> list[StandingFailure]:
    """Mailboxes given up and subscriptions that fail for one of these codes, by code and operator.

    Who has both for one code is touched by it once.
    """
    rows = cursor.execute(
        """
        SELECT code, operator_id, operator_email, coalesce(message, ''), since FROM main.failures
        WHERE kind = 'mailbox' AND state = 'failed' OR kind = 'subscription' AND list_contains($1::VARCHAR[], code)
        QUALIFY row_number() OVER (PARTITION BY code, operator_id ORDER BY kind) = 1
        ORDER BY code, operator_id
        """,
        [list(subscription_codes)],
    ).fetchall()
    touched = (
        (str(code), Affected(OperatorId(who), email, words, utc(since))) for code, who, email, words, since in rows
    )
    return [
        StandingFailure(code, tuple(affected for _, affected in group))
        for code, group in groupby(touched, key=lambda one: one[0])
    ]


def open_alerts(cursor: duckdb.DuckDBPyConnection) -> list[Alert]:
    """Alerts that are not closed, oldest first."""
    rows = cursor.execute(
        f"SELECT {_ALERT} FROM _mailroom.alerts WHERE status <> 'closed' ORDER BY opened_at, alert_id"  # noqa: S608
    ).fetchall()
    return [
        Alert(
            alert_id, code, AlertStatus(status), utc(opened), utc(grown), tuple(operators), tuple(reported), utc(quiet),
            utc(told), utc(closed),
        )
        for alert_id, code, status, opened, grown, operators, reported, quiet, told, closed in rows
    ]  # fmt: skip


def put_alerts(connection: duckdb.DuckDBPyConnection, alerts: Sequence[Alert], mails: Sequence[OutgoingMail]) -> None:
    """Insert or change alerts and queue mail.

    A mail that is there already stays as it is: whoever does not know whether it was queued may queue it again.
    """
    rows = [
        (
            *(one.alert_id, one.code, one.status.value, one.opened_at, one.grown_at),
            *(list(one.operators), list(one.reported), one.quiet_since, one.reported_at, one.closed_at),
        )
        for one in {one.alert_id: one for one in alerts}.values()
    ]
    if rows:
        with registered(connection, "given", columns(rows, ALERTS)):
            connection.execute("DELETE FROM _mailroom.alerts WHERE alert_id IN (SELECT alert_id FROM given)")
            connection.execute("INSERT INTO _mailroom.alerts SELECT * FROM given")
    if mails:
        _insert_mails(connection, mails)


def unsent(cursor: duckdb.DuckDBPyConnection, now: datetime, limit: int) -> list[OutgoingMail]:
    """Mail to be sent now, oldest first."""
    rows = cursor.execute(
        f"""
        SELECT {_MAIL} FROM _mailroom.outbox
        WHERE sent_at IS NULL AND (next_attempt_at IS NULL OR next_attempt_at <= $1)
        ORDER BY created_at, mail_id LIMIT $2
        """,  # noqa: S608
        [now, limit],
    ).fetchall()
    return [
        OutgoingMail(
            mail_id, alert_id, tuple(recipients), subject, text, html, utc(created), attempts, utc(following),
            utc(sent), error,
        )
        for mail_id, alert_id, recipients, subject, text, html, created, attempts, following, sent, error in rows
    ]  # fmt: skip


def put_mail(connection: duckdb.DuckDBPyConnection, mail: OutgoingMail) -> None:
    """Write a mail down as it stands."""
    connection.execute("DELETE FROM _mailroom.outbox WHERE mail_id = $1", [mail.mail_id])
    _insert_mails(connection, [mail])


def _insert_mails(connection: duckdb.DuckDBPyConnection, mails: Sequence[OutgoingMail]) -> None:
    rows = [
        (
            *(one.mail_id, one.alert_id, list(one.recipients), one.subject, one.text, one.html, one.created_at),
            *(one.attempts, one.next_attempt_at, one.sent_at, one.error),
        )
        for one in mails
    ]
    with registered(connection, "given", columns(rows, MAILS)):
        connection.execute(
            """
            INSERT INTO _mailroom.outbox
            SELECT * FROM given WHERE mail_id NOT IN (SELECT mail_id FROM _mailroom.outbox)
            """
        )
