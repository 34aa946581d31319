"""From the item elements of GetItem straight to columns: each child is looked at once.

Rows are lists in the order of ``columns.FETCHED_EMAILS``. What a message leaves out stays null; recipients and
categories are then empty lists.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa
from lxml import etree

from engine.columns import ADDRESS, ADDRESSES, FETCHED_ATTACHMENTS, FETCHED_EMAILS
from engine.sources.ews.tags import t
from engine.sources.ews.text import html_to_text
from engine.sources.ews.times import parse_time

Row = list[Any]
_AT = {name: index for index, name in enumerate(FETCHED_EMAILS.names)}
_WIDTH = len(_AT)
_FOLDER, _FROM, _SENDER, _BODY, _TEXT, _ATTACHMENTS = range(_WIDTH, _WIDTH + 6)
"""Places behind the columns for what is not a column as it stands."""
_LISTS = ("to_recipients", "cc_recipients", "bcc_recipients")
_MAILBOX, _NAME, _EMAIL = t("Mailbox"), t("Name"), t("EmailAddress")
_ITEM_ATTACHMENT = t("ItemAttachment")

Address = tuple[str | None, str | None]


def _text(node: etree._Element) -> str | None:
    return node.text


def _kept(node: etree._Element) -> str:
    return node.text or ""


def _bool(node: etree._Element) -> bool | None:
    text = node.text
    return None if text is None else text.strip().lower() in ("true", "1")


def _int(node: etree._Element) -> int | None:
    try:
        return int(node.text or "")
    except ValueError:
        return None


def _time(node: etree._Element) -> Any:
    return parse_time(node.text)


def _id(node: etree._Element) -> str | None:
    return node.get("Id")


def _strings(node: etree._Element) -> list[str]:
    return [child.text for child in node if child.text]


def _mailbox(node: etree._Element) -> Address | None:
    # EX and X500 addresses are kept as they are: there is no asking for the SMTP one without a call per address
    name = address = None
    for part in node:
        tag = part.tag
        if tag == _NAME:
            name = part.text
        elif tag == _EMAIL:
            address = part.text
    return None if name is None and address is None else (name, address)


def _person(node: etree._Element) -> Address | None:
    return next((_mailbox(child) for child in node if child.tag == _MAILBOX), None)


def _people(node: etree._Element) -> list[Address]:
    return [address for child in node if child.tag == _MAILBOX and (address := _mailbox(child))]


def _body(node: etree._Element) -> tuple[bool, str]:
    return node.get("BodyType", "Text").lower() == "html", node.text or ""


def _elements(node: etree._Element) -> list[etree._Element]:
    return list(node)


_READERS: dict[str, tuple[int, Callable[[etree._Element], Any]]] = {
    t("ParentFolderId"): (_FOLDER, _id),
    t("ItemClass"): (_AT["item_class"], _text),
    t("Subject"): (_AT["subject"], _kept),
    t("From"): (_FROM, _person),
    t("Sender"): (_SENDER, _person),
    t("ToRecipients"): (_AT["to_recipients"], _people),
    t("CcRecipients"): (_AT["cc_recipients"], _people),
    t("BccRecipients"): (_AT["bcc_recipients"], _people),
    t("DateTimeSent"): (_AT["sent_at"], _time),
    t("DateTimeReceived"): (_AT["received_at"], _time),
    t("LastModifiedTime"): (_AT["modified_at"], _time),
    t("InternetMessageId"): (_AT["message_id"], _text),
    t("ConversationId"): (_AT["conversation_id"], _id),
    t("InReplyTo"): (_AT["in_reply_to"], _text),
    t("References"): (_AT["references"], _text),
    t("Body"): (_BODY, _body),
    t("TextBody"): (_TEXT, _kept),
    t("IsRead"): (_AT["is_read"], _bool),
    t("Importance"): (_AT["importance"], _text),
    t("Sensitivity"): (_AT["sensitivity"], _text),
    t("HasAttachments"): (_AT["has_attachments"], _bool),
    t("Size"): (_AT["size"], _int),
    t("Categories"): (_AT["categories"], _strings),
    t("Attachments"): (_ATTACHMENTS, _elements),
}
_ITEM_ID = t("ItemId")
_ITEM, _CHANGE_KEY = _AT["item_id"], _AT["change_key"]
_SENDER_NAME, _SENDER_ADDRESS = _AT["sender_name"], _AT["sender_address"]
_BODY_TEXT, _BODY_HTML = _AT["body_text"], _AT["body_html"]


def read_item(item: etree._Element) -> Row:
    """The row of one item element, of whatever type."""
    row: Row = [None] * (_WIDTH + 6)
    for child in item:
        tag = child.tag
        reader = _READERS.get(tag)
        if reader is not None:
            row[reader[0]] = reader[1](child)
        elif tag == _ITEM_ID:
            row[_ITEM], row[_CHANGE_KEY] = child.get("Id"), child.get("ChangeKey")
    # The author; a delegate who pressed the button is only the sender
    row[_SENDER_NAME], row[_SENDER_ADDRESS] = row[_FROM] or row[_SENDER] or (None, None)
    row[_BODY_TEXT], row[_BODY_HTML] = _bodies(row[_BODY], row[_TEXT])
    return row


def id_of(row: Row) -> str | None:
    """The row's item id."""
    found: str | None = row[_ITEM]
    return found


def with_id(row: Row, written: str) -> None:
    """Let the row bear its id as we know it."""
    row[_ITEM] = written


def where_is(row: Row) -> str | None:
    """The id of the folder the item is in."""
    found: str | None = row[_FOLDER]
    return found


def _bodies(body: tuple[bool, str] | None, text: str | None) -> tuple[str | None, str | None]:
    if body is None:
        return text, None
    is_html, content = body
    if not is_html:
        return (content if text is None else text), None
    return (html_to_text(content) if text is None else text), content


def emails(rows: Sequence[Row]) -> pa.RecordBatch:
    """The rows as ``columns.FETCHED_EMAILS``."""
    columns = list(zip(*rows, strict=True))[:_WIDTH] if rows else [()] * _WIDTH
    arrays = [
        _addresses(column) if field.name in _LISTS else _array(column, field.type)
        for column, field in zip(columns, FETCHED_EMAILS, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=FETCHED_EMAILS)


def _array(column: Iterable[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_list(kind):
        column = [value or [] for value in column]
    try:
        return pa.array(column, kind)
    except UnicodeEncodeError:
        # Half a surrogate pair, which Python's strings can hold and UTF-8 cannot
        return pa.array([value.encode(errors="replace").decode() if value else value for value in column], kind)


def _addresses(column: Iterable[list[Address] | None]) -> pa.Array:
    lists = [value or [] for value in column]
    offsets = pa.array([0, *accumulate(len(value) for value in lists)], pa.int32())
    flat = [address for value in lists for address in value]
    names = pa.array([name for name, _ in flat], pa.string())
    addresses = pa.array([address for _, address in flat], pa.string())
    people = pa.StructArray.from_arrays([names, addresses], fields=list(ADDRESS))
    return pa.ListArray.from_arrays(offsets, people, type=ADDRESSES)


_ATTACHMENT_AT = {name: index for index, name in enumerate(FETCHED_ATTACHMENTS.names)}
_ATTACHMENT_READERS: dict[str, tuple[int, Callable[[etree._Element], Any]]] = {
    t("AttachmentId"): (_ATTACHMENT_AT["attachment_id"], _id),
    t("Name"): (_ATTACHMENT_AT["name"], _text),
    t("ContentType"): (_ATTACHMENT_AT["content_type"], _text),
    t("ContentId"): (_ATTACHMENT_AT["content_id"], _text),
    t("Size"): (_ATTACHMENT_AT["size"], _int),
    t("IsInline"): (_ATTACHMENT_AT["is_inline"], _bool),
}


def attachments(rows: Iterable[Row]) -> pa.RecordBatch:
    """The attachments of the rows as ``columns.FETCHED_ATTACHMENTS``."""
    found = [_attachment(row[_ITEM], node) for row in rows for node in row[_ATTACHMENTS] or ()]
    columns = zip(*found, strict=True) if found else [()] * len(_ATTACHMENT_AT)
    arrays = [_array(column, field.type) for column, field in zip(columns, FETCHED_ATTACHMENTS, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=FETCHED_ATTACHMENTS)


def _attachment(of: str, node: etree._Element) -> Row:
    row: Row = [None] * len(_ATTACHMENT_AT)
    for child in node:
        reader = _ATTACHMENT_READERS.get(child.tag)
        if reader is not None:
            row[reader[0]] = reader[1](child)
    row[_ATTACHMENT_AT["item_id"]] = of
    row[_ATTACHMENT_AT["is_item"]] = node.tag == _ITEM_ATTACHMENT
    return row
