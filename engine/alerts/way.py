"""Whether mail can leave at all at the moment. Pure.

A server that is not reached, or lets nobody in, would do the same to any mail: one mail at a time finds out whether it
is back, and the others wait with it. Mail that goes through Exchange waits as long as the hosts find that Exchange
serves nobody, because every attempt with a wrong password is one more towards a locked account.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.alerts.mailer import Delivery

SELDOM = timedelta(minutes=15)
"""Held mail is tried this seldom all the same: perhaps no host has anything to ask Exchange any more."""


@dataclass(frozen=True, slots=True)
class Way:
    """``afresh``: the way may have opened, so whatever waits is tried. ``shut_until``: nothing is tried before.

    ``misses``: attempts in a row that any mail would have met. ``held``: the hosts say that Exchange, through which
    mail would go, serves nobody.
    """

    afresh: bool = True
    shut_until: datetime | None = None
    misses: int = 0
    held: bool = False

    def is_open(self, now: datetime) -> bool:
        """Whether a mail may be tried."""
        return self.shut_until is None or now >= self.shut_until


def heard(way: Way, now: datetime, *, held: bool) -> Way:
    """What the hosts say now. When Exchange serves again everything is tried at once."""
    if held == way.held:
        return way
    return replace(way, shut_until=now + SELDOM, held=True) if held else Way()


def tried(way: Way, delivery: Delivery, again_at: datetime, now: datetime) -> Way:
    """After an attempt; ``again_at``: when to look again, if any mail would have met the same."""
    if delivery.accepted:
        return replace(way, afresh=way.afresh or way.shut_until is not None, shut_until=None, misses=0)
    if not way.held and not delivery.any_mail:
        return replace(way, afresh=False)
    return replace(way, afresh=False, shut_until=now + SELDOM if way.held else again_at, misses=way.misses + 1)


def all_tried(way: Way) -> Way:
    """Everything has had its turn: from here on each mail waits for its own."""
    return replace(way, afresh=False)
