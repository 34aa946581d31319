"""A message through Exchange: what is asked, as whom, and what its refusals are."""

import base64
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from lxml import etree

from engine import errors
from engine.alerts.exchange import ExchangeMailer
from engine.alerts.model import OutgoingMail
from engine.settings import ExchangeVersion
from engine.simulator import SimulatedExchange, SimulatorOptions
from engine.sources.ews.send import EwsOutbox
from tests.unit.sources.conftest import Responder, exchange_settings
from tests.unit.sources.soap import answer, refusal, shared, soap_fault, success

MIME = b"To: ann@example.com\r\nSubject: S\r\n\r\nText\r\n"
TAKEN = answer("CreateItem", success("CreateItem", "<m:Items/>"))
AT = datetime(2026, 11, 24, 9, tzinfo=UTC)

Open = Callable[..., EwsOutbox]


@pytest.fixture
async def open_outbox(responder: Responder) -> AsyncIterator[Open]:
    made: list[EwsOutbox] = []

    def open_outbox(mailbox: str = "svc@example.com", **changes: Any) -> EwsOutbox:
        outbox = EwsOutbox(exchange_settings(changes.pop("url", responder.url), **changes), mailbox)
        made.append(outbox)
        return outbox

    yield open_outbox
    for outbox in made:
        await outbox.close()


def mail(*recipients: str) -> OutgoingMail:
    return OutgoingMail("id-1", "alert-1", recipients, "Subject", "Text\n", "<p>HTML</p>\n", AT)


@pytest.mark.parametrize("version", list(ExchangeVersion))
async def test_the_request_is_what_the_schema_says(
    responder: Responder, open_outbox: Open, version: ExchangeVersion
) -> None:
    responder.reply(TAKEN)
    await open_outbox(version=version).send(MIME)
    (request,) = responder.requests
    header, body = request.root
    assert header.find("{*}ExchangeImpersonation") is None
    assert request.headers["X-AnchorMailbox"] == "svc@example.com"
    assert body[0].get("MessageDisposition") == "SendOnly"
    assert base64.b64decode(body[0].findtext(".//{*}MimeContent") or "") == MIME
    etree.XMLSchema(etree.parse(str(shared("ews-schema/messages.xsd")))).assertValid(body[0])


async def test_a_name_that_is_no_address_anchors_nothing(responder: Responder, open_outbox: Open) -> None:
    responder.reply(TAKEN)
    await open_outbox("EXAMPLE\\svc", username="EXAMPLE\\svc").send(MIME)
    assert "X-AnchorMailbox" not in responder.requests[0].headers


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (answer("CreateItem", refusal("CreateItem", "ErrorInvalidRecipients")), errors.RequestRefused),
        (answer("CreateItem", refusal("CreateItem", "ErrorServerBusy")), errors.Throttled),
        (soap_fault("ErrorNonExistentMailbox"), errors.MailboxNotFound),
        (answer("CreateItem"), errors.ResponseUnreadable),
        ("<html>Login</html>", errors.EndpointInvalid),
    ],
)
async def test_refusals_are_errors_of_ours(
    responder: Responder, open_outbox: Open, reply: str, kind: type[Exception]
) -> None:
    responder.reply(reply)
    with pytest.raises(kind):
        await open_outbox().send(MIME)


async def test_a_closed_outbox_sends_nothing(responder: Responder, open_outbox: Open) -> None:
    outbox = open_outbox()
    await outbox.close()
    with pytest.raises(errors.SourceUnavailable):
        await outbox.send(MIME)
    assert responder.requests == []


@pytest.mark.parametrize(
    ("status", "reply", "slowly"),
    [
        (401, "", True),
        (503, "", False),
        (200, answer("CreateItem", refusal("CreateItem", "ErrorSendAsDenied")), True),
        (200, answer("CreateItem", refusal("CreateItem", "ErrorMailboxStoreUnavailable")), False),
    ],
)
async def test_a_password_that_is_wrong_is_not_tried_fast(
    responder: Responder, open_outbox: Open, status: int, reply: str, slowly: bool
) -> None:
    responder.reply(reply, status)
    delivery = await ExchangeMailer(open_outbox(), "example.com").send(mail("ann@example.com", "bob@example.com"))
    assert delivery.accepted == ()
    assert len(delivery.refused if slowly else delivery.deferred) == 2
    assert len(responder.requests) == 1


async def test_an_application_sends_as_the_mailbox_it_is_given() -> None:
    options = SimulatorOptions(operators=1, emails=0)
    async with SimulatedExchange(options) as exchange:
        settings = exchange_settings(
            exchange.url,
            auth="oauth2",
            username="",
            client_id=options.client_id,
            tenant_id=options.tenant_id,
            client_secret=options.client_secret,
            token_url=exchange.token_url,
        )
        outbox = EwsOutbox(settings, "mailroom@example.com")
        delivery = await ExchangeMailer(outbox, "example.com").send(mail("operator0001@example.com"))
        await outbox.close()
        (arrived,) = exchange.items("operator0001@example.com", "inbox")
    assert delivery.accepted == ("operator0001@example.com",)
    assert (arrived.subject, arrived.message_id) == ("Subject", "<id-1@example.com>")
    assert (arrived.body_html or "").strip() == "<p>HTML</p>"
