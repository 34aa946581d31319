import base64
from pathlib import Path

import pytest

from engine.simulator import SimulatedExchange
from tests.unit.simulator.ews import FULL, MAIL, NS, ONE, TWO, serving


def load(folder: Path, data: bytes) -> SimulatedExchange:
    (folder / "sub").mkdir()
    (folder / "sub" / "a.eml").write_bytes(data)
    return SimulatedExchange(mail_dir=folder, operators=1)


@pytest.mark.skipif(not MAIL.exists(), reason="the corpus of real mail is not here")
async def test_every_real_mail_loads_and_is_served() -> None:
    files = {path.read_bytes() for path in MAIL.rglob("*.eml")}
    async with serving(mail_dir=MAIL, operators=1) as client:
        truth = client.exchange.items(ONE)
        assert len(truth) == len(list(MAIL.rglob("*.eml")))
        served = set()
        for start in range(0, len(truth), 50):
            batch = truth[start : start + 50]
            answer = await client.get_items([item.item_id for item in batch])
            assert set(answer.codes) == {"NoError"}
            for item, element in zip(batch, answer.all("t:Message"), strict=True):
                assert element.findtext("t:Subject", "", NS) == item.subject
                assert element.findtext("t:TextBody", "", NS) == item.body_text
                assert element.findtext("t:Body", "", NS) == (
                    item.body_text if item.body_html is None else item.body_html
                )
                served.add(base64.b64decode(element.findtext("t:MimeContent", "", NS)))
        assert served == files
        ids = "".join(
            f'<t:AttachmentId Id="{attachment.get("Id")}"/>'
            for attachment in (await client.get_items([i.item_id for i in truth if i.attachments])).all(
                "t:AttachmentId"
            )
        )
        fetched = await client.call(f"<m:GetAttachment><m:AttachmentIds>{ids}</m:AttachmentIds></m:GetAttachment>")
        assert set(fetched.codes) == {"NoError"}


@pytest.mark.skipif(not MAIL.exists(), reason="the corpus of real mail is not here")
def test_mail_is_dealt_round_robin() -> None:
    exchange = SimulatedExchange(mail_dir=MAIL, operators=3)
    counts = [len(exchange.items(person.email)) for person in exchange.operators]
    assert sum(counts) == len(list(MAIL.rglob("*.eml")))
    assert max(counts) - min(counts) <= 1
    assert exchange.items(ONE) != exchange.items(TWO)
    dates = [item.received_at for item in exchange.items(ONE)]
    assert dates == sorted(dates)


@pytest.mark.parametrize(
    ("data", "subject", "text"),
    [
        (b"", "", ""),
        (b"\x00\xff\xfe", "", "ÿþ"),
        (b"Subject: =?utf-8?b?R3LDvMOfZQ==?= =?broken\r\n\r\nx", "Grüße =?broken", "x"),
        (b"Subject: caf\xe9\r\n\r\ncaf\xe9", "café", "café"),
        (b"Subject: caf\xc3\xa9\r\nContent-Type: text/plain; charset=no-such\r\n\r\ncaf\xc3\xa9", "café", "café"),
        (b"Subject: a\x00\x0bb\r\n\r\n\x00\x01x", "ab", "x"),
        (b"Subject: " + b"x" * 100_000 + b"\r\n\r\ny", "x" * 255, "y"),
        (b"Content-Type: text/html\r\n\r\n<style>p{}</style><p>a &amp; b</p><p>c</p>", "", "a & b\r\nc\r\n"),
        (b"Content-Transfer-Encoding: base64\r\n\r\n!!!", "", None),
        (
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nfirst\r\n--x\r\n\r\nsecond\r\n--x--",
            "",
            "first",
        ),
        (b"Content-Type: multipart/mixed\r\n\r\nno boundary", "", None),
    ],
)
def test_mail_in_any_state_loads(tmp_path: Path, data: bytes, subject: str, text: str | None) -> None:
    (item,) = load(tmp_path, data).items(ONE)
    assert item.subject == subject
    if text is not None:
        assert item.body_text == text


def test_what_headers_say(tmp_path: Path) -> None:
    data = (
        b"Received: from a by b; Tue, 2 Jan 2024 10:00:05 +0000\r\nDate: Tue, 2 Jan 2024 12:00:00 +0200\r\n"
        b'From: "M\xc3\xbcller, J." <j@x.example>\r\nTo: a@y.example, =?utf-8?q?B=C3=A9?= <b@y.example>\r\n'
        b"Sensitivity: Company-Confidential\r\nX-Priority: 1 (Highest)\r\nMessage-ID: <2@x>\r\n"
        b"References: <0@x> <1@x>\r\n"
        b"Keywords: a, b\r\nSubject: Re: Plan\r\n\r\nx"
    )
    (item,) = load(tmp_path, data).items(ONE)
    assert (item.received_at - item.sent_at, item.sent_at) == (5, 1704189600)
    assert item.author is not None
    assert item.author == ("Müller, J.", "j@x.example")
    assert [tuple(person) for person in item.to] == [("a@y.example", "a@y.example"), ("Bé", "b@y.example")]
    assert (item.sensitivity, item.importance, item.categories) == ("Confidential", "High", ("a", "b"))
    assert (item.references, item.conversation_topic) == ("<0@x> <1@x>", "Plan")


@pytest.mark.parametrize("date", ["yesterday", "", "Mon, 99 Foo 2024", "Thu, 1 Jan 99999 00:00:00 +0000"])
def test_dates_nobody_can_read(tmp_path: Path, date: str) -> None:
    (item,) = load(tmp_path, f"Date: {date}\r\n\r\nx".encode()).items(ONE)
    assert item.received_at == item.sent_at > 1_700_000_000


async def test_nested_messages_become_attachments(tmp_path: Path) -> None:
    inner = b"Subject: Inner\r\nContent-Type: multipart/mixed; boundary=i\r\n\r\n--i\r\n\r\ndeep\r\n--i--\r\n"
    data = (
        b"Subject: Outer\r\nContent-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n"
        b"Content-Type: multipart/alternative;"
        b" boundary=p\r\n\r\n--p\r\n\r\nplain\r\n--p\r\nContent-Type: text/html\r\n\r\n<b>html</b>\r\n--p--\r\n"
        b"--o\r\nContent-Type: message/rfc822\r\n\r\n"
        + inner
        + b"\r\n--o\r\nContent-Type: application/pdf; name*=utf-8''"
        b"%E2%82%AC.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\nJVBERg==\r\n--o--\r\n"
    )
    (tmp_path / "a.eml").write_bytes(data)
    async with serving(mail_dir=tmp_path, operators=1) as client:
        (item,) = client.exchange.items(ONE)
        assert (item.body_text, item.body_html) == ("plain", "<b>html</b>")
        assert item.attachments == ("Inner", "€.pdf")
        answer = await client.get_items([item.item_id], FULL)
        assert len(answer.all("t:ItemAttachment")) == len(answer.all("t:FileAttachment")) == 1
