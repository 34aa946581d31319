"""A courier on each store: what it writes down is what it finds."""

from datetime import timedelta

from engine.alerts.courier import GIVEN_UP_AFTER, Courier
from engine.alerts.model import OutgoingMail
from tests.fakes.clock import FakeClock
from tests.fakes.mailer import FakeMailer
from tests.fakes.store_words import AnyStore

ADMIN, BOSS, GONE = "admin@example.com", "boss@example.com", "gone@example.com"


async def test_a_mail_reaches_each_recipient_once(store: AnyStore) -> None:
    clock, mailer = FakeClock(), FakeMailer()
    courier = Courier(store, mailer, clock)
    mail = OutgoingMail("mail-1", "alert-1", (ADMIN, BOSS, GONE), "Ünï", "T\n", "<p>H</p>", clock.now())
    await store.put_alerts([], [mail])
    mailer.deferred[BOSS], mailer.refused[GONE] = "450 Later.", "550 Gone."
    await courier.send_due()
    (waiting,) = await store.unsent(clock.now() + timedelta(minutes=1), 10)
    assert (waiting.recipients, waiting.attempts) == ((BOSS,), 1)
    assert waiting.error == f"{GONE}: 550 Gone.; {BOSS}: 450 Later."
    await courier.send_due()
    mailer.deferred.clear()
    clock.advance(timedelta(minutes=1))
    await courier.send_due()
    await courier.send_due()
    assert [who for who, _ in mailer.inbox] == [ADMIN, BOSS]
    assert mailer.inbox[1][1].subject == "Ünï"
    assert await store.unsent(clock.now() + timedelta(days=9), 10) == []


async def test_a_mail_that_is_given_up_stays_given_up(store: AnyStore) -> None:
    clock, mailer = FakeClock(), FakeMailer()
    mailer.down = True
    await store.put_alerts([], [OutgoingMail("mail-1", "alert-1", (ADMIN,), "S", "T", "H", clock.now())])
    clock.advance(GIVEN_UP_AFTER)
    await Courier(store, mailer, clock).send_due()
    assert await store.unsent(clock.now() + timedelta(days=365), 10) == []
