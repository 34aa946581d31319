"""Courier: takes queued mail to the mailer and writes down how it went. What was queued survives everything.

A mail is due again after 30 seconds, doubling up to 15 minutes, for five days (RFC 5321, section 4.5.4.1). Whoever has
it gets it no more, and whoever is refused for good holds up nobody else. A death between sending and writing it down
sends a mail twice, with the same Message-ID; none is lost.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog

from engine.alerts.mailer import Delivery, Mailer, all_deferred
from engine.alerts.model import OutgoingMail
from engine.alerts.words import one_line
from engine.model import Moment
from engine.ports import AlertStore, Clock
from engine.sync.retry import backoff

FIRST_RETRY = timedelta(seconds=30)
LONGEST_RETRY = timedelta(minutes=15)
GIVEN_UP_AFTER = timedelta(days=5)
_NEVER = timedelta(days=36_500)
_AT_ONCE = 5
_LONGEST_REASON = 500

_log = structlog.get_logger(__name__)


def after(mail: OutgoingMail, delivery: Delivery, moment: Moment) -> OutgoingMail:
    """The mail as it is to be stored after an attempt. Pure."""
    reasons = {**delivery.refused, **delivery.deferred}
    error = one_line("; ".join(f"{address}: {words}" for address, words in reasons.items()), _LONGEST_REASON) or None
    mail = replace(mail, attempts=mail.attempts + 1, error=error)
    if delivery.accepted and not delivery.deferred:
        return replace(mail, sent_at=moment.now, next_attempt_at=None)
    if delivery.deferred:
        mail = replace(mail, recipients=tuple(one for one in mail.recipients if one in delivery.deferred))
    if moment.now - mail.created_at >= GIVEN_UP_AFTER:
        return replace(mail, next_attempt_at=moment.now + _NEVER)
    # Somebody may correct what refuses everybody for good, and nobody waits for it
    first = FIRST_RETRY if delivery.deferred else LONGEST_RETRY
    return replace(mail, next_attempt_at=moment.now + backoff(first, LONGEST_RETRY, mail.attempts, moment.jitter))


class Courier:
    """Sends what is due. ``timeout``: seconds a mail may take."""

    def __init__(self, store: AlertStore, mailer: Mailer, clock: Clock, timeout: float = 30.0) -> None:
        self._store = store
        self._mailer = mailer
        self._clock = clock
        self._timeout = timeout
        self._failing = False

    async def send_due(self) -> None:
        """Try what is due, a few mails at most, and none after one that nobody took: the server is likely down."""
        for mail in await self._store.unsent(self._clock.now(), _AT_ONCE):
            delivery = await self._try(mail)
            tried = after(mail, delivery, self._clock.moment())
            await self._store.put_mail(tried)
            self._tell(tried, delivery)
            if not delivery.accepted:
                return

    async def close(self) -> None:
        """Let go of the mailer."""
        await self._mailer.close()

    async def _try(self, mail: OutgoingMail) -> Delivery:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._mailer.send(mail)
        except TimeoutError:
            return all_deferred(mail, f"{self._mailer!r} has not taken it within {self._timeout:g} seconds.")
        except Exception as error:  # noqa: BLE001  # a mailer never raises; should one, that is no reason to lose mail
            return all_deferred(mail, f"Unexpected {type(error).__name__} while sending.")

    def _tell(self, mail: OutgoingMail, delivery: Delivery) -> None:
        """Log edges: sending has begun to fail, goes again, somebody is refused, a mail is given up."""
        log = _log.bind(mail_id=mail.mail_id, error=mail.error)
        if mail.sent_at is not None:
            log.info("digest sent", recipients=len(delivery.accepted), attempts=mail.attempts)
        if delivery.refused and (delivery.accepted or delivery.deferred):
            log.warning("digest refused by a recipient", recipients=sorted(delivery.refused))
        if mail.sent_at is None and mail.next_attempt_at and mail.next_attempt_at - self._clock.now() > _NEVER / 2:
            log.error("digest given up", attempts=mail.attempts)
        if self._failing == (not delivery.accepted):
            return
        self._failing = not delivery.accepted
        if self._failing:
            log.warning("digests cannot be sent", mailer=repr(self._mailer), next_attempt_at=str(mail.next_attempt_at))
        else:
            _log.info("digests are sent", mailer=repr(self._mailer))
