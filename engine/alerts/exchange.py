"""ExchangeMailer: digests through Exchange, from the service account's own mailbox.

Exchange takes a mail as a whole, and tells later, by a report to that mailbox, whom it could not reach. Only an address
that it cannot read makes it refuse the lot; then each recipient gets a mail of its own.
"""

from collections.abc import Sequence
from typing import Protocol

from engine import errors
from engine.alerts.mailer import Delivery, all_deferred, all_refused
from engine.alerts.mime import as_message
from engine.alerts.model import OutgoingMail
from engine.failures import failure_for, is_permanent
from engine.sync.signs import sign_of

_BAD_RECIPIENT = "ErrorInvalidRecipients"


class Outbox(Protocol):
    """Where a message leaves Exchange by; ``engine.sources.ews.send.EwsOutbox``."""

    async def send(self, mime: bytes) -> None:
        """Send one message (MIME) to whom its To names.

        Raises:
            SourceError: it was not taken.
        """
        ...

    async def close(self) -> None:
        """Let go of connections and threads."""
        ...


class ExchangeMailer:
    """``alerts.mailer.Mailer`` over an ``Outbox``. ``domain``: the right side of Message-IDs."""

    def __init__(self, outbox: Outbox, domain: str) -> None:
        self._outbox = outbox
        self._domain = domain

    def __repr__(self) -> str:
        return "Exchange"

    async def send(self, mail: OutgoingMail) -> Delivery:
        """See ``Mailer``."""
        try:
            await self._send(mail, mail.recipients)
        except errors.SourceError as error:
            if error.code == _BAD_RECIPIENT and len(mail.recipients) > 1:
                return await self._one_by_one(mail)
            # A wrong password, tried again and again, locks the account
            slowly = isinstance(error, errors.RequestRefused) or is_permanent(failure_for(error).action)
            judged = all_refused if slowly else all_deferred
            return judged(mail, str(error), any_mail=sign_of(error) is not None)
        return Delivery(accepted=mail.recipients)

    async def close(self) -> None:
        """Let go of connections and threads."""
        await self._outbox.close()

    async def _one_by_one(self, mail: OutgoingMail) -> Delivery:
        accepted: list[str] = []
        refused: dict[str, str] = {}
        deferred: dict[str, str] = {}
        for recipient in mail.recipients:
            try:
                await self._send(mail, [recipient])
            except errors.RequestRefused as error:
                refused[recipient] = str(error)
            except errors.SourceError as error:
                deferred[recipient] = str(error)
            else:
                accepted.append(recipient)
        return Delivery(tuple(accepted), refused, deferred)

    async def _send(self, mail: OutgoingMail, recipients: Sequence[str]) -> None:
        # No From: Exchange writes the mailbox's own, and asks for no right to send as another
        await self._outbox.send(as_message(mail, "", self._domain, recipients).as_bytes())
