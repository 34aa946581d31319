"""Digests as somebody receives them: written, sent as a message, parsed again."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from lxml import html

from engine.alerts.decide import Digest, DigestKind
from engine.alerts.digest import write
from engine.alerts.mime import as_message
from engine.alerts.model import Affected, Alert, AlertStatus, OutgoingMail
from engine.alerts.words import MOST_ROWS, SUBSCRIPTION_CODES, Background
from engine.failures import all_failures, failure_by_code
from engine.model import OperatorId

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
PLAIN = Background(timedelta(minutes=30))


def people(number: int) -> tuple[Affected, ...]:
    return tuple(
        Affected(OperatorId(f"op{n:04}"), f"op{n:04}@example.com", f"Words {n}.", START) for n in range(number)
    )


def digest(
    affected: tuple[Affected, ...], code: str = "MAILBOX_NOT_FOUND", kind: DigestKind = DigestKind.REPORT
) -> Digest:
    names = tuple(one.operator_id for one in affected)
    alert = Alert("alert-1", code, AlertStatus.REPORTED, START, START, names, names, None, START)
    return Digest("mail-1", kind, alert, affected, len(affected), START + timedelta(minutes=1))


def over(*names: str) -> Digest:
    made = digest(())
    ended = replace(
        made.alert, operators=tuple(map(OperatorId, names)), quiet_since=START + timedelta(hours=3, minutes=2)
    )
    return replace(made, kind=DigestKind.RECOVERY, alert=ended)


def received(mail: OutgoingMail) -> EmailMessage:
    sent = as_message(mail, "mailroom@example.com", "example.com").as_bytes()
    message = email.message_from_bytes(sent, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert message.defects == []
    return message


def text_of(mail: OutgoingMail) -> str:
    part = received(mail).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: OutgoingMail) -> html.HtmlElement:
    part = received(mail).get_body(("html",))
    assert part is not None
    return html.document_fromstring(part.get_content())


def cells(mail: OutgoingMail) -> list[list[str]]:
    return [[cell.text_content() for cell in row] for row in html_of(mail).findall(".//tbody/tr")]


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_report_says_what_since_when_whom_and_what_to_do() -> None:
    failure = failure_by_code("MAILBOX_NOT_FOUND")
    assert failure is not None
    mail = write(digest(people(20)), ["admin@example.com"], PLAIN)
    message = received(mail)
    cause = failure.cause.rstrip(".")
    assert message["Subject"] == f"[Mailroom] 20 operators: {cause} (MAILBOX_NOT_FOUND)"
    assert (message["To"], message["Auto-Submitted"]) == ("admin@example.com", "auto-generated")
    assert message["X-Auto-Response-Suppress"] == "All"
    assert (message["Message-ID"], message["Date"].datetime) == ("<mail-1@example.com>", mail.created_at)
    for form in (flat(text_of(mail)), flat(html_of(mail).text_content())):
        for words in (failure.cause, "MAILBOX_NOT_FOUND", failure.remedy, failure.meanwhile, "2026-11-24 09:00 UTC"):
            assert flat(words) in form
        assert all(one.message in form and one.email in form and one.operator_id in form for one in people(20))
    assert cells(mail)[0] == ["op0000", "op0000@example.com", "Words 0.", "2026-11-24 09:00 UTC"]


def test_one_is_one() -> None:
    assert write(digest(people(1)), ["a@b"], PLAIN).subject.startswith("[Mailroom] 1 operator: ")


def test_the_first_of_many_are_listed_and_the_rest_can_be_found() -> None:
    mail = write(digest(people(1500)), ["a@b"], PLAIN)
    assert len(cells(mail)) == MOST_ROWS
    for form in (text_of(mail), html_of(mail).text_content()):
        assert "and 1,300 more: mailroom failures --code MAILBOX_NOT_FOUND" in form
        assert f"op{MOST_ROWS:04}" not in form
    assert "1,500 operators" in received(mail)["Subject"]


def test_newcomers_are_told_as_such() -> None:
    mail = write(replace(digest(people(2), kind=DigestKind.FURTHER), standing=22), ["a@b"], PLAIN)
    assert received(mail)["Subject"].startswith("[Mailroom] 2 more operators: ")
    assert "2 more, 22 operators altogether" in text_of(mail)


def test_the_end_says_how_long_it_took_and_whom_it_had_touched() -> None:
    mail = write(over("ann", "bob"), ["a@b"], PLAIN)
    assert received(mail)["Subject"].startswith("[Mailroom] Over: ")
    assert cells(mail) == [["ann"], ["bob"]]
    assert "3 hours 2 minutes, from 2026-11-24 09:00 UTC to 2026-11-24 12:02 UTC" in text_of(mail)
    assert "  ann\n  bob\n" in text_of(mail).replace("\r\n", "\n")


@pytest.mark.parametrize("code", ["THROTTLED", "STORE_DOWN", "SYNC_TIMED_OUT"])
def test_a_passing_cause_was_retried_and_then_cancelled(code: str) -> None:
    told = replace(digest(people(2), code), written_at=START + timedelta(minutes=90))
    mail = write(told, ["a@b"], Background(timedelta(minutes=90)))
    assert "It has retried for 1 hour 30 minutes, and then cancelled" in flat(text_of(mail))
    assert "email_sync.notification_frequency minutes" not in mail.text
    assert (code in mail.subject, mail.subject.count("SYNC_TIMED_OUT")) == (True, 1)
    assert f"({code}, SYNC_TIMED_OUT)" in mail.text or code == "SYNC_TIMED_OUT"
    assert "Since\n  2026-11-24 09:00 UTC\n" in mail.text


@pytest.mark.parametrize("since", [START + timedelta(minutes=70), None])
def test_no_time_of_retries_is_claimed_that_is_not_true_of_all(since: datetime | None) -> None:
    late = Affected(OperatorId("late"), "late@example.com", "No.", since)
    told = replace(digest((*people(1), late), "STORE_DOWN"), written_at=START + timedelta(minutes=90))
    text = flat(text_of(write(told, ["a@b"], Background(timedelta(minutes=90)))))
    assert "It has retried, and then cancelled" in text
    assert "1 hour 30 minutes" not in text


def test_a_cause_that_is_everybodys_says_so_though_some_have_not_met_it_yet() -> None:
    mail = write(digest(people(100), "AUTH_FAILED"), ["a@b"], replace(PLAIN, everybody=475))
    assert mail.subject.startswith("[Mailroom] All 475 operators: ")
    text = flat(text_of(mail))
    assert "Exchange serves nobody at the moment: 475 operators, all who are enabled" in text
    assert "100 have met it so far, the others will when they are synchronised next." in text
    assert "Who have met it so far: 100 operators" in text


def test_a_cause_that_everybody_has_met_names_them_all() -> None:
    mail = write(digest(people(20), "AUTH_FAILED"), ["a@b"], replace(PLAIN, everybody=20))
    assert mail.subject.startswith("[Mailroom] 20 operators: ")
    text = flat(text_of(mail))
    assert "Exchange serves nobody at the moment: 20 operators" in text
    assert "so far" not in text
    assert "Whom it touches: 20 operators" in text


@pytest.mark.parametrize("code", ["AUTH_FAILED", *SUBSCRIPTION_CODES])
def test_a_cause_that_is_told_at_once_was_not_retried(code: str) -> None:
    failure = failure_by_code(code)
    assert failure is not None
    text = flat(text_of(write(digest(people(1), code), ["a@b"], PLAIN)))
    assert flat(failure.meanwhile) in text
    assert "cancelled" not in text


@pytest.mark.parametrize("code", [*(one.code for one in all_failures()), "FROM_A_LATER_VERSION"])
def test_every_code_has_a_digest(code: str) -> None:
    for kind in DigestKind:
        mail = write(digest(people(1), code, kind), ["a@b"], PLAIN)
        subject = received(mail)["Subject"]
        assert subject.endswith((f"({code})", f"({code}, SYNC_TIMED_OUT)"))
        assert "None" not in mail.text + mail.html


def test_an_end_that_comes_in_place_of_its_report_says_that_too() -> None:
    report = replace(write(digest(people(2)), ["a@b", "c@d"], PLAIN), error="Down.\r\nBcc: x", recipients=("a@b",))
    text = flat(text_of(write(over("ann"), ["a@b", "c@d"], replace(PLAIN, untold=(report,)))))
    assert "A report was written at 2026-11-24 09:01 UTC and could not be sent to a@b (Down. Bcc: x)." in text
    assert "from 2026-11-24 09:00 UTC to 2026-11-24 12:02 UTC" in text


def test_the_end_of_a_passing_cause_says_that_it_had_been_retried_before() -> None:
    ended = over("ann")
    ended = replace(ended, alert=replace(ended.alert, code="STORE_DOWN"))
    assert "It had been retried before that." in flat(text_of(write(ended, ["a@b"], PLAIN)))
    assert "retried" not in text_of(write(over("ann"), ["a@b"], PLAIN))


def test_nothing_is_linked() -> None:
    mail = write(digest(people(3)), ["a@b"], PLAIN)
    assert html_of(mail).findall(".//a") == []
    assert "http" not in mail.text


def test_the_table_can_be_read_aloud() -> None:
    page = html_of(write(digest(people(2)), ["a@b"], PLAIN))
    assert page.get("lang") == "en"
    assert (page.findtext(".//title") or "").startswith("2 operators")
    assert [cell.get("scope") for cell in page.findall(".//th")] == ["col"] * 4 + ["row"] * 2
    assert page.find(".//caption") is not None


NASTY = (
    "line\r\nBcc: eve@example.com\r\n\r\nbody",
    "=?utf-8?q?=0D=0ABcc:_eve@example.com?=",
    "<script>alert(1)</script><img src=x>",
    "\u202egnp.exe \x00 \x1b[31m \ud800 \u2028 ünï 你好 🎉",
    "{{ 7*7 }}{% for x in y %}",
    "x" * 10_000,
    "",
)


@pytest.mark.parametrize("nasty", NASTY)
def test_what_comes_from_outside_stays_text(nasty: str) -> None:
    one = Affected(OperatorId(nasty), nasty, nasty, None)
    mail = write(digest((one,)), ["a@b"], PLAIN)
    message = received(mail)
    assert message["Bcc"] is None
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    page = html_of(mail)
    assert page.findall(".//script") == page.findall(".//img") == []
    assert len(cells(mail)[0]) == 4
    for form in (text_of(mail).replace("\r\n", "\n"), page.text_content()):
        assert not set(form) & {"\u202e", "\x00", "\x1b", "\r", "\u2028"}
        assert len(form) < 5000
        assert "49" not in form
    assert max(len(line) for line in message.as_bytes().splitlines()) < 998
    assert not any(line.startswith("Bcc:") for line in text_of(mail).splitlines())
    write(over(nasty), ["a@b"], PLAIN)


@pytest.mark.parametrize("nasty", [*NASTY, "Ünï " * 200])
def test_no_subject_adds_a_header(nasty: str) -> None:
    mail = OutgoingMail("id", "alert", ("a@b",), f"S {nasty}", "t", "h", START)
    message = received(mail)
    assert message["Bcc"] is None
    assert message["Subject"].startswith("S")
    assert len(message["Subject"]) <= 210
    assert message.get_body(("plain",)) is not None


def test_without_a_sender_there_is_no_from() -> None:
    mail = write(digest(people(1)), ["a@b"], PLAIN)
    assert as_message(mail, "", "example.com")["From"] is None
