"""One host's door to Exchange: what goes out, what fails at once, and what follows from that."""

import asyncio
import pickle
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from engine import errors
from engine.model import OperatorId
from engine.orders import Orders, Standing
from engine.sync.endpoint import Endpoint
from engine.sync.lanes import Lane
from tests.fakes.clock import FakeClock

ANN, BOB, CLEO = OperatorId("ann"), OperatorId("bob"), OperatorId("cleo")
LOGIN = errors.AuthenticationFailed("no", code="HTTP 401")
RESET = errors.SourceUnavailable("broken off", code="ConnectionError")


class Requests:
    """An endpoint, and what it lets through."""

    def __init__(self, ceiling: int = 4) -> None:
        self.clock = FakeClock()
        self.endpoint = Endpoint(ceiling, self.clock)
        self.made: list[OperatorId] = []

    async def ask(self, who: OperatorId = ANN, error: errors.SourceError | None = None) -> errors.SourceError | None:
        """One request; the error it ended with."""
        try:
            await self.endpoint.ask(Lane.INCREMENTAL, who, self.request(who, error))
        except errors.SourceError as raised:
            return raised
        return None

    def request(self, who: OperatorId, error: errors.SourceError | None = None) -> Callable[[], Awaitable[None]]:
        async def made() -> None:
            self.made.append(who)
            await asyncio.sleep(0)
            if error is not None:
                raise error

        return made

    def wait(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
def requests() -> Requests:
    return Requests()


async def test_while_it_serves_nobody_exchange_is_not_asked(requests: Requests) -> None:
    raised = await requests.ask(ANN, LOGIN)
    assert raised is LOGIN
    assert not raised.standing
    for who in (ANN, BOB):
        refused = await requests.ask(who)
        assert type(refused) is errors.AuthenticationFailed
        assert (str(refused), refused.code, refused.standing) == ("no", "HTTP 401", True)
        assert pickle.loads(pickle.dumps(refused)).standing  # noqa: S301  # our own
    assert requests.made == [ANN]
    assert not LOGIN.standing
    standing = requests.endpoint.standing()
    assert standing is not None
    assert (standing.waiting, standing.opened_at) == (2, requests.clock.now())
    assert requests.endpoint.requests == 1
    assert requests.endpoint.outcomes == {"AUTH_FAILED": 1}


async def test_after_a_refused_login_requests_go_one_at_a_time(requests: Requests) -> None:
    await asyncio.gather(*(requests.ask(OperatorId(str(n))) for n in range(20)))
    assert requests.endpoint.concurrency == 4
    requests.made.clear()
    await requests.ask(ANN, LOGIN)
    ends = await asyncio.gather(*(requests.ask(OperatorId(str(n)), LOGIN) for n in range(20)))
    assert requests.made == ["ann", "0", "1"], "the third in a row opens the circuit"
    assert sum(end is not None and end.standing for end in ends) == 18


async def test_an_answer_ends_the_doubt(requests: Requests) -> None:
    await asyncio.gather(*(requests.ask(OperatorId(str(n))) for n in range(20)))
    await requests.ask(ANN, LOGIN)
    await requests.ask(BOB)
    requests.made.clear()
    tasks = [asyncio.create_task(requests.ask(OperatorId(str(n)))) for n in range(6)]
    await asyncio.sleep(0)
    assert len(requests.made) == 4, "as many at once as before"
    await asyncio.gather(*tasks)


async def test_who_waits_in_line_when_it_opens_does_not_go_out(requests: Requests) -> None:
    ends = await asyncio.gather(*(requests.ask(OperatorId(str(n)), LOGIN) for n in range(20)))
    assert requests.made == ["0"], "it starts with one at once"
    assert sum(end is not None and end.standing for end in ends) == 19


async def test_probes_one_at_a_time_and_everybody_once_it_is_over(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    await requests.ask(BOB)
    assert requests.endpoint.next_to_probe() is None
    requests.wait(17)
    assert requests.endpoint.next_to_probe() == ANN
    assert requests.endpoint.next_to_probe() is None, "it has a moment to come to it"
    ends = await asyncio.gather(requests.ask(ANN, LOGIN), requests.ask(CLEO))
    assert [end is not None and end.standing for end in ends] == [False, True]
    assert requests.endpoint.next_to_probe() is None
    requests.wait(34)
    assert requests.endpoint.next_to_probe() == BOB, "another mailbox each time"
    assert requests.endpoint.recovered() == []
    assert await requests.ask(BOB) is None
    assert requests.endpoint.standing() is None
    assert set(requests.endpoint.recovered()) == {ANN, CLEO}
    requests.endpoint.seen_to([ANN])
    assert requests.endpoint.recovered() == [CLEO]
    assert requests.made == [ANN, ANN, BOB]


async def test_a_prober_that_does_not_come_to_it_or_is_gone_gives_way(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    await requests.ask(BOB)
    requests.wait(17)
    assert requests.endpoint.next_to_probe() == ANN
    requests.wait(5)
    assert requests.endpoint.next_to_probe() == BOB
    requests.endpoint.drop(BOB)
    assert requests.endpoint.next_to_probe() == ANN
    requests.endpoint.drop(ANN)
    assert requests.endpoint.next_to_probe() is None


async def test_a_probe_that_is_cancelled_is_none(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    requests.wait(17)
    probe = asyncio.create_task(requests.ask(ANN))
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    assert await requests.ask(BOB) is None


async def test_a_mistake_of_ours_is_no_answer_and_no_failure(requests: Requests) -> None:
    async def stumble() -> None:
        raise ZeroDivisionError

    await requests.ask(ANN, LOGIN)
    requests.wait(17)
    with pytest.raises(ZeroDivisionError):
        await requests.endpoint.ask(Lane.INCREMENTAL, ANN, stumble)
    assert requests.endpoint.standing() is not None
    assert await requests.ask(ANN) is None


async def test_a_mailbox_that_is_refused_for_itself_shows_that_exchange_is_back(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    await requests.ask(BOB)
    requests.wait(17)
    await requests.ask(ANN, errors.MailboxNotFound("nobody", code="ErrorNonExistentMailbox"))
    assert requests.endpoint.standing() is None
    assert requests.endpoint.recovered() == [BOB], "what Ann met is her own"


async def test_those_who_failed_before_it_opened_wait_too(requests: Requests) -> None:
    await requests.ask(CLEO)
    requests.wait(60)
    await requests.ask(ANN, LOGIN)
    await requests.ask(BOB, LOGIN)
    standing = requests.endpoint.standing()
    assert standing is not None
    assert standing.waiting == 2


async def test_after_an_outage_it_starts_slowly(requests: Requests) -> None:
    for _ in range(6):
        await requests.ask(ANN)
    assert requests.endpoint.concurrency == 4
    requests.wait(60)
    for _ in range(5):
        await requests.ask(ANN, RESET)
    requests.wait(3)
    assert await requests.ask(ANN) is None
    assert requests.endpoint.concurrency == 1


async def test_the_limit_is_what_goes_out_at_once() -> None:
    requests, most, under_way = Requests(8), 0, 0

    async def watched() -> None:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        under_way -= 1

    for answers, wanted in ((0, 1), (7, 8)):
        for _ in range(answers):
            await requests.ask(ANN)
        most = 0
        first = [asyncio.create_task(requests.endpoint.ask(Lane.INCREMENTAL, ANN, watched)) for _ in range(wanted)]
        await asyncio.gather(*first)
        assert most == wanted
        requests = Requests(8)


class TestOrders:
    async def test_another_hosts_finding_is_followed_and_only_who_may_probes(self, requests: Requests) -> None:
        found = Standing(LOGIN, requests.clock.now())
        requests.endpoint.follow(Orders(standing=found, probe=False))
        assert (await requests.ask(ANN)) is not None
        requests.wait(600)
        assert requests.endpoint.next_to_probe() is None
        assert (await requests.ask(ANN)) is not None
        assert requests.made == []
        requests.endpoint.follow(Orders(standing=found, probe=True))
        assert requests.endpoint.next_to_probe() == ANN
        assert await requests.ask(ANN) is None

    async def test_an_answer_elsewhere_ends_it_here(self, requests: Requests) -> None:
        await requests.ask(ANN, LOGIN)
        await requests.ask(BOB)
        requests.wait(1)
        requests.endpoint.follow(Orders(answered_at=requests.clock.now()))
        assert requests.endpoint.standing() is None
        assert requests.endpoint.recovered() == [ANN, BOB]
        assert requests.endpoint.answered_at is None, "this host has not been served"

    async def test_orders_that_say_nothing_change_nothing(self, requests: Requests) -> None:
        await requests.ask(ANN, LOGIN)
        requests.endpoint.follow(Orders())
        assert requests.endpoint.standing() is not None


async def test_its_edges_are_told_once(requests: Requests) -> None:
    with capture_logs() as told:
        for _ in range(3):
            await requests.ask(ANN, LOGIN)
        requests.wait(17)
        await requests.ask(ANN, LOGIN)
        requests.wait(40)
        await requests.ask(ANN, RESET)
        requests.wait(30)
        for _ in range(3):
            await requests.ask(ANN)
    assert [(line["log_level"], line["event"], line["code"]) for line in told] == [
        ("warning", "Exchange does not serve us", "AUTH_FAILED"),
        ("warning", "Exchange does not serve us", "STORE_DOWN"),
        ("info", "Exchange serves us again", "STORE_DOWN"),
    ]
    assert told[0]["cause"]
    assert told[0]["remedy"]


async def test_many_alike_are_spread_over_time() -> None:
    requests, at = Requests(), list[float]()
    begun = requests.clock.now()

    async def request() -> None:
        at.append((requests.clock.now() - begun).total_seconds())

    for _ in range(21):
        await requests.endpoint.ask(Lane.INCREMENTAL, ANN, request, paced=True)
    assert at == pytest.approx([n / 10 for n in range(21)])
    requests.wait(60)
    await requests.endpoint.ask(Lane.INCREMENTAL, ANN, request, paced=True)
    assert at[-1] == pytest.approx(62), "who comes when nobody does waits for nothing"


async def test_a_look_goes_out_before_its_time_and_those_who_wait_are_made_due(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    await requests.ask(BOB)
    requests.made.clear()
    await requests.endpoint.look(ANN, requests.request(ANN))
    assert requests.made == [ANN]
    assert requests.endpoint.standing() is None
    assert sorted(requests.endpoint.recovered()) == [ANN, BOB], "the mailbox's own request was not made by that"


async def test_looks_soon_after_each_other_cost_one_attempt(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    for who in (BOB, CLEO):
        with pytest.raises(errors.AuthenticationFailed):
            await requests.endpoint.look(who, requests.request(who, LOGIN))
    assert requests.made == [ANN, BOB]
    requests.wait(15)
    with pytest.raises(errors.AuthenticationFailed):
        await requests.endpoint.look(CLEO, requests.request(CLEO, LOGIN))
    assert requests.made == [ANN, BOB, CLEO]


async def test_who_looks_waits_for_the_look_that_is_under_way(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    requests.made.clear()
    await asyncio.gather(*(requests.endpoint.look(who, requests.request(who)) for who in (ANN, BOB, CLEO)))
    assert requests.made == [ANN, BOB, CLEO]


async def test_a_look_that_is_broken_off_lets_the_next_one_go(requests: Requests) -> None:
    await requests.ask(ANN, LOGIN)
    requests.wait(16)
    hanging = asyncio.create_task(requests.endpoint.look(BOB, asyncio.Event().wait))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(requests.endpoint.look(CLEO, requests.request(CLEO)))
    await asyncio.sleep(0)
    hanging.cancel()
    await waiting
    assert requests.made == [ANN, CLEO]
