import subprocess
import sys

import pytest
from lxml import etree

from engine.errors import NotificationInvalid
from engine.notices import NoticeAnswer, NoticeKind
from engine.sources.ews.notification import ParsedNotification, notification_answer, parse_notification
from tests.unit.sources.soap import shared

_OPEN = '<m:SendNotification xmlns:m="urn:m" xmlns:t="urn:t"><m:ResponseMessages>'
_CLOSE = "</m:ResponseMessages></m:SendNotification>"


def _one(content: str, response_class: str = "Success", code: str = "NoError") -> str:
    return (
        f'<m:SendNotificationResponseMessage ResponseClass="{response_class}"><m:ResponseCode>{code}</m:ResponseCode>'
        f"{content}</m:SendNotificationResponseMessage>"
    )


def _notification(*events: str, more: str = "false") -> str:
    return (
        "<m:Notification><t:SubscriptionId>sub</t:SubscriptionId><t:PreviousWatermark>w0</t:PreviousWatermark>"
        f"<t:MoreEvents>{more}</t:MoreEvents>{''.join(events)}</m:Notification>"
    )


def _parse(*messages: str) -> list[ParsedNotification]:
    return parse_notification((_OPEN + "".join(messages) + _CLOSE).encode())


@pytest.mark.parametrize(
    ("sample", "kind", "events"),
    [
        ("amazon-workmail-push-modified.0", NoticeKind.EVENTS, ("ModifiedEvent",)),
        ("amazon-workmail-push-status.0", NoticeKind.HEARTBEAT, ("StatusEvent",)),
        ("exchange-push-status-event-yandex.0", NoticeKind.HEARTBEAT, ("StatusEvent",)),
        ("exchange2010-push-status-event.0", NoticeKind.HEARTBEAT, ("StatusEvent",)),
        ("o365-push-modified-2020.0", NoticeKind.EVENTS, ("ModifiedEvent", "ModifiedEvent")),
        ("yandex-push-status-2007.0", NoticeKind.HEARTBEAT, ("StatusEvent",)),
    ],
)
def test_bodies_of_real_servers_are_read(sample: str, kind: NoticeKind, events: tuple[str, ...]) -> None:
    body = shared(f"ews-samples/wild/SendNotification.response.{sample}.xml").read_bytes()
    (found,) = parse_notification(body)
    assert (found.kind, found.events) == (kind, events)
    assert found.subscription_id
    assert found.previous_watermark
    assert found.watermark
    assert found.error_code is None


def test_every_other_sample_is_refused_and_breaks_nothing() -> None:
    for path in sorted(shared("ews-samples").glob("*.xml")):
        with pytest.raises(NotificationInvalid):
            parse_notification(path.read_bytes())


def test_the_last_watermark_counts_and_more_events_is_told() -> None:
    events = [f"<t:NewMailEvent><t:Watermark>w{n}</t:Watermark></t:NewMailEvent>" for n in (1, 2)]
    (found,) = _parse(_one(_notification(*events, more="true")))
    assert (found.previous_watermark, found.watermark, found.more_events) == ("w0", "w2", True)


def test_an_unknown_event_is_an_event() -> None:
    (found,) = _parse(_one(_notification("<t:TelepathyEvent/>")))
    assert (found.kind, found.events) == (NoticeKind.EVENTS, ("TelepathyEvent",))


def test_several_response_messages_are_all_read() -> None:
    status = "<t:StatusEvent><t:Watermark>w1</t:Watermark></t:StatusEvent>"
    found = _parse(_one(_notification(status)), _one(_notification("<t:DeletedEvent/>")))
    assert [one.kind for one in found] == [NoticeKind.HEARTBEAT, NoticeKind.EVENTS]


def test_a_refusal_is_an_error_with_exchanges_code_and_words() -> None:
    (found,) = _parse(_one("<m:MessageText>Gone.</m:MessageText>", "Error", "ErrorReadEventsFailed"))
    assert found == ParsedNotification(NoticeKind.ERROR, error_code="ErrorReadEventsFailed", error_text="Gone.")


def test_a_notification_without_events_is_a_sign_of_life() -> None:
    (found,) = _parse(_one(_notification()))
    assert found.kind is NoticeKind.HEARTBEAT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<SendNotification",
        b"<SendNotification/>",
        b"<html><body>hello</body></html>",
        b"<Envelope><Body/></Envelope>",
        (_OPEN + _one("") + _CLOSE).encode(),
        b'<!DOCTYPE x [<!ENTITY a "b">]><SendNotification/>',
        '<!DOCTYPE x [<!ENTITY a "b">]><SendNotification/>'.encode("utf-16"),
        b"\xff\xfe\x00",
        b"<SendNotification>" + b"<a>" * 300 + b"</a>" * 300 + b"</SendNotification>",
    ],
)
def test_garbage_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(NotificationInvalid) as caught:
        parse_notification(body)
    assert str(caught.value)


@pytest.mark.parametrize("answer", list(NoticeAnswer))
def test_the_answer_is_what_the_schema_says(answer: NoticeAnswer) -> None:
    schema = etree.XMLSchema(etree.parse(str(shared("ews-schema/messages.xsd"))))
    result = etree.fromstring(notification_answer(answer))[0][0]
    schema.assertValid(result)
    assert "".join(str(text) for text in result.itertext()) == answer.value


def test_reading_notifications_does_not_load_exchangelib() -> None:
    code = "import sys, engine.sources.ews.notification; sys.exit('exchangelib' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)  # noqa: S603 - our own interpreter
