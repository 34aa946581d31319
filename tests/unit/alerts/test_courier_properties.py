"""Whatever becomes of the way mail goes by: order is kept for each, nothing is lost, attempts stay few."""

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alerts.courier import Courier
from engine.alerts.model import OutgoingMail
from tests.fakes.clock import FakeClock
from tests.fakes.mailer import FakeMailer
from tests.fakes.store import MemoryStore

START = datetime(2026, 11, 24, tzinfo=UTC)
ANN, BOB = "ann@example.com", "bob@example.com"


@dataclass(frozen=True)
class Weather:
    """For some rounds: how mail fares, and what is queued at the start. ``alert``: whose mail, or None for none."""

    rounds: int
    alert: int | None
    down: bool
    locked: bool
    exchange_serves: bool
    bob_is_full: bool
    poison: int | None
    fading: bool
    new_courier: bool


CLEAR = Weather(
    700, None, down=False, locked=False, exchange_serves=True, bob_is_full=False, poison=None, fading=False,
    new_courier=False,
)  # fmt: skip
WEATHERS = st.lists(
    st.builds(
        Weather,
        rounds=st.integers(1, 120),
        alert=st.none() | st.integers(0, 2),
        down=st.booleans(),
        locked=st.booleans(),
        exchange_serves=st.booleans(),
        bob_is_full=st.booleans(),
        poison=st.none() | st.integers(0, 3),
        fading=st.booleans(),
        new_courier=st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


async def live(weathers: list[Weather]) -> tuple[MemoryStore, FakeMailer]:
    clock, store, mailer = FakeClock(START), MemoryStore(), FakeMailer()
    courier = Courier(store, mailer, clock, through_exchange=True)
    for number, weather in enumerate([*weathers, CLEAR]):
        if weather.new_courier:
            courier = Courier(store, mailer, clock, through_exchange=True)
        if weather.alert is not None:
            alert = f"alert-{weather.alert}"
            await store.put_alerts([], [OutgoingMail(f"mail-{number}", alert, (ANN, BOB), "S", "T", "H", clock.now())])
        mailer.down, mailer.locked = weather.down, weather.locked
        mailer.deferred = {BOB: "452"} if weather.bob_is_full else {}
        mailer.poison = "" if weather.poison is None else f"mail-{weather.poison}"
        for _ in range(weather.rounds):
            await courier.send_due(
                exchange_serves=weather.exchange_serves, fading={"alert-0"} if weather.fading else set()
            )
            clock.advance(timedelta(seconds=2))
    return store, mailer


@settings(deadline=None)
@given(WEATHERS)
def test_everybody_gets_each_mail_once_and_an_alerts_mails_in_order(weathers: list[Weather]) -> None:
    store, mailer = asyncio.run(live(weathers))
    assert all(mail.sent_at is not None for mail in store.mails.values())
    for who in (ANN, BOB):
        got = [mail for one, mail in mailer.inbox if one == who]
        assert Counter(mail.mail_id for mail in got) == dict.fromkeys(store.mails, 1)
        for alert in {mail.alert_id for mail in got}:
            mine = [mail.created_at for mail in got if mail.alert_id == alert]
            assert mine == sorted(mine)


@settings(deadline=None)
@given(WEATHERS)
def test_who_is_never_let_in_tries_seldom(weathers: list[Weather]) -> None:
    locked = [replace(one, locked=True, down=False, poison=None, new_courier=False) for one in weathers]
    _, mailer = asyncio.run(live(locked))
    tried = len(mailer.attempts) - len({mail.mail_id for _, mail in mailer.inbox})
    edges = sum(not one.exchange_serves for one in locked)
    spent = sum(one.rounds for one in locked) * timedelta(seconds=2)
    assert tried <= 3 + 2 * edges + 2 * (spent // timedelta(minutes=10))
