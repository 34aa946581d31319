"""GetEvents: what happened since a watermark, for pull subscriptions.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getevents-operation
"""

from lxml import etree

from engine.simulator import ids
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.requests import Model
from engine.simulator.soap import failure, success
from engine.simulator.subscriptions import notification_xml
from engine.simulator.xml import M, child_text

MODEL = Model("m:SubscriptionId m:Watermark")
_MOST = 50


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """The events after the watermark, or a StatusEvent when there are none."""
    try:
        subscription = context.subscriptions.pulled(child_text(request, f"{M}SubscriptionId"), context.account.address)
        mailbox = subscription.mailbox
        since = ids.watermark_event(mailbox.guid, child_text(request, f"{M}Watermark"))
    except ResponseError as error:
        return [failure("GetEvents", error)]
    context.subscriptions.touch(subscription)
    found = [event for event in subscription.waiting if event.number > since]
    subscription.waiting = found
    reached = mailbox.event_number
    body = notification_xml(subscription, found[:_MOST], since, reached, more=len(found) > _MOST)
    return [success("GetEvents", body)]
