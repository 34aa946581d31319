from datetime import UTC, datetime

import pytest

from engine.errors import ResponseUnreadable
from engine.sources.ews.identity import same_id
from engine.sources.ews.parsing import parse_answer, parse_plain
from engine.sources.ews.text import html_to_text
from engine.sources.ews.times import parse_time


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (b"<a>plain</a>", "plain"),
        (b"<a>x&#x0B;y</a>", "x\ny"),
        (b"<a>x&#11;&#12;y</a>", "x\n\ny"),
        (b"<a>x\x0by\x00z&#0;</a>", "x\nyz"),
        (b"<a>&#xD83D;&#xDE00;</a>", "\U0001f600"),
        (b"<a>&#55357;&#56832;</a>", "\U0001f600"),
        (b"<a>&#xD800;!</a>", "\ufffd!"),
        (b"<a>&#xDE00;&#xD83D;</a>", "\ufffd\ufffd"),
        (b"<a>&#xFFFE;&#xFFFFFFFF;</a>", "\ufffd\ufffd"),
        (b"<a>bad \xed\xa0\x80 utf-8 \xff</a>", "bad \ufffd\ufffd\ufffd utf-8 \ufffd"),
        ('<?xml version="1.0" encoding="utf-16"?><a>\xe9</a>'.encode("utf-16"), "\xe9"),
        ("<a>\xe9&#1;</a>".encode("utf-16-le"), "\xe9"),
        ("<a>\xe9</a>".encode("utf-16-be"), "\xe9"),
        (b"\xef\xbb\xbf<a>bom</a>", "bom"),
        (b"<a>&lt;!DOCTYPE html&gt;<![CDATA[<!DOCTYPE html>]]></a>", "<!DOCTYPE html><!DOCTYPE html>"),
    ],
)
def test_what_exchange_sends_is_read(document: bytes, text: str) -> None:
    assert parse_answer(document).text == text


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<a><b></a>",
        b"<a>cut off",
        b"<!DOCTYPE a><a/>",
        b'<?xml version="1.0"?>\n<!-- x --><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        b"<a>&undefined;</a>",
        b"<!-- never closed",
    ],
)
def test_what_cannot_be_read_is_refused(document: bytes) -> None:
    with pytest.raises(ResponseUnreadable):
        parse_answer(document)
    with pytest.raises(ResponseUnreadable):
        parse_plain(document)


def test_bodies_over_ten_megabytes_are_read_from_our_own_server_only() -> None:
    document = b"<a>" + b"x" * 11_000_000 + b"</a>"
    assert len(parse_answer(document).text or "") == 11_000_000
    with pytest.raises(ResponseUnreadable):
        parse_plain(document)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01T08:00:00Z", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T08:00:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T08:00:00.5Z", datetime(2026, 11, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-11-01T08:00:00.123456789Z", datetime(2026, 11, 1, 8, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-01T10:00:00.1234567+02:00", datetime(2026, 11, 1, 8, 0, 0, 123_456, tzinfo=UTC)),
        ("2026-11-01T02:30:00-05:30", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        (" 2026-11-01T08:00:00Z\n", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-05:00", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_any_form_become_utc(text: str | None, moment: datetime | None) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("<!-- nothing -->", ""),
        ("no tags", "no tags"),
        ("<p>One  <b>two</b>\n three</p><p>four</p>", "One two three\n\nfour"),
        ("<html><head><style>p{}</style><title>t</title></head><body>x<script>y</script>z</body></html>", "xz"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<table><tr><td>1</td><td>2</td></tr> <tr><td>3</td></tr></table>", "1\t2\n3"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("<div><div>deep</div></div>end", "deep\nend"),
        ("<p>caf&eacute;&nbsp;&amp; <a href='x'>link</a></p>", "caf\xe9 & link"),
        ("<div>" * 3000 + "x", "x"),
    ],
)
def test_html_becomes_what_a_reader_sees(html: str, text: str) -> None:
    assert html_to_text(html) == text


def test_an_id_is_the_same_however_it_is_written() -> None:
    # Bytes 01 .. : the run of five zeros is written 00 00 03
    short = "AQMkAGEAAANiAAAA"
    assert same_id(short, short)
    assert same_id(short, "AAMkAGEAAAAAAGIAAA==") is True
    assert not same_id(short, "AAMkAGEAAAAAAGMAAA==")
    assert not same_id("inbox-id", "other-id")
    assert not same_id("AQAA", "")
