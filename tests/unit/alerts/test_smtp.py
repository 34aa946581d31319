import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from engine.alerts.courier import Courier
from engine.alerts.model import OutgoingMail
from engine.alerts.smtp import SmtpMailer
from engine.settings import SmtpSettings
from tests.fakes.certificate import Certificate
from tests.fakes.clock import FakeClock
from tests.fakes.smtp_server import SmtpServer, smtp_server
from tests.fakes.store import MemoryStore

ANN, BOB = "ann@example.com", "bob@example.com"
FROM = "mailroom@example.com"
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
PASSWORD = "p4ss-word"


def mailer(server: SmtpServer, sender: str = FROM, timeout: float = 5.0, **settings: Any) -> SmtpMailer:
    values = {"host": "127.0.0.1", "port": server.port, **settings}
    return SmtpMailer(SmtpSettings.model_validate(values), sender, timeout)


def signing_in(**settings: Any) -> dict[str, Any]:
    return {"username": "mailroom", "password": SecretStr(PASSWORD), **settings}


def mail(*recipients: str, text: str = "Text\n", html: str = "<p>HTML</p>\n") -> OutgoingMail:
    return OutgoingMail("id-1", "alert-1", recipients or (ANN,), "Subject", text, html, AT)


async def test_what_arrives_is_what_was_sent(server: SmtpServer) -> None:
    sent = mail(ANN, BOB, text="Grüße, 你好\n" + "x" * 3000, html="<p>Grüße</p>")
    assert (await mailer(server).send(sent)).accepted == (ANN, BOB)
    (got,) = server.received
    message = got.message
    assert got.recipients == [ANN, BOB]
    assert (message["From"], message["To"], message["Subject"]) == (FROM, f"{ANN}, {BOB}", "Subject")
    assert message["Message-ID"] == "<id-1@example.com>"
    assert message["Date"].datetime == AT
    assert (message["Auto-Submitted"], message["X-Auto-Response-Suppress"]) == ("auto-generated", "All")
    text, html = message.iter_parts()
    assert text.get_content().splitlines() == sent.text.splitlines()
    assert (html.get_content_type(), html.get_content().strip()) == ("text/html", "<p>Grüße</p>")
    assert got.content.isascii()
    assert max(len(line) for line in got.content.splitlines()) < 998


async def test_over_tls_and_signed_in(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.path))
    async with smtp_server(SmtpServer(tls=certificate.context, password=PASSWORD)) as server:
        delivery = await mailer(server, starttls=True, **signing_in()).send(mail())
        assert delivery.accepted == (ANN,)
        assert [(one.over_tls, one.login) for one in server.received] == [(True, "mailroom")]


async def test_an_unknown_certificate_is_not_trusted_unless_told_to(certificate: Certificate) -> None:
    async with smtp_server(SmtpServer(tls=certificate.context)) as server:
        delivery = await mailer(server, starttls=True).send(mail())
        assert "certificate verify failed" in delivery.deferred[ANN].lower()
        assert (await mailer(server, starttls=True, verify_tls=False).send(mail())).accepted == (ANN,)


async def test_a_server_without_starttls_gets_no_mail_in_the_clear(server: SmtpServer) -> None:
    delivery = await mailer(server, starttls=True).send(mail())
    assert (delivery.accepted, server.received) == ((), [])
    assert "STARTTLS" in delivery.deferred[ANN]
    assert delivery.any_mail


async def test_a_server_that_insists_on_tls_refuses_mail_in_the_clear(certificate: Certificate) -> None:
    async with smtp_server(SmtpServer(tls=certificate.context)) as server:
        assert "530" in (await mailer(server).send(mail())).refused[ANN]


async def test_a_wrong_password_is_told_and_never_shown(certificate: Certificate) -> None:
    async with smtp_server(SmtpServer(tls=certificate.context, password="another")) as server:
        wrong = mailer(server, starttls=True, verify_tls=False, **signing_in())
        delivery = await wrong.send(mail())
        assert "535" in delivery.refused[ANN]
        assert delivery.any_mail
        assert PASSWORD not in f"{delivery}{wrong!r}"


async def test_tls_from_the_first_byte(certificate: Certificate) -> None:
    async with smtp_server(SmtpServer(tls=certificate.context, implicit=True)) as server:
        assert (await mailer(server, tls=True, verify_tls=False).send(mail())).accepted == (ANN,)
        assert list((await mailer(server, tls=True).send(mail())).deferred) == [ANN]


@pytest.mark.parametrize(
    ("where", "reply", "kind"),
    [
        ("MAIL", "550 We do not know you.", "refused"),
        ("MAIL", "451 Later.", "deferred"),
        ("DATA", "554 Looks like spam.", "refused"),
        ("DATA", "452 Disk full.", "deferred"),
        (ANN, "550 No such user.", "refused"),
        (ANN, "450 Greylisted.", "deferred"),
    ],
)
async def test_replies_refuse_or_defer(server: SmtpServer, where: str, reply: str, kind: str) -> None:
    server.answers[where] = reply
    delivery = await mailer(server).send(mail())
    told = getattr(delivery, kind)
    assert (list(told), delivery.accepted) == ([ANN], ())
    assert reply[4:].strip(".") in told[ANN]
    assert not delivery.any_mail
    assert len({**delivery.refused, **delivery.deferred}) == 1
    server.answers.clear()
    assert (await mailer(server).send(mail())).accepted == (ANN,)


async def test_recipients_are_judged_one_by_one(server: SmtpServer) -> None:
    server.answers.update({BOB: "550 Gone.", "cyd@example.com": "450 Later."})
    delivery = await mailer(server).send(mail(BOB, ANN, "cyd@example.com"))
    assert (delivery.accepted, list(delivery.refused), list(delivery.deferred)) == ((ANN,), [BOB], ["cyd@example.com"])


async def test_too_large_is_refused(certificate: Certificate) -> None:
    async with smtp_server(SmtpServer(size_limit=500)) as server:
        assert "552" in (await mailer(server).send(mail(text="x " * 2000))).refused[ANN]


async def test_international_addresses_go_where_they_are_taken(server: SmtpServer) -> None:
    recipients = ("änn@example.com", "bob@bücher.example", ANN)
    assert (await mailer(server).send(mail(*recipients))).accepted == recipients
    assert server.received[0].recipients == ["änn@example.com", "bob@xn--bcher-kva.example", ANN]


async def test_an_international_address_holds_up_nobody() -> None:
    async with smtp_server(SmtpServer(utf8=False)) as server:
        delivery = await mailer(server).send(mail("änn@example.com", ANN, "bob@bücher.example"))
        assert (set(delivery.accepted), list(delivery.refused)) == ({ANN, "bob@bücher.example"}, ["änn@example.com"])
        assert list((await mailer(server).send(mail("änn@example.com"))).refused) == ["änn@example.com"]


async def test_nobody_listens(server: SmtpServer) -> None:
    await server.stop()
    assert list((await mailer(server).send(mail())).deferred) == [ANN]


@pytest.mark.parametrize("greeting", [b"", b"220 ready\r\n", b"HTTP/1.1 400 Bad Request\r\n\r\n"])
async def test_a_server_that_does_not_answer_is_given_up(greeting: bytes) -> None:
    closing = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await closing.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    delivery = await mailer(SmtpServer(port=port), timeout=0.2).send(mail())
    closing.set()
    server.close()
    assert (delivery.accepted, [*delivery.deferred, *delivery.refused]) == ((), [ANN])
    assert delivery.any_mail


async def test_a_courier_stops_waiting_for_a_server_that_hangs() -> None:
    closing = asyncio.Event()

    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await closing.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    store, clock = MemoryStore(), FakeClock()
    await store.put_alerts([], [mail()])
    hanging = mailer(SmtpServer(port=server.sockets[0].getsockname()[1]), timeout=60)
    await Courier(store, hanging, clock, timeout=0.1).send_due()
    closing.set()
    server.close()
    (kept,) = store.mails.values()
    assert (kept.attempts, kept.sent_at) == (1, None)
    assert "0.1 seconds" in (kept.error or "")
