"""Unsubscribe: ends a pull subscription; a push subscription ends by its listener's answer or silence.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/unsubscribe-operation
"""

from lxml import etree

from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.requests import Model
from engine.simulator.soap import failure, success
from engine.simulator.xml import M, child_text

MODEL = Model("m:SubscriptionId")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """Success, ``ErrorInvalidPullSubscriptionId`` or ``ErrorSubscriptionNotFound``."""
    try:
        subscription = context.subscriptions.pulled(child_text(request, f"{M}SubscriptionId"), context.account.address)
    except ResponseError as error:
        return [failure("Unsubscribe", error)]
    context.subscriptions.end(subscription, "unsubscribed")
    return [success("Unsubscribe")]
