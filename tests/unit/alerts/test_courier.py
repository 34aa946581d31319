from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine.alerts.courier import FIRST_RETRY, GIVEN_UP_AFTER, LONGEST_RETRY, Courier, pause_after
from engine.alerts.courier import after as stored_after
from engine.alerts.mailer import Delivery
from engine.alerts.model import OutgoingMail
from engine.model import Moment
from tests.fakes.clock import FakeClock
from tests.fakes.mailer import FakeMailer
from tests.fakes.store import MemoryStore

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
ANN, BOB, CYD = "ann@example.com", "bob@example.com", "cyd@example.com"


def mail(number: int = 1, *recipients: str) -> OutgoingMail:
    created = START + timedelta(seconds=number)
    return OutgoingMail(f"mail-{number}", f"alert-{number}", recipients or (ANN,), "S", "T", "H", created)


def moment(jitter: float = 0.5, now: datetime = START) -> Moment:
    return Moment(now, jitter, "id")


def after(mail: OutgoingMail, delivery: Delivery, at: Moment) -> OutgoingMail:
    return stored_after(mail, delivery, at, pause_after(delivery, mail.attempts + 1, at.jitter))


# What becomes of a mail


def test_what_all_have_is_sent() -> None:
    done = after(mail(1, ANN, BOB), Delivery((ANN, BOB)), moment())
    assert (done.sent_at, done.attempts, done.error, done.recipients) == (START, 1, None, (ANN, BOB))


def test_who_is_refused_for_good_holds_up_nobody() -> None:
    done = after(mail(1, ANN, BOB), Delivery((ANN,), {BOB: "550 No such user"}), moment())
    assert (done.sent_at, done.error) == (START, f"{BOB}: 550 No such user")


def test_who_has_it_gets_it_no_more() -> None:
    rest = after(mail(1, ANN, BOB, CYD), Delivery((ANN,), {BOB: "550"}, {CYD: "450"}), moment())
    assert (rest.recipients, rest.sent_at, rest.next_attempt_at) == ((CYD,), None, START + timedelta(seconds=30))
    assert rest.error == f"{BOB}: 550; {CYD}: 450"


@pytest.mark.parametrize(
    ("attempts", "jitter", "seconds"),
    [(0, 0.5, 30), (0, 0.0, 22.5), (1, 0.5, 60), (2, 0.5, 120), (5, 0.5, 900), (50, 0.5, 900), (50, 1.0, 1125)],
)
def test_pauses_double_up_to_a_quarter_of_an_hour(attempts: int, jitter: float, seconds: float) -> None:
    again = after(replace(mail(), attempts=attempts), Delivery(deferred={ANN: "450"}), moment(jitter))
    assert again.next_attempt_at == START + timedelta(seconds=seconds)
    assert again.attempts == attempts + 1


def test_what_everybody_refuses_is_tried_slowly_since_somebody_may_correct_it() -> None:
    refused = Delivery(refused={ANN: "550", BOB: "550"})
    again = after(mail(1, ANN, BOB), refused, moment())
    assert (again.recipients, again.sent_at) == ((ANN, BOB), None)
    assert again.next_attempt_at == START + FIRST_RETRY
    assert after(again, refused, moment()).next_attempt_at == START + LONGEST_RETRY


@pytest.mark.parametrize("jitter", [0.0, 0.5, 0.999])
@pytest.mark.parametrize("attempts", [0, 1, 2, 9, 90])
def test_a_server_that_is_not_reached_is_looked_for_every_two_minutes_at_least(attempts: int, jitter: float) -> None:
    down = Delivery(deferred={ANN: "No route."}, any_mail=True)
    again = after(replace(mail(), attempts=attempts), down, moment(jitter))
    assert again.next_attempt_at is not None
    assert again.next_attempt_at - START <= timedelta(minutes=2)


@pytest.mark.parametrize("delivery", [Delivery(deferred={ANN: "450"}), Delivery(refused={ANN: "550"})])
def test_after_five_days_it_is_given_up(delivery: Delivery) -> None:
    late = moment(now=mail().created_at + GIVEN_UP_AFTER)
    given_up = after(mail(), delivery, late)
    assert given_up.sent_at is None
    assert given_up.next_attempt_at is not None
    assert given_up.next_attempt_at > late.now + timedelta(days=10_000)
    assert given_up.error


def test_long_reasons_are_cut() -> None:
    assert len(after(mail(), Delivery(deferred={ANN: "x\n" * 9000}), moment()).error or "") <= 500


# The round


class Post:
    """A courier, its mailer, its store and its clock."""

    def __init__(self, *mails: OutgoingMail) -> None:
        self.clock = FakeClock(START + timedelta(hours=1))
        self.store = MemoryStore()
        self.mailer = FakeMailer()
        self.mails = mails
        self.courier = Courier(self.store, self.mailer, self.clock, timeout=0.05)

    async def start(self) -> None:
        await self.store.put_alerts([], self.mails)

    async def run(self, *, exchange_serves: bool = True, fading: Collection[str] = (), **span: float) -> None:
        """Let the courier go round every two seconds for a while."""
        until = self.clock.now() + timedelta(**span)
        while self.clock.now() < until:
            await self.courier.send_due(exchange_serves=exchange_serves, fading=fading)
            self.clock.advance(timedelta(seconds=2))

    def got(self) -> list[tuple[str, str]]:
        return [(who, one.mail_id) for who, one in self.mailer.inbox]


async def post(*mails: OutgoingMail) -> Post:
    made = Post(*mails)
    await made.start()
    return made


async def test_due_mail_is_sent_once_oldest_first() -> None:
    office = await post(mail(2), mail(1))
    for _ in range(3):
        await office.courier.send_due()
    assert office.got() == [(ANN, "mail-1"), (ANN, "mail-2")]


async def test_a_round_is_bounded() -> None:
    office = await post(*(mail(number) for number in range(1, 13)))
    await office.courier.send_due()
    assert len(office.mailer.attempts) == 5
    for _ in range(2):
        await office.courier.send_due()
    assert len(office.got()) == 12


async def test_while_a_server_is_down_one_mail_finds_out_for_all() -> None:
    office = await post(mail(1), mail(2))
    office.mailer.down = True
    await office.run(minutes=30)
    assert 19 <= len(office.mailer.attempts) <= 25
    office.mailer.down = False
    await office.run(minutes=2)
    assert sorted(office.got()) == [(ANN, "mail-1"), (ANN, "mail-2")]


async def test_a_mail_that_something_on_the_way_cannot_bear_holds_no_other_up() -> None:
    office = await post(mail(1, BOB), mail(2), mail(3))
    office.mailer.poison = "mail-1"
    await office.run(minutes=5)
    assert sorted(office.got()) == [(ANN, "mail-2"), (ANN, "mail-3")]


async def test_who_is_not_let_in_tries_seldom_whatever_waits() -> None:
    office = await post(*(mail(number) for number in range(1, 9)))
    office.mailer.locked = True
    await office.run(hours=1)
    assert len(office.mailer.attempts) <= 6
    office.mailer.locked = False
    await office.run(minutes=16)
    assert sorted(one for _, one in office.got()) == [f"mail-{number}" for number in range(1, 9)]


async def test_other_settings_or_a_restart_try_at_once_what_waits() -> None:
    office = await post(*(mail(number) for number in range(1, 9)))
    office.mailer.locked = True
    await office.run(hours=1)
    office.mailer.locked = False
    office.courier = Courier(office.store, office.mailer, office.clock)
    await office.run(seconds=10)
    assert len(office.got()) == 8


async def test_mail_through_exchange_waits_while_exchange_serves_nobody_and_goes_at_once_when_it_does() -> None:
    office = await post(mail(1), mail(2))
    office.courier = Courier(office.store, office.mailer, office.clock, through_exchange=True)
    office.mailer.locked = True
    await office.run(seconds=40)
    met = len(office.mailer.attempts)
    assert met == 2
    await office.run(minutes=14, exchange_serves=False)
    assert len(office.mailer.attempts) == met
    office.mailer.locked = False
    await office.run(seconds=4)
    assert office.got() == [(ANN, "mail-1"), (ANN, "mail-2")]


async def test_held_mail_is_tried_seldom_all_the_same() -> None:
    """No host may have anything to ask Exchange any more, and then none finds out that it is back."""
    office = await post(mail(1), mail(2))
    office.courier = Courier(office.store, office.mailer, office.clock, through_exchange=True)
    office.mailer.locked = True
    await office.run(hours=2, exchange_serves=False)
    assert 6 <= len(office.mailer.attempts) <= 8
    office.mailer.locked = False
    await office.run(minutes=16, exchange_serves=False)
    assert len(office.got()) == 2


async def test_mail_by_smtp_does_not_mind_exchange() -> None:
    office = await post(mail())
    await office.run(seconds=2, exchange_serves=False)
    assert len(office.got()) == 1


async def test_a_report_whose_cause_touches_nobody_at_the_moment_waits() -> None:
    office = await post(mail(1), mail(2))
    await office.run(minutes=5, fading={"alert-1"})
    assert office.got() == [(ANN, "mail-2")]
    await office.run(seconds=2)
    assert office.got() == [(ANN, "mail-2"), (ANN, "mail-1")]


async def test_nobody_gets_a_later_mail_of_an_alert_before_an_earlier_one() -> None:
    first, second = mail(1, ANN, BOB), replace(mail(2, ANN, BOB), alert_id="alert-1")
    office = await post(first, second)
    office.mailer.deferred[BOB] = "450 Greylisted."
    await office.run(minutes=5)
    assert office.got() == [(ANN, "mail-1"), (ANN, "mail-2")]
    office.mailer.deferred.clear()
    await office.run(minutes=20)
    assert office.got() == [(ANN, "mail-1"), (ANN, "mail-2"), (BOB, "mail-1"), (BOB, "mail-2")]
    assert all(one.sent_at for one in office.store.mails.values())


async def test_who_is_refused_with_everybody_stays_though_others_wait_for_an_earlier_mail() -> None:
    office = await post(mail(1, BOB), replace(mail(2, ANN, BOB), alert_id="alert-1"))
    office.mailer.deferred[BOB] = "450 Greylisted."
    await office.courier.send_due()
    office.mailer.locked = True
    await office.courier.send_due()
    office.mailer.locked = False
    office.mailer.deferred.clear()
    await office.run(minutes=20)
    assert sorted(office.got()) == [(ANN, "mail-2"), (BOB, "mail-1"), (BOB, "mail-2")]


async def test_a_mail_that_is_given_up_holds_nothing_up() -> None:
    office = await post(mail(1), replace(mail(2), alert_id="alert-1"), mail(3))
    office.mailer.locked = True
    office.clock.advance(GIVEN_UP_AFTER)
    await office.courier.send_due()
    office.mailer.locked = False
    await office.run(minutes=16)
    assert office.got() == [(ANN, "mail-2"), (ANN, "mail-3")]


async def test_one_bad_address_starves_nobody() -> None:
    office = await post(mail(1, BOB), mail(2, BOB, ANN), mail(3, ANN))
    office.mailer.refused[BOB] = "550"
    for _ in range(3):
        await office.courier.send_due()
    assert office.got() == [(ANN, "mail-2"), (ANN, "mail-3")]
    assert office.mailer.attempts == ["mail-1", "mail-2", "mail-3"]


async def test_who_is_deferred_gets_it_later_and_others_not_twice() -> None:
    office = await post(mail(1, ANN, BOB))
    office.mailer.deferred[BOB] = "450"
    await office.courier.send_due()
    office.mailer.deferred.clear()
    office.clock.advance(timedelta(minutes=1))
    await office.courier.send_due()
    assert office.got() == [(ANN, "mail-1"), (BOB, "mail-1")]
    assert office.store.mails["mail-1"].sent_at == office.clock.now()


@pytest.mark.parametrize("broken", [None, RuntimeError("a mistake")])
async def test_a_mailer_that_hangs_or_raises_costs_an_attempt(broken: Exception | None) -> None:
    office = await post(mail())
    office.mailer.broken, office.mailer.hanging = broken, broken is None
    await office.courier.send_due()
    kept = office.store.mails["mail-1"]
    assert (kept.attempts, kept.sent_at, kept.recipients) == (1, None, (ANN,))
    assert kept.error


async def test_attempts_are_bounded_while_nothing_goes() -> None:
    office = await post(mail())
    office.mailer.deferred[ANN] = "450 Later."
    await office.run(days=1)
    assert 90 <= len(office.mailer.attempts) <= 110


async def test_closing_closes_the_mailer() -> None:
    office = await post()
    await office.courier.close()
    assert office.mailer.closed
