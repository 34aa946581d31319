"""SendNotification, as Exchange posts it to the listener, and the answer it wants.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/sendnotification
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/sendnotificationresult

Anybody may post to the listener, so the parser takes no DTD, no entities and no huge nodes; the caller limits the
size. Servers differ in all else (see ``ews-samples/wild``): with and without a SOAP envelope, any prefix, several
response messages, events about folders, kinds of events nobody has heard of. So names count, not namespaces.

This module does not import exchangelib, so that the gateway stays light.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from engine.errors import NotificationInvalid, ResponseUnreadable
from engine.notices import NoticeAnswer, NoticeKind
from engine.sources.ews.parsing import parse_plain
from engine.sources.ews.tags import local_name

_STATUS = "StatusEvent"


@dataclass(frozen=True, slots=True)
class ParsedNotification:
    """One response message of a SendNotification.

    ``watermark`` is the last event's; ``events`` are their kinds in order (``NewMailEvent``); ``more_events`` says
    that another notification follows at once. ``error_code`` and ``error_text`` are Exchange's when kind is ERROR.
    """

    kind: NoticeKind
    subscription_id: str = ""
    previous_watermark: str | None = None
    watermark: str | None = None
    more_events: bool = False
    events: tuple[str, ...] = ()
    error_code: str | None = None
    error_text: str = ""


def parse_notification(body: bytes) -> list[ParsedNotification]:
    """The response messages of a posted SendNotification; at least one.

    Raises:
        NotificationInvalid: it is no such thing.
    """
    try:
        root = parse_plain(body)
    except ResponseUnreadable as error:
        raise NotificationInvalid(f"The posted notification cannot be read. {error}") from error
    notification = _notification(root)
    if notification is None:
        raise NotificationInvalid(f"Expected a SendNotification, not {local_name(root.tag)}.")
    messages = [_message(part) for part in _messages(notification)]
    if not messages:
        raise NotificationInvalid("A SendNotification without a response message.")
    return messages


def notification_answer(answer: NoticeAnswer) -> bytes:
    """The SendNotificationResult that Exchange is answered with."""
    return _ANSWERS[answer]


_ANSWERS = {
    answer: (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<m:SendNotificationResult xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages">'
        f"<m:SubscriptionStatus>{answer.value}</m:SubscriptionStatus>"
        "</m:SendNotificationResult></s:Body></s:Envelope>"
    ).encode()
    for answer in NoticeAnswer
}


def _child(parent: etree._Element, name: str) -> etree._Element | None:
    return next((part for part in parent if local_name(part.tag) == name), None)


def _notification(root: etree._Element) -> etree._Element | None:
    if local_name(root.tag) == "SendNotification":
        return root
    body = _child(root, "Body") if local_name(root.tag) == "Envelope" else None
    return _child(body, "SendNotification") if body is not None else None


def _messages(notification: etree._Element) -> Iterator[etree._Element]:
    for container in notification:
        if local_name(container.tag) == "ResponseMessages":
            yield from (part for part in container if local_name(part.tag).endswith("ResponseMessage"))


def _message(message: etree._Element) -> ParsedNotification:
    code, text, content = "", "", None
    for part in message:
        name = local_name(part.tag)
        if name == "ResponseCode":
            code = (part.text or "").strip()
        elif name == "MessageText":
            text = (part.text or "").strip()
        elif name == "Notification":
            content = part
    found = _content(content) if content is not None else ParsedNotification(NoticeKind.HEARTBEAT)
    failed = message.get("ResponseClass", "Success") == "Error" or code not in ("", "NoError")
    if not failed:
        if content is None:
            raise NotificationInvalid("A response message without a Notification.")
        return found
    return ParsedNotification(
        NoticeKind.ERROR,
        found.subscription_id,
        found.previous_watermark,
        found.watermark,
        found.more_events,
        found.events,
        code or "Error",
        text,
    )


def _content(notification: etree._Element) -> ParsedNotification:
    subscription_id, more = "", False
    previous: str | None = None
    watermark: str | None = None
    events: list[str] = []
    for part in notification:
        name = local_name(part.tag)
        if name == "SubscriptionId":
            subscription_id = (part.text or "").strip()
        elif name == "PreviousWatermark":
            previous = (part.text or "").strip() or None
        elif name == "MoreEvents":
            more = (part.text or "").strip().lower() in ("true", "1")
        elif name:
            events.append(name)
            mark = _child(part, "Watermark")
            watermark = (mark.text or "").strip() or watermark if mark is not None else watermark
    # A notification without any event is a sign of life as well
    kind = NoticeKind.EVENTS if any(event != _STATUS for event in events) else NoticeKind.HEARTBEAT
    return ParsedNotification(kind, subscription_id, previous, watermark, more, tuple(events))
