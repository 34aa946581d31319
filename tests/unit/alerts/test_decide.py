import itertools
from datetime import UTC, datetime, timedelta

import pytest

from engine.alerts.decide import Decision, DigestKind, Occasion, decide
from engine.alerts.model import Affected, Alert, AlertStatus, StandingFailure
from engine.alerts.policy import AlertPolicy
from engine.model import OperatorId

POLICY = AlertPolicy()
START = datetime(2026, 11, 24, 9, tzinfo=UTC)
CODE = "MAILBOX_NOT_FOUND"


def seconds(number: float) -> timedelta:
    return timedelta(seconds=number)


def failing(*names: str, code: str = CODE) -> StandingFailure:
    return StandingFailure(code, tuple(Affected(OperatorId(one), f"{one}@example.com", "No.", START) for one in names))


class Desk:
    """Asks the question again and again, and keeps the answers as a store would."""

    def __init__(self, policy: AlertPolicy = POLICY) -> None:
        self.policy = policy
        self.now = START
        self.open: dict[str, Alert] = {}
        self.written: list[tuple[float, DigestKind, str, list[str]]] = []
        self.telling, self.in_run = True, False
        self._ids = (f"id-{number}" for number in itertools.count())

    def ask(self, *standing: StandingFailure, after: float = 0) -> Decision:
        self.now += seconds(after)
        occasion = Occasion(self.now, self.policy, telling=self.telling, in_run=self.in_run)
        decision = decide(list(self.open.values()), standing, occasion, self._ids)
        for alert in decision.alerts:
            self.open[alert.alert_id] = alert
        self.open = {key: one for key, one in self.open.items() if one.status is not AlertStatus.CLOSED}
        for digest in decision.digests:
            at = (self.now - START).total_seconds()
            self.written.append((at, digest.kind, digest.alert.code, [one.operator_id for one in digest.affected]))
        return decision

    def ask_for(self, duration: float, *standing: StandingFailure) -> None:
        """Ask every two seconds for a while."""
        for _ in range(int(duration // 2)):
            self.ask(*standing, after=2)

    @property
    def status(self) -> AlertStatus:
        (alert,) = self.open.values()
        return alert.status


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_fails_nothing_is_written(desk: Desk) -> None:
    assert desk.ask() == Decision()
    assert desk.ask(failing()) == Decision()


def test_a_cause_is_reported_once_nobody_has_joined_for_a_while(desk: Desk) -> None:
    desk.ask(failing("ann"))
    desk.ask(failing("ann"), after=19)
    desk.ask(failing("ann", "bob"), after=0.5)
    desk.ask(failing("ann", "bob"), after=19)
    assert (desk.written, desk.status) == ([], AlertStatus.GATHERING)
    desk.ask(failing("ann", "bob"), after=1)
    assert desk.written == [(39.5, DigestKind.REPORT, CODE, ["ann", "bob"])]
    desk.ask_for(3600, failing("ann", "bob"))
    assert len(desk.written) == 1


def test_what_stays_as_it_was_is_not_written_again(desk: Desk) -> None:
    desk.ask(failing("ann"))
    assert desk.ask(failing("ann"), after=5) == Decision()
    desk.ask_for(60, failing("ann"))
    assert desk.ask(failing("ann"), after=5) == Decision()


def test_gathering_ends_even_when_others_keep_joining(desk: Desk) -> None:
    names: list[str] = []
    for number in range(40):
        names.append(f"op{number:02}")
        desk.ask(failing(*names), after=10)
    ((at, _, _, named),) = desk.written
    assert at == 10 + POLICY.longest_gathering.total_seconds()
    assert len(named) == 31


def test_while_a_run_is_open_others_are_waited_for_longer(desk: Desk) -> None:
    desk.in_run = True
    desk.ask(failing("ann"))
    desk.ask(failing("ann", "bob"), after=55)
    desk.ask(failing("ann", "bob"), after=59)
    assert desk.written == []
    desk.in_run = False
    desk.ask(failing("ann", "bob"))
    assert [named for *_, named in desk.written] == [["ann", "bob"]]


def test_each_cause_has_a_digest_of_its_own(desk: Desk) -> None:
    twenty, five = [f"a{n:02}" for n in range(20)], [f"b{n}" for n in range(5)]
    for met in range(1, 21):
        desk.ask(failing(*twenty[:met]), failing(*five[: met // 4], code="IMPERSONATION_DENIED"), after=5)
    desk.in_run = True
    desk.ask_for(300, failing(*twenty), failing(*five, code="IMPERSONATION_DENIED"))
    assert [(code, named) for _, _, code, named in desk.written] == [("IMPERSONATION_DENIED", five), (CODE, twenty)]


def test_what_is_gone_before_it_was_told_is_closed_without_a_word(desk: Desk) -> None:
    desk.ask(failing("ann"))
    (closed,) = desk.ask(after=10).alerts
    assert (closed.status, closed.closed_at, closed.quiet_since) == (AlertStatus.CLOSED, desk.now, desk.now)
    desk.ask_for(600)
    assert (desk.written, desk.open) == ([], {})


def test_only_those_who_are_still_touched_are_named(desk: Desk) -> None:
    desk.ask(failing("ann", "bob"))
    desk.ask(failing("bob"), after=20)
    assert [named for *_, named in desk.written] == [["bob"]]


def test_newcomers_are_told_once_a_day(desk: Desk) -> None:
    desk.ask(failing("ann"))
    desk.ask(failing("ann"), after=20)
    desk.ask(failing("ann", "bob"), after=60)
    desk.ask(failing("ann", "bob", "cyd"), after=3600)
    assert len(desk.written) == 1
    desk.ask(failing("ann", "bob", "cyd"), after=24 * 3600 - 3661)
    assert len(desk.written) == 1
    desk.ask(failing("ann", "bob", "cyd"), after=1)
    assert desk.written[1][1:] == (DigestKind.FURTHER, CODE, ["bob", "cyd"])
    desk.ask(failing("ann", "bob", "cyd", "dan"), after=3600)
    desk.ask(failing("ann", "bob", "cyd"), after=23 * 3600)
    assert len(desk.written) == 2


def test_who_recovered_and_fails_anew_is_told_again(desk: Desk) -> None:
    desk.ask(failing("ann", "bob"))
    desk.ask(failing("ann", "bob"), after=20)
    desk.ask(failing("ann"), after=60)
    desk.ask(failing("ann", "bob"), after=24 * 3600)
    assert desk.written[1][1:] == (DigestKind.FURTHER, CODE, ["bob"])


def test_the_end_is_told_once_it_has_lasted(desk: Desk) -> None:
    desk.ask(failing("ann", "bob"))
    desk.ask(failing("ann", "bob"), after=20)
    desk.ask(after=100)
    desk.ask(failing("bob"), after=50)
    desk.ask(after=2)
    desk.ask(after=59)
    assert len(desk.written) == 1
    (digest,) = desk.ask(after=1).digests
    assert (digest.kind, digest.alert.operators, digest.standing) == (DigestKind.RECOVERY, ("ann", "bob"), 0)
    assert digest.alert.quiet_since == desk.now - seconds(60)
    desk.ask_for(POLICY.same_cause_within.total_seconds())
    assert (len(desk.written), desk.open) == (2, {})


def test_a_cause_that_comes_back_at_once_is_not_reported_at_once(desk: Desk) -> None:
    desk.ask(failing("ann"))
    first = desk.status
    desk.ask(failing("ann"), after=20)
    desk.ask()
    desk.ask(after=60)
    assert (first, desk.status, len(desk.written)) == (AlertStatus.GATHERING, AlertStatus.RECOVERED, 2)
    before = next(iter(desk.open))
    desk.ask(failing("bob"), after=2)
    assert (desk.status, before in desk.open) == (AlertStatus.GATHERING, False)
    desk.ask(after=2)
    desk.ask(failing("bob"), after=2)
    desk.ask(failing("bob"), after=593)
    assert len(desk.written) == 2
    desk.ask(failing("bob"), after=1)
    assert desk.written[2][1:] == (DigestKind.REPORT, CODE, ["bob"])


def test_without_anybody_to_tell_alerts_gather_and_are_told_when_there_is(desk: Desk) -> None:
    desk.telling = False
    desk.ask_for(3600, failing("ann"))
    assert (desk.written, desk.status) == ([], AlertStatus.GATHERING)
    desk.telling = True
    desk.ask(failing("ann"))
    assert len(desk.written) == 1


def test_newcomers_wait_for_somebody_to_tell(desk: Desk) -> None:
    desk.ask(failing("ann"))
    desk.ask(failing("ann"), after=20)
    desk.telling = False
    desk.ask(failing("ann", "bob"), after=30 * 3600)
    desk.telling = True
    desk.ask(failing("ann", "bob"), after=1)
    assert [named for *_, named in desk.written] == [["ann"], ["bob"]]


def test_of_two_alerts_of_one_cause_the_later_counts(desk: Desk) -> None:
    for name in ("old", "new"):
        alert = Alert(name, CODE, AlertStatus.REPORTED, START, START, (OperatorId("ann"),), (OperatorId("ann"),))
        desk.open[name] = alert
    desk.ask(failing("ann"))
    assert (list(desk.open), desk.written) == (["new"], [])
