"""The push subscription of a mailbox: asking for it, and what its answer leads to."""

from dataclasses import replace

from engine.errors import MailroomError
from engine.failures import failure_for
from engine.model import Moment, SubscriptionRecord, SubscriptionStatus
from engine.sync.actions import Subscribe, SubscribeAsked, Subscribed
from engine.sync.retry import delay_after
from engine.sync.state import MailboxState

_REFUSED = 6
"""The step of the backoff a refusal begins at: about a minute."""


def ask(state: MailboxState, wish: SubscribeAsked) -> MailboxState:
    """Subscribe to the mailbox's folders. The new serial counts at once: Exchange may call before it answers."""
    record = SubscriptionRecord(wish.serial, SubscriptionStatus.LOST, wish.callback_url, wish.status_frequency)
    everywhere = tuple(folder.folder for folder in state.folders)
    return replace(state, subscription=record, doing=Subscribe(everywhere, wish.callback_url, wish.status_frequency))


def on_subscribed(state: MailboxState, event: Subscribed, moment: Moment) -> MailboxState:
    """The subscription lives. What changed before it did is closed by a drain of every folder."""
    if state.subscription is None:
        raise ValueError("an answer to a subscription nobody asked for")
    record = replace(
        state.subscription,
        status=SubscriptionStatus.ACTIVE,
        subscription_id=event.subscription_id,
        watermark=event.watermark,
        created_at=moment.now,
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
    record = replace(
        state.subscription,
        status=SubscriptionStatus.FAILED,
        error_code=failure_for(error).code,
        error=str(error),
        next_attempt_at=moment.now + delay_after(error, attempts, state.policy, moment.jitter),
    )
    return replace(
        state,
        doing=None,
        subscribe=None,
        subscription=record,
        dirty_subscription=True,
        folders=tuple(replace(folder, due=True) for folder in state.folders),
    )


def postpone(state: MailboxState) -> MailboxState:
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
    )
    return replace(state, subscribe=None, subscription=record, dirty_subscription=True)
