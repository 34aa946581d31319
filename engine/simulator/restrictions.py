"""Restrictions of FindItem and FindFolder, compiled to predicates.

https://learn.microsoft.com/en-us/exchange/client-developer/web-service-reference/restriction
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from lxml import etree

from engine.simulator import ids
from engine.simulator.errors import ResponseError
from engine.simulator.extended import ExtendedField
from engine.simulator.fields import search_key
from engine.simulator.folders import Folder
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Address, Message
from engine.simulator.requests import attribute, nth, violation
from engine.simulator.xml import T, local

Entry = TypeVar("Entry")
Value = str | int | bool | None
Getter = Callable[[Mailbox, Any, Any], Value]
Predicate = Callable[[Mailbox, Any], bool]
_ITEM_VALUES: dict[str, Callable[[Mailbox, Message], Value]] = {
    "item:ItemId": lambda _, m: m.item_id,
    "item:ItemClass": lambda _, m: m.item_class,
    "item:Subject": lambda _, m: m.subject,
    "item:Sensitivity": lambda _, m: m.sensitivity,
    "item:Body": lambda _, m: m.content.text(),
    "item:DateTimeReceived": lambda _, m: m.received_at,
    "item:DateTimeSent": lambda _, m: m.sent_at,
    "item:DateTimeCreated": lambda _, m: m.created_at,
    "item:LastModifiedTime": lambda _, m: m.modified_at,
    "item:Size": lambda _, m: m.size,
    "item:Categories": lambda _, m: "\n".join(m.categories) or None,
    "item:HasAttachments": lambda _, m: m.has_attachments,
    "item:Importance": lambda _, m: m.importance,
    "item:InReplyTo": lambda _, m: m.in_reply_to or None,
    "item:IsDraft": lambda _, m: m.is_draft,
    "item:IsFromMe": lambda _, m: m.from_me,
    "item:IsSubmitted": lambda _, m: m.from_me and not m.is_draft,
    "item:DisplayTo": lambda _, m: _names(m.to),
    "item:DisplayCc": lambda _, m: _names(m.cc),
    "item:ConversationId": lambda b, m: ids.conversation_id(b.guid, m.conversation),
    "item:SearchKey": lambda b, m: search_key(b, m).hex(),
    "message:ConversationTopic": lambda _, m: m.topic,
    "message:InternetMessageId": lambda _, m: m.message_id or None,
    "message:IsRead": lambda _, m: m.is_read,
    "message:References": lambda _, m: m.references or None,
    "message:From": lambda _, m: _people((m.author,)),
    "message:Sender": lambda _, m: _people((m.sender,)),
    "message:ToRecipients": lambda _, m: _people(m.to),
    "message:CcRecipients": lambda _, m: _people(m.cc),
    "message:BccRecipients": lambda _, m: _people(m.bcc),
}
_FOLDER_VALUES: dict[str, Callable[[Mailbox, Folder], Value]] = {
    "folder:FolderId": lambda _, f: f.folder_id,
    "folder:DisplayName": lambda _, f: f.name,
    "folder:FolderClass": lambda _, f: f.folder_class,
    "folder:TotalCount": lambda _, f: len(f.entries),
    "folder:UnreadCount": lambda _, f: f.unread,
    "folder:ChildFolderCount": lambda b, f: len(b.children(f)),
}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "IsEqualTo": lambda a, b: bool(a == b),
    "IsNotEqualTo": lambda a, b: bool(a != b),
    "IsGreaterThan": lambda a, b: a is not None and bool(a > b),
    "IsGreaterThanOrEqualTo": lambda a, b: a is not None and bool(a >= b),
    "IsLessThan": lambda a, b: a is not None and bool(a < b),
    "IsLessThanOrEqualTo": lambda a, b: a is not None and bool(a <= b),
}
_MODES: dict[str, Callable[[str, str], bool]] = {
    "FullString": lambda text, part: text == part,
    "Prefixed": lambda text, part: text.startswith(part),
    "Substring": lambda text, part: part in text,
    "PrefixOnWords": lambda text, part: any(word.startswith(part) for word in text.split()),
    "ExactPhrase": lambda text, part: part in text,
}
_FLAGS = {"message:IsRead", "item:IsFromMe", "item:IsDraft", "item:IsSubmitted"}


def item_value(mailbox: Mailbox, message: Message, path: etree._Element) -> Value:
    """The value of a message's property for comparing."""
    if path.tag == f"{T}ExtendedFieldURI":
        return ExtendedField.read(path).value(mailbox, message)
    return _ITEM_VALUES[attribute(path, "FieldURI")](mailbox, message)


def folder_value(mailbox: Mailbox, folder: Folder, path: etree._Element) -> Value:
    """The value of a folder's property for comparing."""
    return _FOLDER_VALUES[attribute(path, "FieldURI")](mailbox, folder)


def compile_restriction(element: etree._Element | None, value: Getter) -> Predicate:
    """The predicate of a Restriction element; no restriction wants everything."""
    if element is None:
        return lambda _mailbox, _entry: True
    if len(element) != 1:
        raise violation(element, "The element 'Restriction' has incomplete content.")
    return _expression(element[0], value)


def _expression(element: etree._Element, value: Getter) -> Predicate:
    name = local(element)
    if name in {"And", "Or"}:
        parts = [_expression(child, value) for child in element]
        join = all if name == "And" else any
        return lambda mailbox, entry: join(part(mailbox, entry) for part in parts)
    if name == "Not":
        inner = _expression(nth(element, 0), value)
        return lambda mailbox, entry: not inner(mailbox, entry)
    if name in _COMPARISONS and len(element) == 2:
        return _comparison(element, name, value)
    if name == "Contains":
        return _contains(element, value)
    if name == "Exists":
        path = _path(element)
        if path.get("FieldURI") in _FLAGS:
            raise ResponseError("ErrorInvalidPropertyForExists")
        return lambda mailbox, entry: value(mailbox, entry, path) is not None
    if name == "Excludes":
        raise ResponseError("ErrorInvalidOperation", "Excludes is not supported.")
    raise violation(element, f"The element 'Restriction' has invalid child element '{name}'.")


def _path(element: etree._Element) -> etree._Element:
    """The property an expression is about, refused unless it can be queried."""
    path = nth(element, 0)
    uri = path.get("FieldURI", "")
    if path.tag != f"{T}ExtendedFieldURI" and uri not in _ITEM_VALUES and uri not in _FOLDER_VALUES:
        raise ResponseError("ErrorUnsupportedPathForQuery")
    return path


def _comparison(element: etree._Element, name: str, value: Getter) -> Predicate:
    path, operand = _path(element), nth(nth(element, 1), 0)
    compare = _COMPARISONS[name]
    if operand.tag != f"{T}Constant":
        return lambda mailbox, entry: compare(value(mailbox, entry, path), value(mailbox, entry, operand))
    constant = attribute(operand, "Value")

    def matches(mailbox: Mailbox, entry: Any) -> bool:
        found = value(mailbox, entry, path)
        return compare(found.lower() if isinstance(found, str) else found, _like(found, constant, operand))

    return matches


def _like(found: Value, constant: str, operand: etree._Element) -> Value:
    """The constant as a value of the same kind as what it is compared with."""
    if isinstance(found, bool):
        return constant.lower() in {"true", "1"}
    if isinstance(found, int):
        if constant.lstrip("-").isdigit():
            return int(constant)
        try:
            moment = datetime.fromisoformat(constant)
        except ValueError:
            raise violation(operand, f"The value '{constant}' is invalid.") from None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return constant.lower()


def _contains(element: etree._Element, value: Getter) -> Predicate:
    path = _path(element)
    constant = attribute(nth(element, 1), "Value")
    mode = _MODES[attribute(element, "ContainmentMode", _MODES) if element.get("ContainmentMode") else "FullString"]
    exact = element.get("ContainmentComparison", "Exact") == "Exact"
    wanted = constant if exact else constant.casefold()

    def matches(mailbox: Mailbox, entry: Any) -> bool:
        found = value(mailbox, entry, path)
        return found is not None and mode(str(found) if exact else str(found).casefold(), wanted)

    return matches


def _names(people: tuple[Address, ...]) -> str | None:
    return "; ".join(person.name for person in people) or None


def _people(people: tuple[Address | None, ...]) -> str | None:
    return "; ".join(f"{person.name} {person.address}" for person in people if person) or None
