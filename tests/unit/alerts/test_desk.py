from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine.alerts.build import build_desk
from engine.alerts.courier import Courier
from engine.alerts.desk import Addressees, AlertDesk
from engine.alerts.exchange import ExchangeMailer
from engine.alerts.mailer import Delivery
from engine.alerts.model import Affected, AlertStatus, OutgoingMail, StandingFailure
from engine.alerts.smtp import SmtpMailer
from engine.errors import AuthenticationFailed, SourceError, StoreUnavailable
from engine.jobs.model import Job, JobName, JobRun, Trigger
from engine.model import Operator, OperatorId
from engine.orders import Standing
from engine.settings import build_settings
from tests.fakes.clock import FakeClock
from tests.fakes.mailer import FakeMailer
from tests.fakes.store import MemoryStore

START = datetime(2026, 11, 24, 9, tzinfo=UTC)
ADMIN = "admin@example.com"
NOT_FOUND, DENIED = "MAILBOX_NOT_FOUND", "IMPERSONATION_DENIED"


class Death(BaseException):
    """The process is gone."""


class Store(MemoryStore):
    """``standing``: who is touched by what. ``dies_at``: which call ends the process, before or after its work."""

    def __init__(self) -> None:
        super().__init__()
        self.standing: dict[str, list[str]] = {}
        self.down = False
        self.calls = 0
        self.dies_at: int | None = None
        self.dies_after = False

    async def standing_failures(self, subscription_codes: Sequence[str]) -> list[StandingFailure]:
        self.calls += 1
        if self.down:
            raise StoreUnavailable("Restarting.")
        return [
            StandingFailure(code, tuple(Affected(OperatorId(one), f"{one}@example.com", "No.") for one in names))
            for code, names in self.standing.items()
            if names
        ]

    async def open_alerts(self) -> Any:
        return await self._dying(super().open_alerts)

    async def put_alerts(self, alerts: Any, mails: Any) -> Any:
        return await self._dying(super().put_alerts, alerts, mails)

    async def unsent(self, now: Any, limit: Any) -> Any:
        return await self._dying(super().unsent, now, limit)

    async def put_mail(self, mail: Any) -> Any:
        return await self._dying(super().put_mail, mail)

    async def _dying(self, work: Callable[..., Any], *given: Any) -> Any:
        self.calls += 1
        dies = self.calls == self.dies_at
        if dies and not self.dies_after:
            raise Death
        answer = await work(*given)
        if dies:
            raise Death
        return answer


class Office:
    """A desk on a store that outlives it."""

    def __init__(self, *recipients: str) -> None:
        self.clock = FakeClock(START)
        self.store = Store()
        self.mailer = FakeMailer()
        self.addressees = Addressees(recipients)
        self.through_exchange = False
        self.desk = self.opened()

    def opened(self) -> AlertDesk:
        courier = Courier(self.store, self.mailer, self.clock, through_exchange=self.through_exchange)
        return AlertDesk(self.store, courier, self.clock, self.addressees)

    async def pass_time(self, *, exchange: Standing | None = None, **span: float) -> None:
        """Look every two seconds; when the process dies, another takes over."""
        until = self.clock.now() + timedelta(**span)
        while self.clock.now() < until:
            try:
                await self.desk.tick(exchange)
            except Death:
                self.desk = self.opened()
            self.clock.advance(timedelta(seconds=2))

    def subjects(self) -> list[str]:
        return [mail.subject for _, mail in self.mailer.inbox]


@pytest.fixture
def office() -> Office:
    return Office(ADMIN)


async def test_two_causes_two_digests(office: Office) -> None:
    missing, denied = [f"a{n:02}" for n in range(20)], [f"b{n}" for n in range(5)]
    for met in range(0, 20, 4):
        office.store.standing = {NOT_FOUND: missing[: met + 4], DENIED: denied[: met // 4 + 1]}
        await office.pass_time(seconds=10)
    await office.pass_time(hours=3)
    assert [subject.partition(":")[0] for subject in sorted(office.subjects())] == [
        "[Mailroom] 20 operators",
        "[Mailroom] 5 operators",
    ]
    for _, mail in office.mailer.inbox:
        names = missing if NOT_FOUND in mail.subject else denied
        assert all(f"{one}@example.com" in mail.text for one in names)


async def test_one_more_when_it_is_over(office: Office) -> None:
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=5)
    office.store.standing = {}
    await office.pass_time(hours=1)
    report, recovery = office.subjects()
    assert report.startswith("[Mailroom] 1 operator: ")
    assert recovery.startswith("[Mailroom] Over: ")
    assert [one.status for one in office.store.alerts.values()] == [AlertStatus.CLOSED]


async def test_a_run_that_is_open_makes_it_wait_for_others(office: Office) -> None:
    await office.store.seed_jobs([Job(JobName.EMAIL_SYNC, enabled=True, every="15m")])
    await office.store.begin_run(JobRun("run-1", JobName.EMAIL_SYNC, Trigger.SCHEDULE, START))
    office.store.standing = {DENIED: ["ann"]}
    await office.pass_time(seconds=50)
    office.store.standing = {DENIED: ["ann", "bob"]}
    await office.pass_time(seconds=58)
    assert office.subjects() == []
    await office.pass_time(seconds=10)
    assert len(office.subjects()) == 1


async def test_without_recipients_alerts_are_kept_and_nothing_is_sent() -> None:
    office = Office()
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(hours=2)
    (alert,) = office.store.alerts.values()
    assert (alert.status, alert.operators) == (AlertStatus.GATHERING, ("ann",))
    assert office.store.mails == {}
    office.addressees = Addressees((ADMIN,))
    office.desk = office.opened()
    await office.pass_time(seconds=4)
    assert len(office.subjects()) == 1


async def test_a_recovery_is_not_queued_for_nobody(office: Office) -> None:
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=2)
    office.addressees = Addressees()
    office.desk = office.opened()
    office.store.standing = {}
    await office.pass_time(hours=1)
    assert len(office.store.mails) == 1


async def test_what_was_queued_before_a_restart_is_sent_after_it(office: Office) -> None:
    office.mailer.down = True
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=20)
    office.desk = office.opened()
    office.mailer.down = False
    await office.pass_time(minutes=20)
    assert len(office.subjects()) == 1


async def test_a_quiet_look_writes_nothing(office: Office) -> None:
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=2)
    before = dict(office.store.alerts)
    calls = office.store.calls
    await office.desk.tick()
    assert office.store.calls - calls == 3
    assert office.store.alerts == before


async def test_a_store_that_does_not_answer_costs_a_look(office: Office) -> None:
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(seconds=10)
    office.store.down = True
    with pytest.raises(StoreUnavailable):
        await office.desk.tick()
    office.store.down = False
    await office.pass_time(seconds=30)
    assert len(office.subjects()) == 1


@pytest.mark.parametrize("dies_after", [False, True])
@pytest.mark.parametrize("mailer_dies", [False, True])
async def test_whenever_it_dies_no_mail_is_lost_and_copies_are_known_as_such(
    dies_after: bool, mailer_dies: bool
) -> None:
    async def story(dies_at: int | None) -> Office:
        office = Office(ADMIN)
        office.store.dies_at, office.store.dies_after = dies_at, dies_after
        if mailer_dies:
            office.mailer = DyingMailer()
            office.desk = office.opened()
        office.store.standing = {NOT_FOUND: ["ann"]}
        await office.pass_time(seconds=60)
        office.store.standing = {}
        await office.pass_time(seconds=90)
        return office

    calls = (await story(None)).store.calls
    for dies_at in range(1, calls + 1):
        office = await story(dies_at)
        arrived = [mail.mail_id for _, mail in office.mailer.inbox]
        assert [subject.split()[1] for subject in dict.fromkeys(office.subjects())] == ["1", "Over:"]
        assert len(set(arrived)) == 2
        assert len(arrived) <= 2 + 1 + 2 * mailer_dies
        assert all(mail.sent_at for mail in office.store.mails.values())


class DyingMailer(FakeMailer):
    """The process dies each time when a mail has just been handed over for the first time."""

    async def send(self, mail: OutgoingMail) -> Delivery:
        delivery = await super().send(mail)
        if self.attempts.count(mail.mail_id) == 1:
            raise Death
        return delivery


# From settings


def desk(**sections: Any) -> AlertDesk:
    exchange = {
        "url": "https://mail.example.com/EWS/Exchange.asmx",
        "username": "EXAMPLE\\svc",
        **sections.pop("ex", {}),
    }
    raw = {"exchange": exchange, **sections}
    secrets = {"MAILROOM_EXCHANGE_PASSWORD": "p", "MAILROOM_CLIENT_SECRET": "s"}
    return build_desk(build_settings(raw, secrets), MemoryStore(), FakeClock())


async def test_a_desk_sends_by_smtp_or_through_exchange_or_not_at_all() -> None:
    told = {"notify_failures_to": "a@example.com; b@example.com;", "notification_frequency": 45}
    by_smtp = desk(email_sync=told, smtp={"host": "localhost", "from": "m@example.com"})
    through = desk(email_sync=told)
    as_application = desk(
        email_sync=told, smtp={"from": "m@example.com"}, ex={"auth": "oauth2", "tenant_id": "t", "client_id": "c"}
    )
    nobody = desk(smtp={"host": "localhost"})
    assert by_smtp._addressees == Addressees(("a@example.com", "b@example.com"), timedelta(minutes=45))
    for made, kind in ((by_smtp, SmtpMailer), (through, ExchangeMailer), (as_application, ExchangeMailer)):
        assert made._courier is not None
        assert isinstance(made._courier._mailer, kind)
    assert nobody._courier is None
    await nobody.tick()
    for made in (by_smtp, through, as_application, nobody):
        await made.close()


# While mail does not go, or Exchange serves nobody


def bodies(office: Office) -> list[str]:
    return [" ".join(mail.text.split()) for _, mail in office.mailer.inbox]


@pytest.mark.parametrize("meanwhile", [timedelta(minutes=1), timedelta(minutes=40)])
async def test_what_is_over_before_it_could_be_told_is_told_in_one_mail(office: Office, meanwhile: timedelta) -> None:
    office.mailer.down = True
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(seconds=meanwhile.total_seconds())
    office.store.standing = {}
    await office.pass_time(minutes=3)
    office.mailer.down = False
    await office.pass_time(minutes=3)
    assert [subject.split()[1] for subject in office.subjects()] == ["Over:"]
    assert (
        "A report was written at 2026-11-24 09:00 UTC and could not be sent to admin@example.com" in bodies(office)[0]
    )
    assert "ann" in bodies(office)[0]
    assert await office.store.unsent(office.clock.now() + timedelta(days=9), 9) == []
    assert sum(bool(mail.recipients) for mail in office.store.mails.values()) == 1


async def test_mail_that_can_go_again_while_its_cause_has_just_gone_waits_for_the_end(office: Office) -> None:
    office.mailer.down = True
    office.store.standing = {NOT_FOUND: ["ann"], DENIED: ["bob"]}
    await office.pass_time(minutes=5)
    office.store.standing = {DENIED: ["bob"]}
    await office.pass_time(seconds=4)
    office.mailer.down = False
    await office.pass_time(minutes=5)
    denied, missing = office.subjects() if "Over" in office.subjects()[1] else office.subjects()[::-1]
    assert DENIED in denied
    assert missing.startswith("[Mailroom] Over: ")


async def test_a_cause_that_comes_back_before_its_end_is_told(office: Office) -> None:
    office.mailer.down = True
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=5)
    office.store.standing = {}
    await office.pass_time(seconds=30)
    office.mailer.down = False
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=3)
    assert [subject.split()[1] for subject in office.subjects()] == ["1"]


async def test_who_has_the_report_gets_the_end_and_who_has_not_reads_why(office: Office) -> None:
    other = "boss@example.com"
    office.addressees = Addressees((ADMIN, other))
    office.desk = office.opened()
    office.mailer.deferred[other] = "452 Mailbox full."
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=5)
    office.store.standing = {}
    office.mailer.deferred.clear()
    office.store.mails = {  # its next attempt is a while away
        key: replace(mail, next_attempt_at=office.clock.now() + timedelta(minutes=9))
        for key, mail in office.store.mails.items()
    }
    await office.pass_time(minutes=3)
    got = [(who, mail.subject.split()[1]) for who, mail in office.mailer.inbox]
    assert got == [(ADMIN, "1"), (ADMIN, "Over:"), (other, "Over:")]
    assert f"could not be sent to {other} ({other}: 452 Mailbox full.)" in bodies(office)[-1]


async def test_a_report_is_withdrawn_when_it_is_over_while_nobody_is_named(office: Office) -> None:
    office.mailer.down = True
    office.store.standing = {NOT_FOUND: ["ann"]}
    await office.pass_time(minutes=5)
    office.addressees = Addressees()
    office.desk = office.opened()
    office.store.standing = {}
    await office.pass_time(minutes=3)
    office.mailer.down = False
    await office.pass_time(hours=1)
    assert office.subjects() == []


@pytest.mark.parametrize("dies_after", [False, True])
async def test_whenever_it_dies_an_end_is_never_told_before_its_report(dies_after: bool) -> None:
    async def story(dies_at: int | None) -> Office:
        office = Office(ADMIN)
        office.store.dies_at, office.store.dies_after = dies_at, dies_after
        office.mailer.down = True
        office.store.standing = {NOT_FOUND: ["ann"]}
        await office.pass_time(seconds=60)
        office.store.standing = {}
        await office.pass_time(seconds=90)
        office.mailer.down = False
        await office.pass_time(minutes=3)
        return office

    calls = (await story(None)).store.calls
    for dies_at in range(1, calls + 1):
        told = [subject.split()[1] for subject in dict.fromkeys((await story(dies_at)).subjects())]
        assert told in (["Over:"], ["1", "Over:"])


def nobody_is_served(error: SourceError) -> Standing:
    return Standing(error, START)


async def test_a_cause_that_is_everybodys_is_told_as_such(office: Office) -> None:
    await office.store.put_operators([Operator(OperatorId(f"op{n}"), f"op{n}@example.com") for n in range(9)])
    await office.store.put_operators([Operator(OperatorId("off"), "off@example.com", email_sync=False)])
    office.store.standing = {"AUTH_FAILED": ["op0", "op1"], NOT_FOUND: ["op8"], "SUBSCRIPTION_QUOTA": ["op7"]}
    await office.pass_time(exchange=nobody_is_served(AuthenticationFailed("401")), seconds=40)
    assert sorted(subject.split(":")[0] for subject in office.subjects()) == [
        "[Mailroom] 1 operator",
        "[Mailroom] 1 operator",
        "[Mailroom] All 8 operators",
    ]
    assert sum("Exchange serves nobody" in text for text in bodies(office)) == 1


async def test_mail_through_exchange_waits_for_exchange_and_is_there_seconds_later(office: Office) -> None:
    office.through_exchange = True
    office.desk = office.opened()
    trouble = nobody_is_served(AuthenticationFailed("401"))
    office.store.standing = {"AUTH_FAILED": ["ann"], NOT_FOUND: ["bob"]}
    await office.pass_time(exchange=trouble, minutes=10)
    assert office.mailer.attempts == []
    await office.pass_time(seconds=2)
    assert len(office.subjects()) == 2
