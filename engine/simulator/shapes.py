"""What of a message a request asks for, compiled once, and the rendering of messages that way, done once.

A shape is found by the exact bytes of its element; a rendered message is kept until the message changes or memory
for rendered messages is used up (oldest first).
"""

from collections import OrderedDict
from dataclasses import dataclass
from itertools import count

from lxml import etree

from engine.simulator import bodies
from engine.simulator.errors import SoapFault
from engine.simulator.extended import ExtendedField
from engine.simulator.fields import BY_URI, FIELDS, OTHER_URIS, Field, Renderer, headers_xml
from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.requests import Model, attribute, boolean, enumeration, violation
from engine.simulator.xml import TYPES, T, child_text

BASE_SHAPES = ("IdOnly", "Default", "AllProperties")
PATHS = {f"{T}FieldURI", f"{T}IndexedFieldURI", f"{T}ExtendedFieldURI"}
_MODEL = Model(
    "t:BaseShape t:IncludeMimeContent? t:BodyType? t:UniqueBodyType? t:NormalizedBodyType? t:FilterHtmlContent? "
    "t:ConvertHtmlCodePageToUTF8? t:InlineImageUrlTemplate? t:BlockExternalImages? t:AddBlankTargetToLinks? "
    "t:MaximumBodySize? t:AdditionalProperties?"
)
_BODIES: dict[str, Renderer] = {"Best": bodies.best, "HTML": bodies.as_html, "Text": bodies.as_text}
_FAMILIES = (
    "calendar",
    "meeting",
    "meetingRequest",
    "contacts",
    "distributionlist",
    "task",
    "postitem",
    "conversation",
)
_numbers = count()


@dataclass(frozen=True, slots=True)
class Shape:
    """A compiled shape: renderers in schema order, and a number of its own for the cache."""

    number: int
    renderers: tuple[Renderer, ...]


class Shapes:
    """The shapes of one server, and the messages rendered in them.

    Args:
        budget: Most bytes of rendered messages to keep.
        newest: Rank of the newest schema the server has; properties it lacks are schema violations.
    """

    def __init__(self, budget: int, newest: int) -> None:
        self._budget = budget
        self._newest = newest
        self._used = 0
        self._compiled: dict[tuple[bytes, int, bool], Shape] = {}
        self._rendered: OrderedDict[tuple[str, int], tuple[int, bytes]] = OrderedDict()

    def compile(self, element: etree._Element, version: int, *, listed: bool) -> Shape:
        """The shape an ItemShape element describes; ``listed`` for FindItem and SyncFolderItems."""
        key = (etree.tostring(element), version, listed)
        shape = self._compiled.get(key)
        if shape is None:
            shape = _compile(element, version, self._newest, listed=listed)
            if len(self._compiled) > 1000:
                self._compiled.clear()
            self._compiled[key] = shape
        return shape

    def render(self, mailbox: Mailbox, message: Message, shape: Shape) -> bytes:
        """The message in this shape."""
        key = (message.item_id, shape.number)
        stamp = message.content_cn + message.read_cn
        kept = self._rendered.get(key)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        inner = "".join([render(mailbox, message) for render in shape.renderers])
        made = f"<t:Message>{inner}</t:Message>".encode("utf-8", "replace")
        self._used += len(made) - (len(kept[1]) if kept else 0)
        self._rendered[key] = (stamp, made)
        while self._used > self._budget and self._rendered:
            self._used -= len(self._rendered.popitem(last=False)[1][1])
        return made


def _compile(element: etree._Element, version: int, newest: int, *, listed: bool) -> Shape:
    _MODEL.check(element)
    base = enumeration(element, child_text(element, f"{T}BaseShape"), BASE_SHAPES)
    kinds = {"IdOnly": (), "Default": ("default",), "AllProperties": ("default", "all")}[base]
    wanted = {"item:ItemId"} | {field.uri for field in FIELDS if field.shape in kinds and field.since <= version}
    if boolean(element.find(f"{T}IncludeMimeContent")):
        wanted.add("item:MimeContent")
    paths = list(element.iterfind(f"{T}AdditionalProperties/*"))
    wanted |= {field.uri for path in paths if (field := _additional(path, version, newest))}
    headers = [
        attribute(path, "FieldIndex")
        for path in paths
        if path.tag == f"{T}IndexedFieldURI" and attribute(path, "FieldURI") == "item:InternetMessageHeader"
    ]
    extended = [ExtendedField.read(path) for path in paths if path.tag == f"{T}ExtendedFieldURI"]
    body = child_text(element, f"{T}BodyType", "Best")
    special: dict[str, Renderer] = {"item:Body": _BODIES[enumeration(element, body, _BODIES)]}
    if headers and "item:InternetMessageHeaders" not in wanted:
        wanted.add("item:InternetMessageHeaders")
        special["item:InternetMessageHeaders"] = _headers(tuple(headers))
    if extended:
        wanted.add("extended")
        special["extended"] = _extended(tuple(extended))
    chosen = [field for field in FIELDS if field.uri in wanted and (field.listed or not listed)]
    return Shape(next(_numbers), tuple(special.get(field.uri, field.render) for field in chosen))


def _headers(names: tuple[str, ...]) -> Renderer:
    start, end = "<t:InternetMessageHeaders>", "</t:InternetMessageHeaders>"

    def render(_: Mailbox, message: Message) -> str:
        found = "".join(headers_xml(message, name).removeprefix(start).removesuffix(end) for name in names)
        return f"{start}{found}{end}" if found else ""

    return render


def _extended(fields: tuple[ExtendedField, ...]) -> Renderer:
    return lambda mailbox, message: "".join(field.xml(mailbox, message) for field in fields)


def _additional(path: etree._Element, version: int, newest: int) -> Field | None:
    """The property a FieldURI of AdditionalProperties names; other kinds of path are read elsewhere."""
    if path.tag not in PATHS:
        raise violation(path, "The element 'AdditionalProperties' has invalid child element.")
    return known_field(path, version, newest) if path.tag == f"{T}FieldURI" else None


def known_field(path: etree._Element, version: int, newest: int) -> Field | None:
    """The property of a FieldURI; None for one that the schema has but messages have not."""
    uri = attribute(path, "FieldURI")
    field = BY_URI.get(uri)
    if field is None and uri.partition(":")[0] in _FAMILIES:
        return None
    since = field.since if field else OTHER_URIS.get(uri)
    if since is None or since > newest:
        raise violation(
            path,
            f"The 'FieldURI' attribute is invalid - The value '{uri}' is invalid according to its datatype "
            f"'{TYPES}:UnindexedFieldURIType' - The Enumeration constraint failed.",
        )
    if since > version:
        raise SoapFault("ErrorIncorrectSchemaVersion")
    return field
