"""The subscriptions of a server: who wants to hear of what, and what each still waits to hear."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from engine.simulator import ids
from engine.simulator.errors import ResponseError
from engine.simulator.events import Event
from engine.simulator.mailbox import Mailbox
from engine.simulator.xml import boolean

_HOST = "mailroom.example.com"
_LONGEST_URL = 2082
MINUTE = 60.0


class Wish(NamedTuple):
    """What a client subscribes to; ``folders`` is None for all, ``since`` an event number to start from."""

    mailbox: Mailbox
    folders: frozenset[int] | None
    events: frozenset[str]
    since: int | None
    owner: str


@dataclass(slots=True, eq=False)
class Subscription:
    """One subscription.

    Attributes:
        last_event: Number of the last event its listener acknowledged: the PreviousWatermark of the next notification.
        waiting: Events it has not acknowledged.
        retry_after: Simulated seconds until the next attempt, while the listener does not answer.
        ended: Why it is over; empty while it lives.
    """

    subscription_id: str
    kind: Literal["push", "pull"]
    mailbox: Mailbox
    folders: frozenset[int] | None
    events: frozenset[str]
    owner: str
    frequency: int
    last_event: int
    url: str = ""
    caller_data: str = ""
    waiting: list[Event] = field(default_factory=list)
    busy: bool = False
    fresh: bool = True
    retry_after: float = 0.0
    timer: asyncio.TimerHandle | None = None
    notifications: int = 0
    failures: int = 0
    ended: str = ""

    def wants(self, event: Event) -> bool:
        """Whether the event is of a kind and in a folder it subscribed to."""
        return event.kind in self.events and (self.folders is None or not self.folders.isdisjoint(event.folders))


class Subscriptions:
    """Every subscription alive, by id.

    Args:
        quota: Subscriptions a mailbox may have.
        scale: Real seconds per simulated second.
        wake: Called when a push subscription has something to send.
    """

    def __init__(self, quota: int, scale: float, wake: Callable[[Subscription], None]) -> None:
        self._quota = quota
        self._scale = scale
        self._wake = wake
        self._numbers = count(1)
        self._alive: dict[str, Subscription] = {}
        self._by_mailbox: dict[bytes, list[Subscription]] = {}
        self.ended: list[Subscription] = []

    def alive(self) -> list[Subscription]:
        """Every subscription alive, oldest first."""
        return list(self._alive.values())

    def __contains__(self, subscription: Subscription) -> bool:
        return subscription.subscription_id in self._alive

    def __len__(self) -> int:
        return len(self._alive)

    def of(self, mailbox: Mailbox) -> list[Subscription]:
        """The subscriptions of a mailbox."""
        return list(self._by_mailbox.get(mailbox.guid, ()))

    def push(self, wish: Wish, url: str, frequency: int, caller_data: str) -> Subscription:
        """A new push subscription; its first StatusEvent goes out at once."""
        subscription = self._add(wish, "push", frequency)
        subscription.url = url
        subscription.caller_data = caller_data
        self._wake(subscription)
        return subscription

    def pull(self, wish: Wish, timeout: int) -> Subscription:
        """A new pull subscription, gone when nobody asks for ``timeout`` minutes."""
        subscription = self._add(wish, "pull", timeout)
        self.touch(subscription)
        return subscription

    def touch(self, subscription: Subscription) -> None:
        """A pull subscription was used: its timeout starts anew."""
        if subscription.timer:
            subscription.timer.cancel()
        delay = subscription.frequency * MINUTE * self._scale
        loop = asyncio.get_running_loop()
        subscription.timer = loop.call_later(delay, self.end, subscription, "timed out")

    def pulled(self, subscription_id: str, owner: str) -> Subscription:
        """The pull subscription with this id, for its owner."""
        subscription = self._alive.get(subscription_id)
        if subscription is None:
            raise ResponseError("ErrorSubscriptionNotFound")
        if subscription.kind == "push":
            raise ResponseError("ErrorInvalidPullSubscriptionId")
        if subscription.owner != owner:
            raise ResponseError("ErrorSubscriptionAccessDenied")
        return subscription

    def end(self, subscription: Subscription, reason: str) -> None:
        """A subscription is over; nobody is told."""
        if subscription.ended:
            return
        subscription.ended = reason
        if subscription.timer:
            subscription.timer.cancel()
        del self._alive[subscription.subscription_id]
        siblings = self._by_mailbox[subscription.mailbox.guid]
        siblings.remove(subscription)
        if not siblings:
            del self._by_mailbox[subscription.mailbox.guid]
            subscription.mailbox.listeners.remove(self._hear)
        self.ended.append(subscription)

    def _add(self, wish: Wish, kind: Literal["push", "pull"], frequency: int) -> Subscription:
        mailbox = wish.mailbox
        siblings = self._by_mailbox.get(mailbox.guid, [])
        if len(siblings) >= self._quota:
            raise ResponseError("ErrorExceededSubscriptionCount")
        subscription = Subscription(
            ids.subscription_id(_HOST, mailbox.guid, next(self._numbers)),
            kind,
            mailbox,
            wish.folders,
            wish.events,
            wish.owner,
            frequency,
            mailbox.event_number if wish.since is None else wish.since,
        )
        if wish.since is not None:
            subscription.waiting = [e for e in mailbox.history if e.number > wish.since and subscription.wants(e)]
        if not siblings:
            mailbox.listeners.append(self._hear)
        self._by_mailbox[mailbox.guid] = [*siblings, subscription]
        self._alive[subscription.subscription_id] = subscription
        return subscription

    def _hear(self, mailbox: Mailbox, event: Event) -> None:
        for subscription in self._by_mailbox.get(mailbox.guid, ()):
            if subscription.wants(event):
                subscription.waiting.append(event)
                if subscription.kind == "push":
                    self._wake(subscription)


def check_url(url: str) -> None:
    """Refuse what Exchange refuses as the URL of a listener."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or len(url) > _LONGEST_URL or any(c.isspace() for c in url):
        raise ResponseError("ErrorInvalidPushSubscriptionUrl")


def notification_xml(
    subscription: Subscription, events: list[Event], previous: int, reached: int, *, more: bool
) -> bytes:
    """The Notification element: the events, or a StatusEvent up to ``reached`` when there are none."""
    guid = subscription.mailbox.guid
    if events:
        inner = "".join(event.xml(ids.watermark(guid, event.number)) for event in events)
    else:
        mark = ids.watermark(guid, reached)
        inner = f"<t:StatusEvent><t:Watermark>{mark}</t:Watermark></t:StatusEvent>"
    return (
        f"<m:Notification><t:SubscriptionId>{subscription.subscription_id}</t:SubscriptionId>"
        f"<t:PreviousWatermark>{ids.watermark(guid, previous)}</t:PreviousWatermark>"
        f"<t:MoreEvents>{boolean(more)}</t:MoreEvents>{inner}</m:Notification>"
    ).encode()
