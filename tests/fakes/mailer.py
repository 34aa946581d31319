"""FakeMailer: ``alerts.mailer.Mailer`` in memory, with answers that can be scripted."""

import asyncio

from engine.alerts.mailer import Delivery, all_deferred, all_refused
from engine.alerts.model import OutgoingMail


class FakeMailer:
    """``inbox``: who got which mail, in order. ``refused``, ``deferred``: who does not, and why.

    ``down``: nobody answers. ``locked``: nobody is let in. ``poison``: which mail (by id) ends the connection.
    """

    def __init__(self) -> None:
        self.inbox: list[tuple[str, OutgoingMail]] = []
        self.attempts: list[str] = []
        self.refused: dict[str, str] = {}
        self.deferred: dict[str, str] = {}
        self.down = False
        self.locked = False
        self.poison = ""
        self.hanging = False
        self.broken: Exception | None = None
        self.closed = False

    def __repr__(self) -> str:
        return "FakeMailer"

    async def send(self, mail: OutgoingMail) -> Delivery:
        self.attempts.append(mail.mail_id)
        if self.broken is not None:
            raise self.broken
        if self.hanging:
            await asyncio.Event().wait()
        if self.down or mail.mail_id == self.poison:
            return all_deferred(mail, "Down.", any_mail=True)
        if self.locked:
            return all_refused(mail, "401", any_mail=True)
        refused = {one: self.refused[one] for one in mail.recipients if one in self.refused}
        deferred = {one: self.deferred[one] for one in mail.recipients if one in self.deferred}
        accepted = tuple(one for one in mail.recipients if one not in refused and one not in deferred)
        self.inbox += [(one, mail) for one in accepted]
        return Delivery(accepted, refused, deferred)

    async def close(self) -> None:
        self.closed = True
