"""Plain text from an HTML body, for servers that give none (TextBody came with Exchange 2013).

What a reader would see, roughly as Exchange itself converts it: no styles and scripts, blocks and rows on lines of
their own, runs of white space as one space, cells of a row separated by tabs, list items with a dash. Links keep
their text only.
"""

import re
from html import unescape

from lxml import etree

_SKIP = frozenset({"head", "script", "style", "template", "noscript", "title", "meta", "link", "object", "xml"})
_BLOCK = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "div", "dl", "dt", "fieldset", "figcaption",
    "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html", "li", "main", "nav", "ol",
    "p", "pre", "section", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_PARAGRAPH = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "table", "ul", "ol", "pre"})
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_EDGES = re.compile(r"[ \t]*\n[ \t]*")
_MARKUP = re.compile(
    r"<!--.{0,20000}?-->|<(style|script)\b.{0,200000}?</\1\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE
)  # bounded, because mail is written by anybody
_GAPS = re.compile(r"\n{3,}")


def html_to_text(html: str) -> str:
    """The text of an HTML document or fragment; empty for one without text."""
    if not html.strip():
        return ""
    parser = etree.HTMLParser(
        encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True, recover=True
    )
    try:
        root = etree.fromstring(html.encode("utf-8", errors="replace"), parser)
    except etree.XMLSyntaxError:
        return _crude(html)
    if root is None or any(entry.level == etree.ErrorLevels.FATAL for entry in parser.error_log):
        return _crude(html)  # nested so deep that the parser gave up on the rest
    out = _Writer()
    _collect(root, out)
    return _tidy("".join(out.pieces))


def _crude(html: str) -> str:
    return _tidy(_BLANKS.sub(" ", unescape(_MARKUP.sub(" ", html))))


def _tidy(text: str) -> str:
    text = text.replace("\xa0", " ").replace("\u200b", "")
    return _GAPS.sub("\n\n", _EDGES.sub("\n", text)).strip()


class _Writer:
    """Collects pieces; blocks end the line they find open, and no more."""

    def __init__(self) -> None:
        self.pieces: list[str] = []
        self._breaks = 2  # line breaks at the end of what is written, white space aside

    def add(self, text: str | None, *, keep: bool) -> None:
        if not text:
            return
        text = text if keep else _BLANKS.sub(" ", text)
        self.pieces.append(text)
        if text.strip(" \t\n"):
            self._breaks = 0

    def end_lines(self, breaks: int) -> None:
        if self._breaks < breaks:
            self.pieces.append("\n" * (breaks - self._breaks))
            self._breaks = breaks

    def line_break(self) -> None:
        self.pieces.append("\n")
        self._breaks += 1


def _collect(root: etree._Element, out: _Writer) -> None:
    # iterwalk and no recursion: mail nests tables hundreds deep
    walker = etree.iterwalk(root, events=("start", "end"))
    for event, node in walker:
        tag = node.tag if isinstance(node.tag, str) else ""
        skipped = tag in _SKIP or not tag
        if event == "start":
            if skipped:
                walker.skip_subtree()
            else:
                _open(tag, out)
                out.add(node.text, keep=tag == "pre")
        else:
            if not skipped:
                _close(tag, out)
            if node is not root:
                out.add(node.tail, keep=False)


def _open(tag: str, out: _Writer) -> None:
    if tag == "br":
        out.line_break()
    elif tag in _BLOCK:
        out.end_lines(2 if tag in _PARAGRAPH else 1)
    if tag == "li":
        out.add("- ", keep=True)


def _close(tag: str, out: _Writer) -> None:
    if tag in ("td", "th"):
        out.add("\t", keep=True)
    elif tag in _BLOCK:
        out.end_lines(2 if tag in _PARAGRAPH else 1)
