"""GetItem: the full items, all properties of ``columns.FETCHED_EMAILS``.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/getitem-operation
"""

from collections.abc import Sequence

from lxml import etree

from engine.model import ItemId
from engine.settings import ExchangeVersion
from engine.sources.ews.service import Account, Message, Operation, element, properties

_ITEM_FIELDS = (
    "item:ParentFolderId",
    "item:ItemClass",
    "item:Subject",
    "item:DateTimeSent",
    "item:DateTimeReceived",
    "item:LastModifiedTime",
    "item:ConversationId",
    "item:InReplyTo",
    "item:Body",
    "item:Importance",
    "item:Sensitivity",
    "item:HasAttachments",
    "item:Attachments",
    "item:Size",
    "item:Categories",
)
_MESSAGE_FIELDS = (
    "message:From",
    "message:Sender",
    "message:ToRecipients",
    "message:CcRecipients",
    "message:BccRecipients",
    "message:InternetMessageId",
    "message:References",
    "message:IsRead",
)
_FIELDS_2013 = ("item:TextBody",)


class GetItem(Operation):
    """Several items at once, as their own response messages."""

    SERVICE_NAME = "GetItem"

    def __init__(self, account: Account, version: ExchangeVersion) -> None:
        super().__init__(account)
        self._newer = () if version is ExchangeVersion.EXCHANGE2010 else _FIELDS_2013

    def call(self, item_ids: Sequence[ItemId], *, only_common: bool = False) -> list[Message]:
        """The answers, one for each id in their order, if the server does as it should.

        ``only_common`` asks for what every type of item has: some servers refuse message properties of a contact.
        """
        return self.send(self.get_payload(item_ids, only_common=only_common))

    def get_payload(self, item_ids: Sequence[ItemId], *, only_common: bool) -> etree._Element:
        """The request. Best gives HTML only where the message has it; a plain text body comes as Text."""
        fields = (*_ITEM_FIELDS, *self._newer, *(() if only_common else _MESSAGE_FIELDS))
        return element(
            "m:GetItem",
            properties("m:ItemShape", "IdOnly", fields, element("t:BodyType", "Best")),
            element("m:ItemIds", *(element("t:ItemId", Id=item_id) for item_id in item_ids)),
        )
