"""Courier: takes queued mail to the mailer and writes down how it went. What was queued survives everything.

A mail is due again after 30 seconds, doubling up to 15 minutes, for five days (RFC 5321, section 4.5.4.1); a server
that is not reached is looked for more often, by one mail for all. Whoever has a mail gets it no more, whoever is
refused for good holds up nobody else, and nobody gets a later mail of an alert before an earlier one. A death between
sending and writing it down sends a mail twice, with the same Message-ID; none is lost.
"""

import asyncio
from collections.abc import Collection
from dataclasses import replace
from datetime import timedelta

import structlog

from engine.alerts import way as ways
from engine.alerts.mailer import Delivery, Mailer, all_deferred
from engine.alerts.model import OutgoingMail
from engine.alerts.queue import NEVER, Turn, is_given_up, turns, waiting
from engine.alerts.way import Way
from engine.alerts.words import one_line
from engine.model import Moment
from engine.ports import AlertStore, Clock
from engine.sync.retry import backoff

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)
LONGEST_PROBE = timedelta(seconds=90)
"""Between two looks whether a server that was not reached is back: under two minutes, however they are spread."""
GIVEN_UP_AFTER = timedelta(days=5)
_AT_ONCE = 5
_LONGEST_REASON = 500
_AHEAD = "An earlier mail goes first."

_log = structlog.get_logger(__name__)


def after(mail: OutgoingMail, delivery: Delivery, moment: Moment, pause: timedelta) -> OutgoingMail:
    """The mail as it is to be stored after an attempt; ``pause``: until the next. Pure."""
    reasons = {**delivery.refused, **delivery.deferred}
    error = one_line("; ".join(f"{address}: {words}" for address, words in reasons.items()), _LONGEST_REASON) or None
    mail = replace(mail, attempts=mail.attempts + 1, error=error)
    if delivery.accepted and not delivery.deferred:
        return replace(mail, sent_at=moment.now, next_attempt_at=None)
    if delivery.deferred:
        mail = replace(mail, recipients=tuple(one for one in mail.recipients if one in delivery.deferred))
    if moment.now - mail.created_at >= GIVEN_UP_AFTER:
        return replace(mail, next_attempt_at=moment.now + NEVER)
    return replace(mail, next_attempt_at=moment.now + pause)


def pause_after(delivery: Delivery, attempts: int, jitter: float) -> timedelta:
    """How long to wait after the ``attempts``-th attempt in a row. Pure."""
    if delivery.deferred:
        return backoff(FIRST_RETRY, LONGEST_PROBE if delivery.any_mail else LONGEST_RETRY, attempts, jitter)
    # Servers refuse a login at random now and then; what else refuses everybody for good, somebody may correct
    return backoff(FIRST_RETRY if attempts == 1 else LONGEST_RETRY, LONGEST_RETRY, attempts, jitter)


class Courier:
    """Sends what is due. ``timeout``: seconds a mail may take. ``through_exchange``: that is where the mailer sends by.

    A new one tries whatever waits, for it may have come with the settings that were wanting.
    """

    def __init__(
        self, store: AlertStore, mailer: Mailer, clock: Clock, timeout: float = 30.0, *, through_exchange: bool = False
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._clock = clock
        self._timeout = timeout
        self._through_exchange = through_exchange
        self._way = Way()
        self._failing = False

    async def send_due(self, *, exchange_serves: bool = True, fading: Collection[str] = ()) -> None:
        """Try what is due, a few mails at most, and none after one that nobody took: the server is likely down.

        Args:
            exchange_serves: Whether Exchange serves anybody, as far as the hosts know.
            fading: Alerts whose cause touches nobody at the moment; see ``queue.turns``.
        """
        now = self._clock.now()
        self._way = ways.heard(self._way, now, held=self._through_exchange and not exchange_serves)
        if not self._way.is_open(now):
            return
        misses = self._way.misses
        due = turns(await waiting(self._store, now), now, afresh=self._way.afresh or misses > 0, fading=fading)
        if due and misses:  # each time another: it may be this very mail that something on the way cannot bear
            due = [due[(misses - 1) % len(due)]]
        for turn in due[:_AT_ONCE]:
            if not await self._take(turn):
                return
        if len(due) <= _AT_ONCE and not misses:
            self._way = ways.all_tried(self._way)

    async def close(self) -> None:
        """Let go of the mailer."""
        await self._mailer.close()

    async def _take(self, turn: Turn) -> bool:
        """Try one mail; whether anybody took it."""
        delivery = await self._try(replace(turn.mail, recipients=turn.recipients))
        left = delivery
        if delivery.accepted or delivery.deferred:  # else it is refused as a whole, and everybody stays
            left = replace(delivery, deferred={**delivery.deferred, **dict.fromkeys(turn.held, _AHEAD)})
        moment = self._clock.moment()
        attempts = self._way.misses if delivery.any_mail else turn.mail.attempts
        pause = pause_after(left, attempts + 1, moment.jitter)
        self._way = ways.tried(self._way, delivery, moment.now + pause, moment.now)
        tried = after(turn.mail, left, moment, pause)
        await self._store.put_mail(tried)
        self._tell(tried, delivery)
        return bool(delivery.accepted)

    async def _try(self, mail: OutgoingMail) -> Delivery:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._mailer.send(mail)
        except TimeoutError:
            reason = f"{self._mailer!r} has not taken it within {self._timeout:g} seconds."
            return all_deferred(mail, reason, any_mail=True)
        except Exception as error:  # noqa: BLE001  # a mailer never raises; should one, that is no reason to lose mail
            return all_deferred(mail, f"Unexpected {type(error).__name__} while sending.")

    def _tell(self, mail: OutgoingMail, delivery: Delivery) -> None:
        """Log edges: sending has begun to fail, goes again, somebody is refused, a mail is given up."""
        log = _log.bind(mail_id=mail.mail_id, error=mail.error)
        if mail.sent_at is not None:
            log.info("digest sent", recipients=len(delivery.accepted), attempts=mail.attempts)
        if delivery.refused and (delivery.accepted or delivery.deferred):
            log.warning("digest refused by a recipient", recipients=sorted(delivery.refused))
        if is_given_up(mail, self._clock.now()):
            log.error("digest given up", attempts=mail.attempts)
        if self._failing == (not delivery.accepted):
            return
        self._failing = not delivery.accepted
        if self._failing:
            log.warning("digests cannot be sent", mailer=repr(self._mailer), next_attempt_at=str(mail.next_attempt_at))
        else:
            _log.info("digests are sent", mailer=repr(self._mailer))
