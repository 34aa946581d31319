"""The port digests leave by, and what comes back. How it went is an answer, never an exception."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from engine.alerts.model import OutgoingMail


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an attempt went, for each recipient.

    ``accepted``: handed over. ``refused``: not as it stands, ever, with the server's words. ``deferred``: not this
    time, with the reason. ``any_mail``: any other mail would have met the same, because the server is not reached, or
    lets nobody in.
    """

    accepted: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    deferred: Mapping[str, str] = field(default_factory=dict)
    any_mail: bool = False


class Mailer(Protocol):
    """What carries digests away. Each recipient of a mail is answered for."""

    async def send(self, mail: OutgoingMail) -> Delivery:
        """Try once to hand a mail over; never raises, and never retries."""
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


def all_refused(mail: OutgoingMail, reason: str, *, any_mail: bool = False) -> Delivery:
    """Nobody gets it as it stands."""
    return Delivery(refused=dict.fromkeys(mail.recipients, reason), any_mail=any_mail)


def all_deferred(mail: OutgoingMail, reason: str, *, any_mail: bool = False) -> Delivery:
    """Nobody gets it this time."""
    return Delivery(deferred=dict.fromkeys(mail.recipients, reason), any_mail=any_mail)
