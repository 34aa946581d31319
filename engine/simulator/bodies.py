"""A message's body in the forms a client may ask for."""

import html as entities
import re

from engine.simulator.mailbox import Mailbox
from engine.simulator.messages import Message
from engine.simulator.xml import clean, escape

_DROPPED = re.compile(r"<(style|script|head|title)\b.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_BREAK = re.compile(r"<(?:br|/p|/div|/tr|/li|/h[1-6]|/blockquote)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_SPACES = re.compile(r"[ \t\r\n]+")
_LINES = re.compile(r"(?: *\n *){3,}")
_PREVIEW = 255


def html_to_text(html: str) -> str:
    """HTML as Exchange shows it in plain text, roughly."""
    text = _COMMENT.sub("", _DROPPED.sub("", html))
    text = _SPACES.sub(" ", text)
    text = _TAG.sub("", _BREAK.sub("\n", text))
    text = _LINES.sub("\n\n", entities.unescape(text))
    lines = (line.strip() for line in text.strip().split("\n"))
    return clean("\r\n".join(lines) + "\r\n")


def text_to_html(text: str) -> str:
    """Plain text as Exchange wraps it in HTML."""
    lines = escape(text).replace("&#xD;", "").replace("\n", "<br>\r\n")
    return (
        '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
        f'<meta name="Generator" content="Microsoft Exchange Server">\r\n</head>\r\n<body>\r\n'
        f'<div class="PlainText">{lines}</div>\r\n</body></html>\r\n'
    )


def _element(tag: str, kind: str, content: str) -> str:
    return f'<t:{tag} BodyType="{kind}" IsTruncated="false">{escape(content)}</t:{tag}>'


def best(_: Mailbox, message: Message) -> str:
    """Body as HTML where the message has HTML, else as text."""
    html = message.content.html()
    return _element("Body", "Text", message.content.text()) if html is None else _element("Body", "HTML", html)


def as_html(_: Mailbox, message: Message) -> str:
    """Body as HTML in any case."""
    html = message.content.html()
    return _element("Body", "HTML", text_to_html(message.content.text()) if html is None else html)


def as_text(_: Mailbox, message: Message) -> str:
    """Body as plain text in any case."""
    return _element("Body", "Text", message.content.text())


def text(_: Mailbox, message: Message) -> str:
    """TextBody."""
    return _element("TextBody", "Text", message.content.text())


def unique(_: Mailbox, message: Message) -> str:
    """UniqueBody: what this message adds to its conversation; here, the text above the first quoted line."""
    own = message.content.text().split("\r\n> ", 1)[0]
    return _element("UniqueBody", "Text", own)


def normalized(_: Mailbox, message: Message) -> str:
    """NormalizedBody."""
    html = message.content.html()
    return _element("NormalizedBody", "HTML", text_to_html(message.content.text()) if html is None else html)


def preview(_: Mailbox, message: Message) -> str:
    """The first words of the body."""
    return (
        f"<t:Preview>{escape(_SPACES.sub(' ', message.content.text()[: _PREVIEW + 50]).strip()[:_PREVIEW])}</t:Preview>"
    )
