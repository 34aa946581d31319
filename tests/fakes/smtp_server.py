"""A real SMTP server on loopback, on the test's own event loop, that keeps what it is sent and refuses on demand."""

import asyncio
import contextlib
import email
import email.policy
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Received:
    """One transaction: who got the message, and what it said."""

    recipients: list[str]
    content: bytes
    over_tls: bool
    login: str = ""

    @property
    def message(self) -> EmailMessage:
        made = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(made, EmailMessage)
        return made


@dataclass
class SmtpServer:
    """``answers``: a recipient, or ``MAIL`` or ``DATA``, and the reply it meets, until it is taken out.

    ``tls`` is asked for by STARTTLS, or with ``implicit`` from the first byte; ``password`` empty: nobody signs in.
    """

    received: list[Received] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    sessions: int = 0
    port: int = 0
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    password: str = ""
    utf8: bool = True
    size_limit: int = 1 << 25
    _server: asyncio.Server | None = None

    def protocol(self) -> SMTP:
        self.sessions += 1
        return SMTP(
            self,
            enable_SMTPUTF8=self.utf8,
            hostname="localhost",
            tls_context=None if self.implicit else self.tls,
            require_starttls=self.tls is not None and not self.implicit,
            auth_required=bool(self.password),
            authenticator=self._authenticate,
            data_size_limit=self.size_limit,
            timeout=10,
        )

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        context = self.tls if self.implicit else None
        self._server = await loop.create_server(self.protocol, "127.0.0.1", self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def handle_MAIL(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802  # the same
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # the same
        if "DATA" in self.answers:
            return self.answers["DATA"]
        content = envelope.content
        assert isinstance(content, bytes)
        login = session.auth_data.login.decode() if isinstance(session.auth_data, LoginPassword) else ""
        self.received.append(Received(list(envelope.rcpt_tos), content, session.ssl is not None, login))
        return "250 OK"

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        success = isinstance(data, LoginPassword) and data.password.decode() == self.password
        return AuthResult(success=success, handled=False, auth_data=data)


@contextlib.asynccontextmanager
async def smtp_server(server: SmtpServer | None = None) -> AsyncIterator[SmtpServer]:
    """Started, and stopped at the end."""
    made = server or SmtpServer()
    await made.start()
    try:
        yield made
    finally:
        await made.stop()
