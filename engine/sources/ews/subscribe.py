"""Subscribe: a push subscription.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/subscribe-operation
https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/pushsubscriptionrequest
"""

from collections.abc import Sequence

from lxml import etree

from engine.errors import ResponseUnreadable
from engine.model import Folder
from engine.sources.ews.service import Operation, element
from engine.sources.ews.tags import m

EVENTS = ("NewMailEvent", "CreatedEvent", "ModifiedEvent", "MovedEvent", "CopiedEvent", "DeletedEvent")


class SubscribeToPush(Operation):
    """One push subscription on several folders."""

    SERVICE_NAME = "Subscribe"

    def call(self, folders: Sequence[Folder], callback_url: str, status_frequency: int) -> tuple[str, str | None]:
        """See ``ports.MailSource.subscribe``. Some servers give no watermark, and the schema lets them."""
        names = ", ".join(folder.name for folder in folders)
        payload = self.get_payload(folders, callback_url, status_frequency)
        message = self.only(self.send(payload, folder=names), folder=names)
        subscription_id = (message.findtext(m("SubscriptionId")) or "").strip()
        if not subscription_id:
            raise ResponseUnreadable(f"{self.mailbox}: a subscription without a SubscriptionId.")
        return subscription_id, (message.findtext(m("Watermark")) or "").strip() or None

    def get_payload(self, folders: Sequence[Folder], callback_url: str, status_frequency: int) -> etree._Element:
        """The request, without a watermark: what was missed meanwhile is the sync token's business."""
        return element(
            "m:Subscribe",
            element(
                "m:PushSubscriptionRequest",
                element("t:FolderIds", *(element("t:FolderId", Id=folder.folder_id) for folder in folders)),
                element("t:EventTypes", *(element("t:EventType", event) for event in EVENTS)),
                element("t:StatusFrequency", str(status_frequency)),
                element("t:URL", callback_url),
            ),
        )
