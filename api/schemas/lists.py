"""Rows of the views that are listed: the columns a query over the view of the same name has."""

from typing import Annotated, Literal

from pydantic import Field

from api.schemas.shared import Moment, Shown
from engine.alerts.model import AlertStatus
from engine.model import MailboxStatus, SubscriptionStatus

Count = Annotated[int, Field(ge=0)]
Cause = Annotated[str | None, Field(description="What the code means.")]
Remedy = Annotated[str | None, Field(description="What to do about it.")]


class FailureRow(Shown):
    """One thing that does not work."""

    operator_id: str
    operator_email: str | None
    folder: str | None
    item_id: str | None
    code: Annotated[str, Field(examples=["MAILBOX_NOT_FOUND"])]
    cause: Cause
    remedy: Remedy
    message: Annotated[str | None, Field(description="Exchange's own words.")]
    since: Moment | None
    attempts: Count | None
    next_attempt_at: Moment | None
    kind: Literal["mailbox", "subscription", "item"]
    state: Literal["failing", "failed", "unreachable", "quarantined"]


class MailboxRow(Shown):
    """Where one mailbox stands."""

    operator_id: str
    operator_email: str | None
    status: MailboxStatus
    window_start: Annotated[Moment | None, Field(description="Emails received before are not taken in.")]
    last_success_at: Moment | None
    next_sync_at: Moment | None
    failing_since: Moment | None
    attempts: Annotated[Count | None, Field(description="Failed ones in a row.")]
    error_code: str | None
    error: str | None
    error_at: Moment | None
    cause: Cause
    remedy: Remedy
    folders: Count
    folders_drained: Count
    pending: Annotated[Count, Field(description="Items that are listed and not fetched yet.")]
    quarantined: Count


class SubscriptionRow(Shown):
    """One push subscription, without its callback URL."""

    operator_id: str
    operator_email: str | None
    serial: str
    status: SubscriptionStatus
    status_frequency: Annotated[int, Field(description="Minutes.")]
    subscription_id: str | None
    watermark: str | None
    created_at: Moment | None
    heard_at: Annotated[Moment | None, Field(description="When Exchange last called back.")]
    next_attempt_at: Moment | None
    error_code: str | None
    error: str | None
    unheard: Annotated[Count, Field(description="How many before it were never heard, in a row.")]
    live: Annotated[bool, Field(description="Active, and heard lately.")]


class AlertRow(Shown):
    """One cause that was told of, or will be."""

    alert_id: str
    code: str
    cause: Cause
    status: AlertStatus
    opened_at: Moment
    reported_at: Moment | None
    closed_at: Moment | None
    operators: Annotated[Count, Field(description="Whom it has touched.")]
    mails_sent: Count
    mails_waiting: Count
    last_error: str | None
