"""When requests stop, who looks whether Exchange is back, and when."""

import pickle
import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from engine import errors
from engine.model import Moment, OperatorId
from engine.orders import Standing
from engine.sync.circuit import Circuit, Miss, adopt, answered, failed, may_ask, probing, served_elsewhere
from engine.sync.signs import Sign, sign_of, slows

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LOGIN = errors.AuthenticationFailed("no", code="HTTP 401")
BLOCKED = errors.EwsBlocked("no", code="HTTP 403")
RESET = errors.SourceUnavailable("broken off", code="ConnectionError")
ANN, BOB, CLEO = OperatorId("ann"), OperatorId("bob"), OperatorId("cleo")
SERVED = Circuit(served=OperatorId("zoe"), answered_at=NOW - timedelta(minutes=1))


def at(seconds: float = 0, jitter: float = 0.5) -> Moment:
    return Moment(NOW + timedelta(seconds=seconds), jitter, "id")


def after(circuit: Circuit, error: errors.SourceError, *who: OperatorId) -> Circuit:
    for operator_id in who:
        circuit = failed(circuit, error, operator_id, at())
    return circuit


def first_probe(circuit: Circuit) -> float:
    assert circuit.opening is not None
    return (circuit.opening.next_probe_at - NOW).total_seconds()


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (LOGIN, Sign.CREDENTIALS),
        (errors.AuthenticationFailed("", code="ErrorPasswordExpired"), Sign.CREDENTIALS),
        (BLOCKED, Sign.REFUSED),
        (errors.EndpointInvalid("", code="HTTP 404"), Sign.REFUSED),
        (errors.VersionInvalid("", code="ErrorInvalidServerVersion"), Sign.REFUSED),
        (RESET, Sign.UNREACHABLE),
        (errors.SourceUnavailable("", code="HTTP 502"), Sign.UNREACHABLE),
        (errors.SourceUnavailable("took too long"), Sign.UNREACHABLE),
        (errors.Throttled("", code="HTTP 503"), Sign.UNREACHABLE),
        (errors.Throttled("", code="ErrorServerBusy"), None),
        (errors.SourceUnavailable("", code="ErrorMailboxMoveInProgress"), None),
        (errors.SourceUnavailable("", code="ErrorTimeoutExpired"), None),
        (errors.ImpersonationDenied("", code="ErrorImpersonateUserDenied"), None),
        (errors.MailboxNotFound(""), None),
        (errors.RequestRefused("", code="HTTP 413"), None),
        (errors.ResponseUnreadable(""), None),
        (errors.MailroomError(""), None),
    ],
)
def test_what_an_error_says_about_everybody(error: errors.MailroomError, sign: Sign | None) -> None:
    assert sign_of(error) is sign


@pytest.mark.parametrize(
    ("error", "slow"),
    [
        (errors.Throttled("", code="HTTP 503"), True),
        (errors.Throttled("", code="HTTP 429"), True),
        (errors.SourceUnavailable("", code="HTTP 503"), True),
        (errors.SourceUnavailable("", code="HTTP 504"), True),
        (errors.SourceUnavailable("", code="ReadTimeout"), True),
        (errors.SourceUnavailable("", code="ConnectTimeout"), True),
        (errors.SourceUnavailable("took too long"), True),
        (errors.SourceUnavailable("", code="ErrorTimeoutExpired"), False),
        (errors.Throttled("", code="ErrorServerBusy"), False),
        (RESET, False),
        (LOGIN, False),
    ],
)
def test_what_says_that_the_endpoint_has_too_much_to_do(error: errors.SourceError, slow: bool) -> None:
    assert slows(error) is slow


@pytest.mark.parametrize(
    ("before", "error", "who", "opens"),
    [
        (Circuit(), LOGIN, [ANN], True),
        (SERVED, LOGIN, [ANN], False),
        (SERVED, LOGIN, [ANN, ANN], True),
        (Circuit(), BLOCKED, [ANN], False),
        (Circuit(), BLOCKED, [ANN, BOB], True),
        (SERVED, BLOCKED, [ANN, ANN, ANN, ANN], False),
        (SERVED, BLOCKED, [ANN, BOB], True),
        (replace(SERVED, served=ANN), BLOCKED, [ANN, ANN], True),
        (SERVED, RESET, [ANN, BOB, CLEO, ANN], False),
        (SERVED, RESET, [ANN, BOB, CLEO, ANN, BOB], True),
        (SERVED, RESET, [ANN, BOB] * 10, False),
        (replace(SERVED, served=BOB), RESET, [ANN, BOB, ANN, BOB, ANN], True),
        (SERVED, RESET, [ANN] * 20, False),
        (SERVED, RESET, [ANN] * 20 + [BOB, CLEO], True),
        (Circuit(), RESET, [ANN] * 5, True),
    ],
)
def test_how_many_in_a_row_open_it(
    before: Circuit, error: errors.SourceError, who: list[OperatorId], opens: bool
) -> None:
    almost = after(before, error, *who[:-1])
    assert almost.opening is None
    assert (after(almost, error, who[-1]).opening is not None) is opens


def test_any_answer_ends_a_row_also_one_that_refuses_a_mailbox() -> None:
    refusal = errors.MailboxNotFound("nobody", code="ErrorNonExistentMailbox")
    for answer in (answered(BOB, NOW), failed(after(SERVED, LOGIN, ANN), refusal, BOB, at())):
        assert answer.row == ()
        assert answer.served == BOB
        later = failed(answer, LOGIN, ANN, at(60))
        assert later.opening is None
        assert failed(later, LOGIN, ANN, at(61)).opening is not None


def test_failures_of_different_kinds_do_not_add_up() -> None:
    assert after(after(after(SERVED, LOGIN, ANN), RESET, ANN, BOB, CLEO), BLOCKED, ANN).opening is None


def test_served_a_moment_ago_two_random_refusals_are_not_enough_and_the_first_probe_is_soon() -> None:
    circuit = replace(SERVED, answered_at=NOW - timedelta(seconds=9))
    assert after(circuit, LOGIN, ANN, BOB).opening is None
    assert first_probe(after(circuit, LOGIN, ANN, BOB, CLEO)) == 2
    circuit = replace(SERVED, answered_at=NOW - timedelta(seconds=10))
    assert first_probe(after(circuit, LOGIN, ANN, BOB)) == 15


@pytest.mark.parametrize(
    ("error", "intervals"),
    [(LOGIN, [15, 30, 40, 40, 40]), (BLOCKED, [15, 30, 45, 45, 45]), (RESET, [2, 4, 8, 15, 20, 20, 20])],
)
@pytest.mark.parametrize("jitter", [0.0, 0.5, 1.0])
def test_probes_come_at_growing_intervals(error: errors.SourceError, intervals: list[int], jitter: float) -> None:
    circuit, now = SERVED, 0.0
    for who in (ANN, BOB, CLEO, ANN, BOB):
        circuit = failed(circuit, error, who, at(0, jitter))
    for seconds in intervals:
        exact = seconds * (0.9 + jitter / 5)
        assert first_probe(circuit) - now == pytest.approx(exact)
        assert not may_ask(circuit, NOW + timedelta(seconds=now + exact - 0.01), may_probe=True)
        now += exact + 0.01
        moment = at(now, jitter)
        assert may_ask(circuit, moment.now, may_probe=True)
        assert not may_ask(circuit, moment.now, may_probe=False)
        circuit = probing(circuit, under_way=True)
        assert not may_ask(circuit, moment.now, may_probe=True), "one at a time"
        circuit = failed(circuit, error, ANN, moment, probe=True)
        assert circuit.opening is not None
        assert circuit.opening.opened_at == NOW


def test_a_probe_that_comes_to_nothing_leaves_its_place_to_another() -> None:
    circuit = probing(after(SERVED, LOGIN, ANN, ANN), under_way=True)
    assert not may_ask(circuit, NOW + timedelta(hours=1), may_probe=True)
    assert may_ask(probing(circuit, under_way=False), NOW + timedelta(hours=1), may_probe=True)
    assert probing(SERVED, under_way=True) == SERVED


def test_what_was_under_way_when_it_opened_changes_nothing_by_failing_and_closes_it_by_an_answer() -> None:
    circuit = after(SERVED, LOGIN, ANN, ANN)
    assert failed(circuit, LOGIN, BOB, at(1)) == circuit
    assert answered(BOB, NOW).opening is None


def test_a_probe_may_find_that_something_else_is_wrong_by_now() -> None:
    circuit = failed(after(SERVED, RESET, ANN, BOB, CLEO, ANN, BOB), LOGIN, ANN, at(2), probe=True)
    assert circuit.opening is not None
    assert (circuit.opening.sign, str(circuit.opening.error)) == (Sign.CREDENTIALS, "no")
    assert first_probe(circuit) == 2 + 30


@pytest.mark.parametrize(("hint", "wait"), [(None, 2), (0, 2), (1, 2), (120, 120), (86_400, 3600)])
def test_no_probe_comes_before_the_server_said(hint: float | None, wait: float) -> None:
    busy = errors.Throttled("busy", retry_after=hint, code="HTTP 503")
    circuit = after(SERVED, busy, ANN, BOB, CLEO, ANN, BOB)
    assert first_probe(circuit) == wait
    again = failed(circuit, busy, ANN, at(wait), probe=True)
    assert first_probe(again) - wait == max(4, wait if hint and hint > 2 else 4)


def standing(seconds: float, error: errors.SourceError = LOGIN) -> Standing:
    return Standing(error, NOW + timedelta(seconds=seconds))


class TestOtherHosts:
    def test_another_hosts_finding_is_believed(self) -> None:
        circuit = adopt(SERVED, standing(-5), at())
        assert circuit.opening is not None
        assert circuit.opening.opened_at == NOW - timedelta(seconds=5)
        assert first_probe(circuit) == 15
        assert adopt(circuit, standing(-1), at(1)) == circuit

    def test_unless_this_host_has_been_served_since(self) -> None:
        assert adopt(SERVED, standing(-61), at()) == SERVED
        assert adopt(Circuit(), standing(-61), at()).opening is not None

    def test_nor_what_is_about_one_mailbox(self) -> None:
        assert adopt(SERVED, standing(0, errors.MailboxNotFound("nobody")), at()) == SERVED

    def test_an_answer_elsewhere_closes_it(self) -> None:
        circuit = after(SERVED, LOGIN, ANN, ANN)
        assert served_elsewhere(circuit, NOW) == circuit, "it was before"
        closed = served_elsewhere(circuit, NOW + timedelta(seconds=1))
        assert closed.opening is None
        assert closed.row == ()

    def test_once_only_where_nobody_here_is_served_then_either(self) -> None:
        circuit = after(served_elsewhere(after(SERVED, LOGIN, ANN, ANN), NOW + timedelta(seconds=1)), LOGIN, ANN, ANN)
        assert circuit.opening is not None
        assert served_elsewhere(circuit, NOW + timedelta(seconds=9)) == circuit
        again = after(replace(answered(ANN, NOW), answered_at=NOW - timedelta(minutes=1)), LOGIN, ANN, ANN)
        assert served_elsewhere(again, NOW + timedelta(seconds=9)).opening is None

    @pytest.mark.parametrize(("error", "own"), [(LOGIN, False), (RESET, True), (BLOCKED, True)])
    def test_a_host_that_is_not_to_probe_does_so_much_later_if_it_costs_no_login(
        self, error: errors.SourceError, own: bool
    ) -> None:
        circuit = adopt(SERVED, standing(0, error), at())
        later = NOW + timedelta(seconds=first_probe(circuit) + 60)
        assert not may_ask(circuit, later - timedelta(seconds=1), may_probe=False)
        assert may_ask(circuit, later, may_probe=False) is own

    def test_what_was_adopted_is_closed_whenever_the_others_are_served(self) -> None:
        circuit = SERVED
        for second in range(5):
            circuit = adopt(circuit, standing(second), at(second))
            assert circuit.opening is not None
            circuit = served_elsewhere(circuit, NOW + timedelta(seconds=second + 0.5))
            assert circuit.opening is None


def test_the_error_survives_the_way_to_another_host_and_holds_no_traceback() -> None:
    try:
        raise LOGIN
    except errors.AuthenticationFailed as raised:
        circuit = after(SERVED, raised, ANN, ANN)
    assert circuit.opening is not None
    assert circuit.opening.error.__traceback__ is None
    found = pickle.loads(pickle.dumps(standing(0, circuit.opening.error)))  # noqa: S301  # our own
    assert type(found.error) is errors.AuthenticationFailed
    assert (str(found.error), found.error.code, found.error.standing) == ("no", "HTTP 401", False)


def test_the_row_stays_short() -> None:
    assert after(SERVED, RESET, *[ANN] * 100).row == (Miss(Sign.UNREACHABLE, ANN),) * 8


def test_random_refusals_open_it_seldom() -> None:
    """One in ten at random is far more than any server was seen to do; it opens once in a thousand requests."""
    chance, circuit, opened = random.Random(7), SERVED, 0
    for n in range(100_000):
        moment, who = at(n / 100), OperatorId(str(n % 50))
        circuit = failed(circuit, LOGIN, who, moment) if chance.random() < 0.1 else answered(who, moment.now)
        if circuit.opening is not None:
            opened += 1
            circuit = answered(who, moment.now)
    assert 50 < opened < 150
