"""The records of alerts and of the mail they lead to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from engine.model import OperatorId


@dataclass(frozen=True, slots=True)
class Affected:
    """An operator whom a cause touches: since when, and Exchange's words."""

    operator_id: OperatorId
    email: str
    message: str
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class StandingFailure:
    """One cause (a code of ``engine.failures``) with everybody it touches at the moment, by operator id."""

    code: str
    affected: tuple[Affected, ...]


class AlertStatus(StrEnum):
    """``gathering``: the digest waits for others of the same cause. ``reported``: told. ``closed``: over.

    ``recovered``: over and told so, and remembered for a while, because a cause that comes back at once is not reported
    at once again.
    """

    GATHERING = "gathering"
    REPORTED = "reported"
    RECOVERED = "recovered"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Alert:
    """One cause that stands, or stood.

    ``operators``: everybody it has touched since it opened. ``grown_at``: when the last of them joined.
    ``reported``: those of them who stood in a digest and have been touched ever since. ``quiet_since``: since when it
    touches nobody (None: it does). ``reported_at``: when the latest digest about this code was written.
    """

    alert_id: str
    code: str
    status: AlertStatus
    opened_at: datetime
    grown_at: datetime
    operators: tuple[OperatorId, ...] = ()
    reported: tuple[OperatorId, ...] = ()
    quiet_since: datetime | None = None
    reported_at: datetime | None = None
    closed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OutgoingMail:
    """A digest on its way. ``mail_id`` becomes its Message-ID, so that a copy sent twice is known as one.

    ``recipients``: who is still to get it. Where an attempt reached some and not others, those who have it, and those
    who are refused for good, leave.
    """

    mail_id: str
    alert_id: str
    recipients: tuple[str, ...]
    subject: str
    text: str
    html: str
    created_at: datetime
    attempts: int = 0
    next_attempt_at: datetime | None = None
    sent_at: datetime | None = None
    error: str | None = None
