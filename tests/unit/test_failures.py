"""The table of failures: its page, its words, and that it says of Exchange's codes what their translation does."""

import re

import pytest

from engine import errors, failures
from engine.failure_page import PAGE, page
from engine.failures import Action, Failure, all_failures, failure_by_code, failure_for, is_permanent
from engine.settings import Settings
from engine.sources.ews.judge import judge
from engine.sources.ews.translate import KINDS, Refusal, translate

ROWS = all_failures()
REQUIRED = [
    "AUTH_FAILED",
    "EWS_BLOCKED",
    "IMPERSONATION_DENIED",
    "MAILBOX_NOT_FOUND",
    "ACCOUNT_DISABLED",
    "VERSION_INVALID",
    "LISTENER_URL_INVALID",
    "LISTENER_UNREACHABLE",
    "SUBSCRIPTION_LOST",
    "SUBSCRIPTION_QUOTA",
    "THROTTLED",
    "STATE_INVALID",
    "MAILBOX_MOVING",
    "STORE_DOWN",
    "FOLDER_MISSING",
    "ITEM_UNREADABLE",
    "SYNC_TIMED_OUT",
]
STATUSES = sorted({(trigger, row.code) for row in ROWS for trigger in row.triggers if trigger.startswith("HTTP ")})


def fields_of(section: str) -> set[str]:
    kind = Settings.model_fields[section].annotation
    assert kind is not None
    return set(kind.model_fields)


def with_code(code: str) -> Failure:
    row = failure_by_code(code)
    assert row is not None
    return row


@pytest.mark.parametrize("code", REQUIRED)
def test_every_cause_the_specification_names_has_its_row(code: str) -> None:
    row = with_code(code)
    assert row.triggers
    assert row.meanwhile.endswith(".")


def test_the_page_is_made_from_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: make docs"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.code)
def test_the_page_leads_from_each_code_to_its_answer(row: Failure) -> None:
    text = page().replace("`", "")
    assert f"| [{row.code}](#{row.code.lower()}) | {row.cause} |" in text
    section = text.split(f"\n## {row.code}\n")[1].split("\n## ")[0]
    assert row.remedy in section
    assert row.meanwhile in section
    assert all(trigger in section for trigger in row.triggers)
    assert row.page in section


def test_no_line_of_a_table_is_broken_by_its_words() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| [")]
    assert len(rows) == len(ROWS)
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in rows)


@pytest.mark.parametrize("code", sorted(KINDS))
def test_exchanges_codes_stand_where_their_translation_leads(code: str) -> None:
    error = translate(Refusal(code, "Words."), "ann@example.com")
    assert [row.code for row in ROWS if code in row.triggers] == [failure_for(error).code]


def test_no_code_stands_there_that_is_not_translated() -> None:
    named = {trigger for row in ROWS for trigger in row.triggers if re.fullmatch(r"Error\w+", trigger)}
    assert named == set(KINDS)


@pytest.mark.parametrize(("status", "code"), STATUSES)
def test_statuses_stand_where_they_are_judged_to_lead(status: str, code: str) -> None:
    web_page = b"<!DOCTYPE html><html><body>Sorry</body></html>"
    with pytest.raises(errors.SourceError) as caught:
        judge("https://mail.example.com/EWS/Exchange.asmx", int(status.removeprefix("HTTP ")), {}, web_page)
    assert failure_for(caught.value).code == code


def test_permanent_are_those_that_somebody_has_to_remove() -> None:
    assert {action for action in Action if is_permanent(action)} == {Action.DISABLE, Action.RE_AUTHENTICATE}
    permanent = {row.code for row in ROWS if is_permanent(row.action)}
    assert permanent == {
        "AUTH_FAILED",
        "EWS_BLOCKED",
        "IMPERSONATION_DENIED",
        "MAILBOX_NOT_FOUND",
        "ACCOUNT_DISABLED",
        "VERSION_INVALID",
        "ENDPOINT_INVALID",
        "LISTENER_URL_INVALID",
        "SYNC_TIMED_OUT",
    }


def test_a_moving_mailbox_is_not_taken_for_a_store_that_is_down() -> None:
    moving = translate(Refusal("ErrorMailboxMoveInProgress", "Moving."), "ann@example.com")
    assert isinstance(moving, errors.SourceUnavailable), "whoever waits for Exchange to come back waits for this too"
    assert failure_for(moving).code == "MAILBOX_MOVING"


def test_a_setting_the_words_name_is_one_there_is() -> None:
    words = " ".join(f"{row.remedy} {row.cause} {' '.join(row.triggers)}" for row in ROWS)
    for section, name in re.findall(r"\b(exchange|email_sync|store|cluster|gateway)\.([a-z_]+)\b", words):
        assert name in fields_of(section), f"{section}.{name}"


def test_every_row_is_reached_by_its_code() -> None:
    assert with_code("SYNC_TIMED_OUT") is failures.SYNC_TIMED_OUT
    assert all(failure_by_code(row.code) is row for row in ROWS)
