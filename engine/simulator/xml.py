"""XML in and out: a parser that trusts nobody, and escapes for text that is assembled as bytes."""

import re
from datetime import UTC, datetime
from functools import lru_cache

from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
MESSAGES = "http://schemas.microsoft.com/exchange/services/2006/messages"
TYPES = "http://schemas.microsoft.com/exchange/services/2006/types"
ERRORS = "http://schemas.microsoft.com/exchange/services/2006/errors"
M = f"{{{MESSAGES}}}"
T = f"{{{TYPES}}}"
S = f"{{{SOAP}}}"

_UNREPRESENTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKUP = re.compile("[&<>\r]")


class MalformedError(ValueError):
    """What came in is not XML, or not XML we take; says where."""

    def __init__(self, reason: str, line: int, position: int) -> None:
        super().__init__(reason, line, position)
        self.reason = reason
        self.line = line
        self.position = position


def parse(body: bytes) -> etree._Element:
    """Parse what came in, without entities, network or unbounded depth; a document type is refused."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as error:
        line, position = error.position
        raise MalformedError(str(error.msg or "The document is empty."), line or 1, position or 1) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise MalformedError("For security reasons DTD is prohibited in this XML document.", 1, 1)
    return root


def clean(text: str) -> str:
    """Drop what XML 1.0 cannot carry."""
    return _UNREPRESENTABLE.sub("", text) if _UNREPRESENTABLE.search(text) else text


def escape(text: str) -> str:
    """Escape cleaned text for the content of an element."""
    if not _MARKUP.search(text):
        return text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\r", "&#xD;")


def quoted(text: str) -> str:
    """Escape cleaned text for an attribute in double quotes."""
    return escape(text).replace('"', "&quot;").replace("\n", "&#xA;")


@lru_cache(maxsize=65536)
def timestamp(seconds: int) -> str:
    """Unix time as Exchange writes it: whole seconds, UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def boolean(value: bool) -> str:
    """A boolean as XML Schema writes it."""
    return "true" if value else "false"


def local(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def text_of(element: etree._Element | None, default: str = "") -> str:
    """The element's text, or the default when it is missing."""
    return default if element is None else (element.text or "")


def child_text(parent: etree._Element, tag: str, default: str = "") -> str:
    """The text of a child, or the default when there is none."""
    return text_of(parent.find(tag), default)
