"""Subscribe: push and pull subscriptions; streaming ones are refused.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/subscribe-operation
"""

from lxml import etree

from engine.simulator import ids
from engine.simulator.context import Context
from engine.simulator.errors import ResponseError
from engine.simulator.events import EVENT_TYPES
from engine.simulator.mailbox import Mailbox
from engine.simulator.requests import Model, enumeration, integer, required, truth, violation
from engine.simulator.soap import each
from engine.simulator.subscriptions import Wish, check_url
from engine.simulator.xml import M, T, child_text

MODEL = Model("(m:PullSubscriptionRequest|m:PushSubscriptionRequest|m:StreamingSubscriptionRequest)")
_PUSH = Model("t:FolderIds? t:EventTypes t:Watermark? t:StatusFrequency t:URL t:CallerData?")
_PULL = Model("t:FolderIds? t:EventTypes t:Watermark? t:Timeout")


def handle(context: Context, request: etree._Element) -> list[bytes]:
    """The id and first watermark of a new subscription."""
    return each("Subscribe", request, lambda wanted: _subscribe(context, wanted))


def _subscribe(context: Context, wanted: etree._Element) -> bytes:
    push = wanted.tag == f"{M}PushSubscriptionRequest"
    if wanted.tag == f"{M}StreamingSubscriptionRequest":
        raise ResponseError("ErrorInvalidSubscriptionRequest", "Streaming subscriptions are not available.")
    (_PUSH if push else _PULL).check(wanted)
    mailbox, folders = _folders(context, wanted)
    wish = Wish(mailbox, folders, _events(wanted), _since(wanted, mailbox), context.account.address)
    minutes = required(wanted, f"{T}StatusFrequency" if push else f"{T}Timeout")
    frequency = integer(minutes, minutes.text or "", 1, 1440)
    if push:
        url = child_text(wanted, f"{T}URL")
        check_url(url)
        subscription = context.subscriptions.push(wish, url, frequency, child_text(wanted, f"{T}CallerData"))
    else:
        subscription = context.subscriptions.pull(wish, frequency)
    watermark = f"<m:Watermark>{ids.watermark(mailbox.guid, subscription.last_event)}</m:Watermark>"
    if context.fails("no_watermark"):
        watermark = ""
    return f"<m:SubscriptionId>{subscription.subscription_id}</m:SubscriptionId>{watermark}".encode()


def _folders(context: Context, wanted: etree._Element) -> tuple[Mailbox, frozenset[int] | None]:
    """The mailbox and the folders watched; None for all of them."""
    elements = wanted.findall(f"{T}FolderIds/*")
    everything = truth(wanted, wanted.get("SubscribeToAllFolders", "false"))
    if everything or not elements:
        if elements or not everything:
            raise ResponseError("ErrorInvalidSubscriptionRequest")
        if context.acting is None:
            raise ResponseError("ErrorMissingEmailAddress")
        return context.acting, None
    named = [context.folder(element) for element in elements]
    mailbox = named[0][0]
    if any(other is not mailbox for other, _ in named):
        raise ResponseError("ErrorInvalidSubscriptionRequest")
    if context.account.kind == "operator" and mailbox is not context.acting:
        raise ResponseError("ErrorSubscriptionDelegateAccessNotSupported")
    return mailbox, frozenset(folder.number for _, folder in named)


def _events(wanted: etree._Element) -> frozenset[str]:
    container = required(wanted, f"{T}EventTypes")
    types = {enumeration(element, element.text or "", EVENT_TYPES) for element in container}
    if not types:
        raise violation(container, "The element 'EventTypes' has incomplete content.")
    return frozenset(types)


def _since(wanted: etree._Element, mailbox: Mailbox) -> int | None:
    text = child_text(wanted, f"{T}Watermark")
    if not text:
        return None
    event = ids.watermark_event(mailbox.guid, text)
    oldest = mailbox.history[0].number - 1 if mailbox.history else mailbox.event_number
    if not oldest <= event <= mailbox.event_number:
        raise ResponseError("ErrorInvalidWatermark")
    return event
