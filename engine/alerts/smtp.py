"""SmtpMailer: digests by SMTP, a connection each.

A reply of 5yz refuses for good, one of 4yz for now (RFC 5321, section 4.2.1); recipients are judged one by one. An
address that is not ASCII wants a server with SMTPUTF8 (RFC 6531), unless only its domain is not.
"""

import contextlib
from collections.abc import Sequence

import aiosmtplib

from engine.alerts.mailer import Delivery, all_deferred, all_refused
from engine.alerts.mime import as_message
from engine.alerts.model import OutgoingMail
from engine.settings import SmtpSettings


class SmtpMailer:
    """``alerts.mailer.Mailer`` over one SMTP server. ``timeout``: seconds for each step of the conversation."""

    def __init__(self, settings: SmtpSettings, sender: str, timeout: float = 20.0) -> None:
        self._settings = settings
        self._sender = _ascii_domain(sender)
        self._timeout = timeout

    def __repr__(self) -> str:
        return f"SmtpMailer({self._settings.host}:{self._settings.port})"

    async def send(self, mail: OutgoingMail) -> Delivery:
        """See ``Mailer``."""
        client = self._client()
        inside = False
        try:
            await client.connect()
            inside = True
            delivery = await self._hand_over(client, mail)
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                await client.quit(timeout=1)
        except aiosmtplib.SMTPResponseException as error:
            reason = f"{self!r} answers {error.code} {error.message}"
            judged = all_refused if error.code >= 500 else all_deferred
            return judged(mail, reason, any_mail=not inside)
        except aiosmtplib.SMTPNotSupported as error:
            return all_refused(mail, f"{self!r}: {error.message}", any_mail=not inside)
        except (aiosmtplib.SMTPException, OSError, ValueError) as error:
            lost = not inside or isinstance(error, OSError)
            return all_deferred(mail, f"{self!r}: {str(error) or type(error).__name__}", any_mail=lost)
        else:
            return delivery
        finally:
            client.close()

    async def close(self) -> None:
        """Nothing is kept open."""

    def _client(self) -> aiosmtplib.SMTP:
        settings = self._settings
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            username=settings.username or None,
            password=settings.password.get_secret_value() if settings.username else None,
            use_tls=settings.tls,
            start_tls=settings.starttls,
            validate_certs=settings.verify_tls,
            timeout=self._timeout,
        )

    async def _hand_over(self, client: aiosmtplib.SMTP, mail: OutgoingMail) -> Delivery:
        by_wire = {_ascii_domain(address): address for address in mail.recipients}
        possible, impossible = list(by_wire), dict[str, str]()
        if not all(wire.isascii() for wire in by_wire) and not await _takes_international(client):
            possible = [wire for wire in by_wire if wire.isascii()]
            reason = f"{self!r} takes no international addresses (SMTPUTF8)."
            impossible = {address: reason for wire, address in by_wire.items() if wire not in possible}
        if not possible:
            return Delivery(refused=impossible)
        accepted, refused, deferred = await self._transact(client, mail, possible)
        return Delivery(
            tuple(by_wire[wire] for wire in accepted),
            {**impossible, **{by_wire[wire]: words for wire, words in refused.items()}},
            {by_wire[wire]: words for wire, words in deferred.items()},
        )

    async def _transact(
        self, client: aiosmtplib.SMTP, mail: OutgoingMail, recipients: Sequence[str]
    ) -> tuple[list[str], dict[str, str], dict[str, str]]:
        """One transaction: who has it, who never will, who may get it later."""
        message = as_message(mail, self._sender, self._sender.rpartition("@")[2], recipients)
        answers: dict[str, tuple[int, str]] = {}
        try:
            answered, _ = await client.send_message(message, sender=self._sender, recipients=list(recipients))
            answers = {one: (reply.code, reply.message) for one, reply in answered.items()}
        except aiosmtplib.SMTPRecipientsRefused as error:
            answers = {one.recipient: (one.code, one.message) for one in error.recipients}
        refused = {one: f"{code} {words}" for one, (code, words) in answers.items() if code >= 500}
        deferred = {one: f"{code} {words}" for one, (code, words) in answers.items() if code < 500}
        return [one for one in recipients if one not in answers], refused, deferred


async def _takes_international(client: aiosmtplib.SMTP) -> bool:
    with contextlib.suppress(aiosmtplib.SMTPHeloError):  # a server without EHLO has no extensions
        await client.ehlo()
    return client.supports_extension("smtputf8")


def _ascii_domain(address: str) -> str:
    """The address with its domain as DNS writes it (RFC 5890), where that can be said."""
    local, _, domain = address.rpartition("@")
    if not local.isascii() or domain.isascii():
        return address
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return address
