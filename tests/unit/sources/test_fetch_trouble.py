"""What of a batch raises, what is asked for again, and what is an item's own trouble."""

import pytest

from engine.errors import ImpersonationDenied, MailroomError, ResponseUnreadable, SourceUnavailable, Throttled
from engine.model import FetchedItems, ItemId
from engine.sources.ews.source import EwsSource
from tests.unit.sources.conftest import INBOX, MAILBOX, Responder
from tests.unit.sources.soap import item, items, refusal


async def fetch(source: EwsSource, *item_ids: str) -> FetchedItems:
    return await source.fetch_items(MAILBOX, INBOX, [ItemId(item_id) for item_id in item_ids])


def ids_of(found: FetchedItems) -> list[str]:
    ids: list[str] = found.emails.column("item_id").to_pylist()
    return ids


async def test_items_that_were_not_tried_are_asked_for_again(source: EwsSource, responder: Responder) -> None:
    stopped = refusal("GetItem", "ErrorBatchProcessingStopped")
    responder.reply(items(item("1"), stopped, stopped))
    responder.reply(items(item("2"), stopped))
    responder.reply(items(item("3")))
    assert ids_of(await fetch(source, "1", "2", "3")) == ["1", "2", "3"]
    assert len(responder.requests) == 3


async def test_a_batch_that_never_gets_on_is_throttled(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(*[refusal("GetItem", "ErrorBatchProcessingStopped")] * 2))
    with pytest.raises(Throttled):
        await fetch(source, "1", "2")
    assert len(responder.requests) == 1


async def test_the_minute_of_a_batch_used_up_asks_for_less(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(*[refusal("GetItem", "ErrorTimeoutExpired")] * 2))
    with pytest.raises(ResponseUnreadable):
        await fetch(source, "1", "2")
    responder.replies.clear()
    responder.reply(items(refusal("GetItem", "ErrorTimeoutExpired")))
    with pytest.raises(SourceUnavailable):
        await fetch(source, "1")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ErrorServerBusy", Throttled),
        ("ErrorMailboxStoreUnavailable", SourceUnavailable),
        ("ErrorMailboxMoveInProgress", SourceUnavailable),
        ("ErrorConnectionFailed", SourceUnavailable),
    ],
)
async def test_the_moments_trouble_raises_even_amid_items(
    source: EwsSource, responder: Responder, code: str, error: type[MailroomError]
) -> None:
    responder.reply(items(item("1"), refusal("GetItem", code), refusal("GetItem", "ErrorBatchProcessingStopped")))
    with pytest.raises(error) as caught:
        await fetch(source, "1", "2", "3")
    assert caught.value.code == code


async def test_one_refusal_for_the_whole_batch_is_told(source: EwsSource, responder: Responder) -> None:
    responder.reply(items(refusal("GetItem", "ErrorServerBusy", BackOffMilliseconds="250")))
    with pytest.raises(Throttled) as caught:
        await fetch(source, "1", "2", "3")
    assert caught.value.retry_after == 0.25


async def test_no_access_to_anything_is_the_mailboxs_trouble_and_to_one_the_items(
    source: EwsSource, responder: Responder
) -> None:
    responder.reply(items(item("1"), refusal("GetItem", "ErrorAccessDenied")))
    assert [one.code for one in (await fetch(source, "1", "2")).unreadable] == ["ErrorAccessDenied"]
    responder.replies.clear()
    responder.reply(items(*[refusal("GetItem", "ErrorAccessDenied")] * 2))
    with pytest.raises(ImpersonationDenied):
        await fetch(source, "1", "2")


async def test_an_internal_error_amid_items_may_pass_and_of_all_is_the_servers(
    source: EwsSource, responder: Responder
) -> None:
    broken = refusal("GetItem", "ErrorInternalServerError", "Oops.")
    responder.reply(items(item("1"), broken))
    found = await fetch(source, "1", "2")
    assert [(one.code, one.reason, one.passing) for one in found.unreadable] == [
        ("ErrorInternalServerError", "Oops.", True)
    ]
    assert ids_of(found) == ["1"]
    for asked in (["1"], ["1", "2"]):
        responder.replies.clear()
        responder.reply(items(*[broken] * len(asked)))
        with pytest.raises(SourceUnavailable, match="Oops"):
            await fetch(source, *asked)


async def test_a_throttled_inner_call_is_throttling(source: EwsSource, responder: Responder) -> None:
    inner = {"InnerErrorResponseCode": "ErrorServerBusy", "InnerErrorMessageText": "Busy.", "BackOffMilliseconds": "0"}
    responder.reply(items(refusal("GetItem", "ErrorInternalServerError", "Oops.", **inner)))
    with pytest.raises(Throttled) as caught:
        await fetch(source, "1")
    assert (caught.value.code, caught.value.retry_after) == ("ErrorServerBusy", 0.0)
