"""What a gateway knows of tokens: how old it may be, and how often the store is asked."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from api.token_directory import FRESH_SECONDS, NEW_SECONDS, TokenDirectory
from engine.access.tokens import TokenRecord
from engine.errors import StoreUnavailable
from tests.api.access import give_out
from tests.fakes.mailroom import FakeMailroom

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Watched(FakeMailroom):
    """Counts how often it is asked; answers wait for ``gate``, and are as when they were asked."""

    def __init__(self) -> None:
        super().__init__()
        self.looked_up, self.gate = 0, asyncio.Event()
        self.gate.set()

    async def tokens(self) -> list[TokenRecord]:
        self.looked_up += 1
        answer = await super().tokens()
        await self.gate.wait()
        return answer


class Timer:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def mailroom() -> Watched:
    return Watched()


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
async def directory(mailroom: Watched, timer: Timer) -> AsyncIterator[TokenDirectory]:
    directory = TokenDirectory(mailroom, timer)
    yield directory
    mailroom.gate.set()
    await directory.close()


async def test_what_is_revoked_elsewhere_counts_after_a_second(
    mailroom: Watched, timer: Timer, directory: TokenDirectory
) -> None:
    token_id = give_out(mailroom).record.token_id
    assert (await directory.find(token_id)) is not None
    await mailroom.revoke_token(token_id, NOW)
    timer.seconds += FRESH_SECONDS
    record = await directory.find(token_id)
    assert record is not None
    assert record.revoked_at == NOW


async def test_what_is_revoked_here_counts_at_once(mailroom: Watched, directory: TokenDirectory) -> None:
    token_id = give_out(mailroom).record.token_id
    await directory.find(token_id)
    await mailroom.revoke_token(token_id, NOW)
    directory.forget()
    record = await directory.find(token_id)
    assert record is not None
    assert record.revoked_at == NOW


async def test_an_answer_from_before_a_revocation_does_not_count(mailroom: Watched, directory: TokenDirectory) -> None:
    token_id = give_out(mailroom).record.token_id
    mailroom.gate.clear()
    asking = asyncio.create_task(directory.find(token_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert mailroom.looked_up == 1
    await mailroom.revoke_token(token_id, NOW)
    directory.forget()
    mailroom.gate.set()
    record = await asking
    assert record is not None
    assert record.revoked_at == NOW
    assert mailroom.looked_up == 2


async def test_many_at_once_ask_once(mailroom: Watched, timer: Timer, directory: TokenDirectory) -> None:
    await asyncio.gather(*(directory.find(f"guess {number}") for number in range(1000)))
    assert mailroom.looked_up == 1
    timer.seconds += 2 * NEW_SECONDS
    await asyncio.gather(*(directory.find(f"guess {number}") for number in range(1000)))
    assert mailroom.looked_up == 2, "one that is not known may be new"


async def test_a_known_one_does_not_wait_for_the_store(
    mailroom: Watched, timer: Timer, directory: TokenDirectory
) -> None:
    token_id = give_out(mailroom).record.token_id
    await directory.find(token_id)
    mailroom.gate.clear()
    timer.seconds += FRESH_SECONDS * 0.9
    assert await directory.find(token_id) is not None
    await asyncio.sleep(0)
    assert mailroom.looked_up == 2, "it is asked for the sake of whoever comes next"


async def test_nothing_old_counts_while_the_store_is_away(
    mailroom: Watched, timer: Timer, directory: TokenDirectory
) -> None:
    token_id = give_out(mailroom).record.token_id
    await directory.find(token_id)
    mailroom.error = StoreUnavailable("away")
    timer.seconds += FRESH_SECONDS * 0.9
    assert await directory.find(token_id) is not None
    timer.seconds += FRESH_SECONDS
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await directory.find(token_id)
    mailroom.error = None
    assert await directory.find(token_id) is not None


async def test_a_use_is_noted_once_a_minute(mailroom: Watched, directory: TokenDirectory) -> None:
    issued = give_out(mailroom)
    token_id = issued.record.token_id
    for seconds, expected in ((0, 0), (30, 0), (59, 0), (60, 60), (61, 60)):
        directory.used(issued.record, NOW + timedelta(seconds=seconds))
        await directory.close()
        assert mailroom.access.issued[token_id].last_used_at == NOW + timedelta(seconds=expected)


async def test_a_use_that_cannot_be_noted_troubles_nobody(mailroom: Watched, directory: TokenDirectory) -> None:
    issued = give_out(mailroom)
    mailroom.error = StoreUnavailable("away")
    directory.used(issued.record, NOW)
    await directory.close()
