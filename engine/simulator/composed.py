"""The content of a generated message, composed from phrases when it is asked for."""

import struct
import zlib
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, formatdate
from functools import lru_cache
from html import escape

from engine.simulator.corpus import Language
from engine.simulator.messages import Address, Attachment, Message
from engine.simulator.xml import timestamp

_HEAD = (
    '<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8">\r\n'
    "<style>p.MsoNormal {margin:0cm; font-size:11.0pt; font-family:Calibri,sans-serif;}</style>\r\n"
    '</head><body lang="{code}">\r\n<div class="WordSection1">\r\n'
)
_AROUND = ('<p class="MsoNormal">', "</p>\r\n")
_BETWEEN = "".join(reversed(_AROUND))
_TAIL = "</div>\r\n</body></html>\r\n"
_PICTURE = '<p class="MsoNormal"><img src="cid:logo@example.com" alt=""></p>\r\n'


@dataclass(frozen=True, slots=True, eq=False)
class Composed:
    """Phrases chosen for one message."""

    language: Language
    author: Address
    to: Address
    company: str
    paragraphs: tuple[int, ...]
    values: dict[str, str]
    plain: bool
    files: int
    picture: bool
    quoted: Message | None

    def text(self) -> str:
        """The plain text body."""
        lines = [*_lines(self), *(f"> {line}" for line in self._quote())]
        return "\r\n\r\n".join(lines) + "\r\n"

    def html(self) -> str | None:
        """The HTML body, as Outlook writes one."""
        if self.plain:
            return None
        lines = escape("\n".join(_lines(self)), quote=False)
        body = lines.replace("\n", _BETWEEN).join(_AROUND)
        quote = escape("\n".join(self._quote()), quote=False).replace("\n", "<br>")
        if quote:
            quote = f"<blockquote>{quote}</blockquote>\r\n"
        picture = _PICTURE if self.picture else ""
        return _HEAD.replace("{code}", self.language.code) + body + picture + quote + _TAIL

    def size(self) -> int:
        """About what Exchange would report."""
        phrases = sum(len(self.language.paragraphs[index]) for index in self.paragraphs)
        return 2600 + phrases * (1 if self.plain else 2) + 900 * self.files

    def attachments(self) -> tuple[Attachment, ...]:
        """Files a business letter would carry, and now and then a picture in the text."""
        if not self.files and not self.picture:
            return ()
        number = self.values["n"]
        files = [
            Attachment(f"{self.values['p']} {number}.pdf", "application/pdf", _pdf(self.values)),
            Attachment(f"positions-{number}.csv", "text/csv", _csv(self.values)),
        ][: self.files]
        if self.picture:
            files.append(Attachment("logo.png", "image/png", _png(), "logo@example.com", is_inline=True))
        return tuple(files)

    def headers(self, message: Message) -> list[tuple[str, str]]:
        """The internet headers, newest Received first."""
        host = self.author.address.rpartition("@")[2]
        date = formatdate(message.sent_at, usegmt=True)
        found = [
            ("Received", f"from mail.{host} (192.0.2.25) by mx.example.com with ESMTPS; {date}"),
            ("From", formataddr((self.author.name, self.author.address), "utf-8")),
            ("To", formataddr((self.to.name, self.to.address), "utf-8")),
            ("Subject", message.subject),
            ("Date", date),
            ("Message-ID", message.message_id),
        ]
        if message.in_reply_to:
            found += [("In-Reply-To", message.in_reply_to), ("References", message.references)]
        return [*found, ("MIME-Version", "1.0"), ("X-MS-Exchange-Organization-SCL", "1")]

    def mime(self, message: Message) -> bytes:
        """The message in MIME."""
        mail = EmailMessage(SMTP)
        for name, value in self.headers(message):
            if name not in {"Subject", "MIME-Version", "From", "To"}:
                mail[name] = value
        mail["Subject"] = message.subject
        mail["From"] = formataddr((self.author.name, self.author.address), "utf-8")
        mail["To"] = formataddr((self.to.name, self.to.address), "utf-8")
        if message.cc:
            mail["Cc"] = ", ".join(formataddr((person.name, person.address), "utf-8") for person in message.cc)
        mail.set_content(self.text().replace("\r\n", "\n"))
        html = self.html()
        if html:
            mail.add_alternative(html.replace("\r\n", "\n"), subtype="html")
        for attachment in self.attachments():
            main, _, sub = attachment.content_type.partition("/")
            mail.add_attachment(attachment.data, main, sub, filename=attachment.name)
        return mail.as_bytes()

    def _quote(self) -> list[str]:
        if self.quoted is None or not isinstance(self.quoted.content, Composed):
            return []
        earlier = self.quoted.content
        wrote = self.language.wrote.format(name=earlier.author.name)
        first = self.language.paragraphs[earlier.paragraphs[0]].format_map(earlier.values)
        return [f"{wrote}, {timestamp(self.quoted.sent_at)[:10]}", first]


@lru_cache(maxsize=64)
def _lines(content: Composed) -> list[str]:
    """The lines of a message; remembered for a moment, since text and HTML are mostly wanted together."""
    language = content.language
    middle = [language.paragraphs[index].format_map(content.values) for index in content.paragraphs]
    greeting = language.greeting.format(name=content.to.name)
    address = f"{content.company} | {content.author.address}"
    return [greeting, *middle, language.closing, content.author.name, address]


def _csv(values: dict[str, str]) -> bytes:
    rows = [f"{line};{values['p']};{line * 3};{line * 17}.50" for line in range(1, 20)]
    return ("line;item;quantity;price\r\n" + "\r\n".join(rows) + "\r\n").encode()


def _pdf(values: dict[str, str]) -> bytes:
    page = f"BT /F1 12 Tf 72 720 Td ({values['p']} {values['n']}: {values['a']}) Tj ET".encode("ascii", "replace")
    return b"%%PDF-1.4\n1 0 obj<</Length %d>>stream\n%s\nendstream endobj\ntrailer<<>>\n%%%%EOF\n" % (len(page), page)


def _png() -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\x00\x1f\x6f\xb2")) + chunk(b"IEND", b"")
