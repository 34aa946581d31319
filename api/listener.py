"""The listener: where Exchange sends its push notifications.

Guarantees: a notification counts only when its callback token is ours; Exchange hears OK only when the mailbox's
host has the notice, and anything else makes it try again; several notifications in one body are answered Unsubscribe
only if every one of them should be.
"""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from api.keys import CALLBACK_KEY, MAILROOM
from api.metrics.counted import COUNTED
from api.routes import Access, Answer, Body, Parameter, Route
from engine import callback
from engine.errors import CallbackForged, HostUnavailable, MailroomError, NotificationInvalid
from engine.model import OperatorId
from engine.notices import Notice, NoticeAnswer
from engine.ports import Mailroom
from engine.sources.ews.notification import ParsedNotification, notification_answer, parse_notification

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a notification, unpacked: some 10,000 events. Real ones have a few kilobytes, and one a mailbox was busy
with while Exchange could not reach us has more; refused for its size, it would only be sent again until the
subscription is dropped.
"""

HAND_OVER_SECONDS = 10.0
"""How long a host may take; Exchange itself gives up on a listener after 30 s or so."""


async def receive(request: web.Request) -> web.Response:
    """``POST /ews/notifications/{token}``: take a SendNotification."""
    counted = request.app[COUNTED]
    try:
        notices, answer = await _take(request)
    except CallbackForged:
        counted.count_refused_notification("forged")
        raise
    except (NotificationInvalid, web.HTTPException, web.RequestPayloadError):
        counted.count_refused_notification("invalid")
        raise
    except MailroomError:
        counted.count_refused_notification("unavailable")
        raise
    for notice in notices:
        counted.count_notification(notice.kind, answer)
    return web.Response(body=notification_answer(answer), content_type="text/xml", charset="utf-8")


async def probe(request: web.Request) -> web.Response:
    """``GET`` of a callback URL: whoever holds a signed token learns that this is the listener; nobody else does."""
    callback.verify(request.app[CALLBACK_KEY], request.match_info["token"])
    return web.json_response({"listener": "mailroom"})


async def _take(request: web.Request) -> tuple[list[Notice], NoticeAnswer]:
    operator_id, serial = callback.verify(request.app[CALLBACK_KEY], request.match_info["token"])
    body = await request.clone(client_max_size=BODY_LIMIT).read()
    notices = [_notice(operator_id, serial, one) for one in parse_notification(body)]
    return notices, await _hand_over(request.app[MAILROOM], notices)


async def _hand_over(mailroom: Mailroom, notices: Sequence[Notice]) -> NoticeAnswer:
    try:
        async with asyncio.timeout(HAND_OVER_SECONDS):
            answers = await asyncio.gather(*map(mailroom.notify, notices), return_exceptions=True)
    except TimeoutError:
        raise HostUnavailable("The host of this mailbox does not answer.") from None
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    wanted = any(answer is NoticeAnswer.OK for answer in answers)
    return NoticeAnswer.OK if wanted else NoticeAnswer.UNSUBSCRIBE


def _notice(operator_id: OperatorId, serial: str, parsed: ParsedNotification) -> Notice:
    return Notice(
        operator_id=operator_id,
        serial=serial,
        kind=parsed.kind,
        subscription_id=parsed.subscription_id,
        previous_watermark=parsed.previous_watermark,
        watermark=parsed.watermark,
        error_code=parsed.error_code,
    )


_TOKEN = Parameter("token", "As it stands in the URL that Exchange was given.")

ROUTES = (
    Route(
        "GET",
        callback.LISTENER_PATH + "/{token}",
        probe,
        Access.PUBLIC,
        summary="Whether the listener answers at a callback URL",
        parameters=(_TOKEN,),
        answers={200: Answer("It does.", dict[str, str], example={"listener": "mailroom"})},
    ),
    Route(
        "POST",
        callback.LISTENER_PATH + "/{token}",
        receive,
        Access.PUBLIC,
        summary="Take a push notification of Exchange",
        parameters=(_TOKEN,),
        body=Body(meaning="A SOAP envelope with a SendNotification.", media=("text/xml",)),
        answers={200: Answer("A SOAP envelope: OK, or Unsubscribe.", media=("text/xml",))},
        refuses={503: "The mailbox's host does not answer; Exchange sends it again."},
    ),
)
