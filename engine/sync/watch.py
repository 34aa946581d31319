"""What a host does about the subscriptions of its mailboxes: which to replace, when, and what they call. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.model import Moment, OperatorId, SubscriptionRecord, SubscriptionStatus
from engine.sync.actions import SubscribeAsked
from engine.sync.signs import EVERYBODYS

_YOUNG = timedelta(seconds=60)
"""A subscription given up sooner is not replaced at once: with each notice they post, whoever knows a callback URL
could make us subscribe anew, until the mailbox's quota is used up."""


@dataclass(frozen=True, slots=True)
class Callbacks:
    """How this installation is called back: the URL for a serial, and the StatusFrequency in minutes.

    ``debounce``: seconds a resting mailbox waits after a notice, since one user action makes several. ``renew``:
    ManagePushSubscriptions is enabled, so a subscription is replaced when it was made with another URL or frequency
    (the settings have changed since), or before ``since`` (nobody listened for a while, and Exchange drops who does not
    answer).
    """

    url: Callable[[OperatorId, str], str]
    status_frequency: int
    debounce: float
    renew: bool = True
    since: datetime | None = None

    def wish(self, operator_id: OperatorId, serial: str) -> SubscribeAsked:
        """A subscription that calls here."""
        return SubscribeAsked(serial, self.url(operator_id, serial), self.status_frequency)

    def wants_another(self, operator_id: OperatorId, made: SubscriptionRecord | None) -> bool:
        """Whether a mailbox that is synchronised now is to subscribe along the way, whatever its attempts wait for.

        An outdated subscription is replaced, and one that failed of what ails everybody is tried again with the sync:
        when Exchange serves us again, mailboxes are made due, and shall not be without push for as long as they would
        have waited.
        """
        if not self.renew or made is None:
            return False
        if made.status is not SubscriptionStatus.ACTIVE:
            return made.status is SubscriptionStatus.FAILED and made.error_code in EVERYBODYS
        if self.since is not None and made.created_at is not None and made.created_at < self.since:
            return True
        url = self.url(operator_id, made.serial)
        return (made.callback_url, made.status_frequency) != (url, self.status_frequency)


def is_young(made: SubscriptionRecord, now: datetime) -> bool:
    """Whether it was made a moment ago, or is being made."""
    return made.created_at is None or now - made.created_at < _YOUNG


def lost(made: SubscriptionRecord, moment: Moment) -> SubscriptionRecord:
    """Exchange has given this one up; another is wanted when it would no longer be young, or now."""
    age = timedelta(seconds=_YOUNG.total_seconds() * (1 + moment.jitter / 2))
    at = max(moment.now, (made.created_at or moment.now) + age) if is_young(made, moment.now) else moment.now
    return replace(made, status=SubscriptionStatus.LOST, next_attempt_at=at)


def is_lost(made: SubscriptionRecord) -> bool:
    """Whether it was given up (and is not one that is just being made)."""
    return made.status is SubscriptionStatus.LOST and made.next_attempt_at is not None
