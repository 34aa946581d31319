"""Push notifications once they are authenticated: hints when to sync which mailbox, and what Exchange is answered."""

from dataclasses import dataclass
from enum import StrEnum

from engine.model import OperatorId


class NoticeKind(StrEnum):
    """What a notification says: something changed, the subscription lives, or the subscription is in trouble."""

    EVENTS = "events"
    HEARTBEAT = "heartbeat"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Notice:
    """One authenticated SendNotification, boiled down: a hint when to sync which mailbox.

    ``serial`` comes from the signed token of the callback URL; ``error_code`` is Exchange's when kind is ERROR.
    """

    operator_id: OperatorId
    serial: str
    kind: NoticeKind
    subscription_id: str = ""
    previous_watermark: str | None = None
    watermark: str | None = None
    error_code: str | None = None


class NoticeAnswer(StrEnum):
    """SubscriptionStatus of a SendNotificationResult: the only two words Exchange understands."""

    OK = "OK"
    UNSUBSCRIBE = "Unsubscribe"
