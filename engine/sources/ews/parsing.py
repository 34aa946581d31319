"""XML as Exchange really sends it, parsed so that it can do no harm.

No DTD, no entities, no network: a document with a DOCTYPE is refused before it is parsed, because libxml2 expands
entities in attribute values whatever it is told. Huge text nodes are allowed where the server is our own Exchange
(bodies over 10 MB exist), and not where anybody may post (notifications).

Exchange writes character references and raw bytes that XML 1.0 forbids (``&#x0B;`` from Word, NUL, lone surrogates).
The document is parsed as it is first, which costs nothing; only after a syntax error is it cleaned and parsed again.
"""

import re
import threading

from lxml import etree

from engine.errors import ResponseUnreadable

_WIDE = (b"\xff\xfe", b"\xfe\xff", b"<\x00", b"\x00<")
_REFERENCE = re.compile(r"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,10}));")
_PAIR = re.compile(
    r"&#(?:x[dD][89abAB][0-9a-fA-F]{2}|5[5-6][0-9]{3});&#(?:x[dD][c-fC-F][0-9a-fA-F]{2}|5[6-7][0-9]{3});"
)
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\ufffe\uffff]")
_BREAKS = re.compile("[\x0b\x0c]")
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")


class _Doctype(Exception):
    """The document has a DOCTYPE; never leaves this module."""


_local = threading.local()


def _parser(*, huge: bool) -> etree.XMLParser:
    # One for each thread: lxml lets one thread at a time use a parser, and a new one costs as much as a small parse
    name = "huge" if huge else "plain"
    parser: etree.XMLParser | None = getattr(_local, name, None)
    if parser is None:
        parser = _new_parser(huge=huge)
        setattr(_local, name, parser)
    return parser


def _new_parser(*, huge: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=huge,
        collect_ids=False,
    )


def parse_plain(document: bytes, *, huge: bool = False) -> etree._Element:
    """Parse as it is.

    Raises:
        ResponseUnreadable: not well-formed, empty, or with a DOCTYPE.
    """
    try:
        return _parse(document, huge=huge)
    except _Doctype as error:
        raise ResponseUnreadable(
            "The XML declares a document type, which Exchange never does; it was refused."
        ) from error
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise ResponseUnreadable(f"Not well-formed XML: {error}") from error


def parse_answer(document: bytes) -> etree._Element:
    """Parse an answer of Exchange; clean it where it breaks the rules of XML.

    Raises:
        ResponseUnreadable: it cannot be read even so.
    """
    try:
        return _parse(document, huge=True)
    except (_Doctype, etree.XMLSyntaxError, ValueError, LookupError):
        return parse_plain(cleaned(document), huge=True)


def _parse(document: bytes, *, huge: bool) -> etree._Element:
    if document[:2] in _WIDE:
        # The DOCTYPE test below reads ASCII
        document = _decoded(document).encode()
    if _has_doctype(document):
        raise _Doctype
    return etree.fromstring(document, _parser(huge=huge))


def _has_doctype(document: bytes) -> bool:
    """Whether one stands before the root element; nothing after that is looked at, because bodies are long."""
    at = 3 if document.startswith(b"\xef\xbb\xbf") else 0
    while True:
        while document[at : at + 1].isspace():
            at += 1
        for start, end in ((b"<?", b"?>"), (b"<!--", b"-->")):
            if document.startswith(start, at):
                found = document.find(end, at + len(start))
                if found < 0:
                    return False
                at = found + len(end)
                break
        else:
            return document.startswith(b"<!DOCTYPE", at)


def _decoded(document: bytes) -> str:
    if document[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = document.decode("utf-16", errors="replace")
    elif document[:2] == b"<\x00":
        text = document.decode("utf-16-le", errors="replace")
    elif document[:2] == b"\x00<":
        text = document.decode("utf-16-be", errors="replace")
    else:
        text = document.decode("utf-8-sig", errors="replace")
    return _DECLARED.sub("", text)  # the encoding it names is not its own any more


def cleaned(document: bytes) -> bytes:
    """The document without what XML 1.0 forbids.

    Vertical tabs and form feeds become line breaks, other control characters go; bad UTF-8 becomes U+FFFD, and so do
    halves of surrogate pairs, unless both halves are there.
    """
    text = _decoded(document)
    text = _PAIR.sub(_joined, text)
    text = _REFERENCE.sub(_reference, text)
    return _FORBIDDEN.sub("", _BREAKS.sub("\n", text)).encode("utf-8", errors="replace")


def _code(match: re.Match[str]) -> int:
    return int(match[1], 16) if match[1] else int(match[2])


def _joined(match: re.Match[str]) -> str:
    high, low = (_code(half) for half in _REFERENCE.finditer(match[0]))
    if 0xD800 <= high < 0xDC00 <= low < 0xE000:
        return f"&#{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)};"
    return match[0]


def _reference(match: re.Match[str]) -> str:
    code = _code(match)
    if code in (0x9, 0xA, 0xD) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000:
        return match[0]
    if code in (0xB, 0xC):
        return "\n"
    return "\ufffd" if code >= 0xD800 else ""
