"""The push subscription of a mailbox: asking for it, and what its answer leads to."""

from dataclasses import replace
from datetime import datetime, timedelta

from engine.errors import AuthenticationFailed, MailroomError
from engine.failures import failure_for, is_permanent
from engine.model import Moment, SubscriptionRecord, SubscriptionStatus
from engine.sync.actions import Subscribe, SubscribeAsked, Subscribed
from engine.sync.retry import delay_after
from engine.sync.state import MailboxState

_REFUSED = 6
"""The step of the backoff a refusal begins at: about a minute."""


def heard(state: MailboxState, at: datetime) -> MailboxState:
    """Exchange has called back for the present subscription. The store learns of it in its own way."""
    if state.subscription is None:
        return state
    return replace(state, subscription=replace(state.subscription, heard_at=at))


def _unheard(last: SubscriptionRecord | None, moment: Moment) -> int:
    """How many subscriptions in a row, up to the one that is replaced, were never heard.

    Once heard, none. One that Exchange had time enough to call back for and did not counts; one that was refused, or is
    replaced before its time, says nothing.
    """
    if last is None:
        return 0
    if last.created_at is None:
        return last.unheard
    if last.heard_at is not None and last.heard_at > last.created_at:
        return 0
    due = last.created_at + 2 * timedelta(minutes=last.status_frequency)
    return last.unheard + (last.status is SubscriptionStatus.ACTIVE and moment.now >= due)


def ask(state: MailboxState, wish: SubscribeAsked, moment: Moment) -> MailboxState:
    """Subscribe to the mailbox's folders. The new serial counts at once: Exchange may call before it answers."""
    record = SubscriptionRecord(
        wish.serial,
        SubscriptionStatus.LOST,
        wish.callback_url,
        wish.status_frequency,
        unheard=_unheard(state.subscription, moment),
    )
    everywhere = tuple(folder.folder for folder in state.folders)
    return replace(state, subscription=record, doing=Subscribe(everywhere, wish.callback_url, wish.status_frequency))


def on_subscribed(state: MailboxState, event: Subscribed, moment: Moment) -> MailboxState:
    """The subscription lives. What changed before it did is closed by a drain of every folder.

    Exchange may have called back before it answered: then it was made by then, and heard since.
    """
    if state.subscription is None:
        raise ValueError("an answer to a subscription nobody asked for")
    record = replace(
        state.subscription,
        status=SubscriptionStatus.ACTIVE,
        subscription_id=event.subscription_id,
        watermark=event.watermark,
        created_at=min(state.subscription.heard_at or moment.now, moment.now),
        heard_at=moment.now,
    )
    return replace(
        state,
        doing=None,
        subscribe=None,
        subscription=record,
        dirty_subscription=True,
        folders=tuple(replace(folder, due=True) for folder in state.folders),
    )


def on_refused(state: MailboxState, error: MailroomError, moment: Moment) -> MailboxState:
    """No subscription for now: the record says why and when to try again.

    Nobody will say when mail comes, so each refusal is followed by a drain: a pass that only asked in vain must not
    count as a successful sync and put the next one off.
    """
    if state.subscription is None:
        raise ValueError("a refusal of a subscription nobody asked for")
    attempts = max(state.record.attempts, _REFUSED)
    random = isinstance(error, AuthenticationFailed) and not error.standing  # the drain that follows will show
    seldom = is_permanent(failure_for(error).action) and not random
    record = replace(
        state.subscription,
        status=SubscriptionStatus.FAILED,
        error_code=failure_for(error).code,
        error=str(error),
        next_attempt_at=moment.now + delay_after(error, attempts, state.policy, moment.jitter, seldom=seldom),
    )
    return replace(
        state,
        doing=None,
        subscribe=None,
        subscription=record,
        dirty_subscription=True,
        folders=tuple(replace(folder, due=True) for folder in state.folders),
    )


def postpone(state: MailboxState, moment: Moment) -> MailboxState:
    """The pass ends before it came to subscribing: the next attempt waits for the mailbox's own."""
    if state.subscribe is None:
        return state
    record = SubscriptionRecord(
        state.subscribe.serial,
        SubscriptionStatus.FAILED,
        state.subscribe.callback_url,
        state.subscribe.status_frequency,
        next_attempt_at=state.record.next_sync_at,
        error_code=state.record.error_code,
        error=state.record.error,
        unheard=_unheard(state.subscription, moment),
    )
    return replace(state, subscribe=None, subscription=record, dirty_subscription=True)
