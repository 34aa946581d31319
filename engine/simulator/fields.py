"""Every property of a message that can be asked for, in the order the schema demands.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/fielduri
"""

import base64
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache

from engine.simulator import bodies, ids
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Message
from engine.simulator.versions import EXCHANGE_2010, EXCHANGE_2013
from engine.simulator.xml import boolean, clean, escape, quoted, timestamp

Renderer = Callable[[Mailbox, Message], str]

RIGHTS = (
    "<t:CreateAssociated>false</t:CreateAssociated><t:CreateContents>false</t:CreateContents>"
    "<t:CreateHierarchy>false</t:CreateHierarchy><t:Delete>true</t:Delete><t:Modify>true</t:Modify>"
    "<t:Read>true</t:Read>"
)


@dataclass(frozen=True, slots=True)
class Field:
    """One property.

    Attributes:
        uri: Its FieldURI.
        render: Gives its element, or nothing when the message has no such value.
        shape: ``default``: in Default and AllProperties; ``all``: in AllProperties; ``asked``: only by name.
        listed: Whether FindItem and SyncFolderItems can return it.
        since: Rank of the first request version that knows it.
    """

    uri: str
    render: Renderer
    shape: str = "all"
    listed: bool = True
    since: int = 0


@lru_cache(maxsize=65536)
def mailbox_xml(person: Address) -> str:
    """A Mailbox element; an address that could not be resolved has none, as at Exchange."""
    name = f"<t:Name>{escape(person.name or person.address)}</t:Name>"
    if not person.address:
        return f"<t:Mailbox>{name}</t:Mailbox>"
    address = f"<t:EmailAddress>{escape(person.address)}</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>"
    return f"<t:Mailbox>{name}{address}<t:MailboxType>OneOff</t:MailboxType></t:Mailbox>"


def item_id_xml(mailbox: Mailbox, message: Message) -> str:
    """The ItemId element."""
    return f'<t:ItemId Id="{message.item_id}" ChangeKey="{mailbox.change_key(message)}"/>'


def attachments_xml(message: Message) -> str:
    """The Attachments element: names and ids, no content."""
    parts = []
    for number, attachment in enumerate(message.content.attachments()):
        kind = "ItemAttachment" if attachment.is_item else "FileAttachment"
        content_id = f"<t:ContentId>{escape(attachment.content_id)}</t:ContentId>" if attachment.content_id else ""
        photo = "" if attachment.is_item else "<t:IsContactPhoto>false</t:IsContactPhoto>"
        parts.append(
            f'<t:{kind}><t:AttachmentId Id="{ids.attachment_id(message.item_id, number)}"/>'
            f"<t:Name>{escape(attachment.name)}</t:Name>"
            f"<t:ContentType>{escape(attachment.content_type)}</t:ContentType>{content_id}"
            f"<t:Size>{len(attachment.data)}</t:Size>"
            f"<t:LastModifiedTime>{timestamp(message.modified_at)}</t:LastModifiedTime>"
            f"<t:IsInline>{boolean(attachment.is_inline)}</t:IsInline>{photo}</t:{kind}>"
        )
    return f"<t:Attachments>{''.join(parts)}</t:Attachments>" if parts else ""


def search_key(mailbox: Mailbox, message: Message) -> bytes:
    """PR_SEARCH_KEY: stays with a message when it moves."""
    return ids.guid_of(mailbox.address, message.message_id, message.sent_at)


def headers_xml(message: Message, name: str = "") -> str:
    """InternetMessageHeaders, all of them or those of one name."""
    headers = (
        f'<t:InternetMessageHeader HeaderName="{quoted(clean(header))}">{escape(clean(value))}'
        "</t:InternetMessageHeader>"
        for header, value in message.content.headers(message)
        if not name or header.lower() == name.lower()
    )
    found = "".join(headers)
    return f"<t:InternetMessageHeaders>{found}</t:InternetMessageHeaders>" if found else ""


def _mime(_: Mailbox, message: Message) -> str:
    content = base64.b64encode(message.content.mime(message)).decode()
    return f'<t:MimeContent CharacterSet="UTF-8">{content}</t:MimeContent>'


def _parent(mailbox: Mailbox, message: Message) -> str:
    folder = message.folder
    return f'<t:ParentFolderId Id="{folder.folder_id}" ChangeKey="{mailbox.folder_change_key(folder)}"/>'


def _people(tag: str, people: Iterable[Address]) -> str:
    found = "".join(map(mailbox_xml, people))
    return f"<t:{tag}>{found}</t:{tag}>" if found else ""


def _person(tag: str, person: Address | None) -> str:
    return f"<t:{tag}>{mailbox_xml(person)}</t:{tag}>" if person else ""


def _display(tag: str, people: tuple[Address, ...]) -> str:
    return f"<t:{tag}>{escape('; '.join(person.name or person.address for person in people))}</t:{tag}>"


def _categories(_: Mailbox, message: Message) -> str:
    found = "".join(f"<t:String>{escape(name)}</t:String>" for name in message.categories)
    return f"<t:Categories>{found}</t:Categories>" if found else ""


def _text(tag: str, value: str) -> str:
    return f"<t:{tag}>{escape(value)}</t:{tag}>" if value else ""


def _response_objects(_: Mailbox, message: Message) -> str:
    if message.is_draft:
        return ""
    names = ("ReplyToItem", "ReplyAllToItem", "ForwardItem")
    return f"<t:ResponseObjects>{''.join(f'<t:{name}/>' for name in names)}</t:ResponseObjects>"


def _entry_id(mailbox: Mailbox, message: Message) -> str:
    return base64.b64encode(search_key(mailbox, message) + message.item_id.encode()[-24:]).decode()


def _web_link(message: Message) -> str:
    return escape(f"?ae=Item&a=Open&t={message.item_class}&id={message.item_id}")


def _index(message: Message) -> str:
    filetime = (message.sent_at + 11_644_473_600) * 10_000_000
    return base64.b64encode(b"\x01" + (filetime >> 24).to_bytes(5, "big") + message.conversation).decode()


FIELDS = (
    Field("item:MimeContent", _mime, "asked", listed=False),
    Field("item:ItemId", item_id_xml, "default"),
    Field("item:ParentFolderId", _parent),
    Field("item:ItemClass", lambda _, m: f"<t:ItemClass>{m.item_class}</t:ItemClass>"),
    Field("item:Subject", lambda _, m: _text("Subject", m.subject), "default"),
    Field("item:Sensitivity", lambda _, m: f"<t:Sensitivity>{m.sensitivity}</t:Sensitivity>", "default"),
    Field("item:Body", bodies.best, "default", listed=False),
    Field("item:Attachments", lambda _, m: attachments_xml(m), "default", listed=False),
    Field("item:DateTimeReceived", lambda _, m: f"<t:DateTimeReceived>{timestamp(m.received_at)}</t:DateTimeReceived>"),
    Field("item:Size", lambda _, m: f"<t:Size>{m.size}</t:Size>", "default"),
    Field("item:Categories", _categories),
    Field("item:Importance", lambda _, m: f"<t:Importance>{m.importance}</t:Importance>"),
    Field("item:InReplyTo", lambda _, m: _text("InReplyTo", m.in_reply_to)),
    Field("item:IsSubmitted", lambda _, m: f"<t:IsSubmitted>{boolean(m.from_me and not m.is_draft)}</t:IsSubmitted>"),
    Field("item:IsDraft", lambda _, m: f"<t:IsDraft>{boolean(m.is_draft)}</t:IsDraft>"),
    Field("item:IsFromMe", lambda _, m: f"<t:IsFromMe>{boolean(m.from_me)}</t:IsFromMe>"),
    Field("item:IsResend", lambda _b, _m: "<t:IsResend>false</t:IsResend>"),
    Field(
        "item:IsUnmodified", lambda _b, m: f"<t:IsUnmodified>{boolean(m.content_cn == m.created_cn)}</t:IsUnmodified>"
    ),
    Field("item:InternetMessageHeaders", lambda _, m: headers_xml(m), listed=False),
    Field("item:DateTimeSent", lambda _, m: f"<t:DateTimeSent>{timestamp(m.sent_at)}</t:DateTimeSent>", "default"),
    Field(
        "item:DateTimeCreated",
        lambda _, m: f"<t:DateTimeCreated>{timestamp(m.created_at)}</t:DateTimeCreated>",
        "default",
    ),
    Field("item:ResponseObjects", _response_objects, "default", listed=False),
    Field("item:ReminderIsSet", lambda _b, _m: "<t:ReminderIsSet>false</t:ReminderIsSet>"),
    Field(
        "item:ReminderMinutesBeforeStart",
        lambda _b, _m: "<t:ReminderMinutesBeforeStart>0</t:ReminderMinutesBeforeStart>",
    ),
    Field("item:DisplayCc", lambda _, m: _display("DisplayCc", m.cc)),
    Field("item:DisplayTo", lambda _, m: _display("DisplayTo", m.to)),
    Field("item:DisplayBcc", lambda _, m: _display("DisplayBcc", m.bcc), "asked", since=EXCHANGE_2013),
    Field(
        "item:HasAttachments",
        lambda _, m: f"<t:HasAttachments>{boolean(m.has_attachments)}</t:HasAttachments>",
        "default",
    ),
    Field("extended", lambda _b, _m: "", "asked"),
    Field("item:Culture", lambda _b, _m: "<t:Culture>en-US</t:Culture>"),
    Field("item:EffectiveRights", lambda _b, _m: f"<t:EffectiveRights>{RIGHTS}</t:EffectiveRights>"),
    Field("item:LastModifiedName", lambda b, _: f"<t:LastModifiedName>{escape(b.name)}</t:LastModifiedName>"),
    Field("item:LastModifiedTime", lambda _, m: f"<t:LastModifiedTime>{timestamp(m.modified_at)}</t:LastModifiedTime>"),
    Field("item:IsAssociated", lambda _b, _m: "<t:IsAssociated>false</t:IsAssociated>", "default", since=EXCHANGE_2010),
    Field(
        "item:WebClientReadFormQueryString",
        lambda _, m: f"<t:WebClientReadFormQueryString>{_web_link(m)}</t:WebClientReadFormQueryString>",
        since=EXCHANGE_2010,
    ),
    Field(
        "item:ConversationId",
        lambda b, m: f'<t:ConversationId Id="{ids.conversation_id(b.guid, m.conversation)}"/>',
        since=EXCHANGE_2010,
    ),
    Field("item:UniqueBody", bodies.unique, "asked", listed=False, since=EXCHANGE_2010),
    Field("item:Flag", lambda _b, _m: "<t:Flag><t:FlagStatus>NotFlagged</t:FlagStatus></t:Flag>", since=EXCHANGE_2013),
    Field("item:StoreEntryId", lambda b, m: f"<t:StoreEntryId>{_entry_id(b, m)}</t:StoreEntryId>", since=EXCHANGE_2010),
    Field(
        "item:InstanceKey", lambda b, m: f"<t:InstanceKey>{_entry_id(b, m)[:24]}</t:InstanceKey>", since=EXCHANGE_2013
    ),
    Field("item:NormalizedBody", bodies.normalized, "asked", listed=False, since=EXCHANGE_2013),
    Field("item:Preview", bodies.preview, since=EXCHANGE_2013),
    Field("item:IsClutter", lambda _b, _m: "<t:IsClutter>false</t:IsClutter>", since=EXCHANGE_2013),
    Field("item:BlockStatus", lambda _b, _m: "<t:BlockStatus>false</t:BlockStatus>", listed=False, since=EXCHANGE_2013),
    Field(
        "item:HasBlockedImages",
        lambda _b, _m: "<t:HasBlockedImages>false</t:HasBlockedImages>",
        listed=False,
        since=EXCHANGE_2013,
    ),
    Field("item:TextBody", bodies.text, "asked", listed=False, since=EXCHANGE_2013),
    Field("item:IconIndex", lambda _b, _m: "<t:IconIndex>Default</t:IconIndex>", since=EXCHANGE_2013),
    Field("message:Sender", lambda _, m: _person("Sender", m.sender)),
    Field("message:ToRecipients", lambda _, m: _people("ToRecipients", m.to), "default", listed=False),
    Field("message:CcRecipients", lambda _, m: _people("CcRecipients", m.cc), "default", listed=False),
    Field("message:BccRecipients", lambda _, m: _people("BccRecipients", m.bcc), "default", listed=False),
    Field(
        "message:IsReadReceiptRequested",
        lambda _b, _m: "<t:IsReadReceiptRequested>false</t:IsReadReceiptRequested>",
        "default",
    ),
    Field(
        "message:IsDeliveryReceiptRequested",
        lambda _b, _m: "<t:IsDeliveryReceiptRequested>false</t:IsDeliveryReceiptRequested>",
        "default",
    ),
    Field("message:ConversationIndex", lambda _, m: f"<t:ConversationIndex>{_index(m)}</t:ConversationIndex>"),
    Field("message:ConversationTopic", lambda _, m: _text("ConversationTopic", m.topic)),
    Field("message:From", lambda _, m: _person("From", m.author), "default"),
    Field("message:InternetMessageId", lambda _, m: _text("InternetMessageId", m.message_id)),
    Field("message:IsRead", lambda _, m: f"<t:IsRead>{boolean(m.is_read)}</t:IsRead>", "default"),
    Field("message:IsResponseRequested", lambda _b, _m: "<t:IsResponseRequested>false</t:IsResponseRequested>"),
    Field("message:References", lambda _, m: _text("References", m.references)),
    Field("message:ReplyTo", lambda _, m: _people("ReplyTo", m.reply_to), listed=False),
    Field("message:ReceivedBy", lambda b, m: "" if m.from_me else _person("ReceivedBy", Address(b.name, b.address))),
    Field(
        "message:ReceivedRepresenting",
        lambda b, m: "" if m.from_me else _person("ReceivedRepresenting", Address(b.name, b.address)),
    ),
)
BY_URI = {field.uri: field for field in FIELDS}

_WITHOUT_VALUE_2007 = "item:ReminderDueBy item:ReminderNextTime item:WebClientEditFormQueryString"
_WITHOUT_VALUE_2013 = (
    "item:EntityExtractionResult item:PolicyTag item:ArchiveTag item:RetentionDate item:PredictedActionReasons "
    "item:RightsManagementLicenseData item:MimeContentUTF8 item:Mentions item:MentionedMe item:MentionsPreview "
    "item:MentionsEx item:Hashtags item:AppliedHashtags item:AppliedHashtagsPreview item:Likes item:LikesPreview "
    "item:PendingSocialActivityTagIds item:AtAllMention item:CanDelete item:InferenceClassification item:FirstBody "
    "message:ApprovalRequestData message:VotingInformation message:ReminderMessageData message:MessageSafety "
    "message:PublishedCalendarItemIcs message:PublishedCalendarItemName"
)
OTHER_URIS = {
    **dict.fromkeys(_WITHOUT_VALUE_2007.split(), 0),
    **dict.fromkeys(_WITHOUT_VALUE_2013.split(), EXCHANGE_2013),
}
"""Properties the schema has and our messages never do, and since when."""
