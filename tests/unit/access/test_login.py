import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from engine.access import tokens
from engine.access.limits import FailedLogins, LoginLimits
from engine.access.login import Login, log_in
from engine.access.roles import Role
from engine.access.tokens import Denial, TokenRecord, TokenRequest
from engine.errors import TooManyAttempts, Unauthenticated

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ADMIN = "chosen by someone"
HERE, THERE = ip_address("192.0.2.1"), ip_address("203.0.113.9")
TOKEN = tokens.issue(TokenRequest("grafana", Role.VIEWER, "ann", (), NOW + 60 * SECOND), bytes(range(40)), NOW)
GUESS = tokens.issue(TokenRequest("guess", Role.VIEWER, "eve"), bytes(range(8)) + bytes(32), NOW)


class Door:
    """A gateway's login: how often it may fail, and what is answered."""

    def __init__(self) -> None:
        self.failed = FailedLogins(LoginLimits(attempts=3, refill=10 * SECOND))
        self.records = {TOKEN.record.token_id: TOKEN.record}

    def answer(self, presented: str, client: object = HERE, now: datetime = NOW) -> str:
        record: TokenRecord | None = self.records.get(tokens.token_id_of(presented) or "")
        try:
            return log_in(Login(presented, record, client, now), ADMIN, self.failed).name  # type: ignore[arg-type]
        except Unauthenticated as refused:
            return refused.reason
        except TooManyAttempts as refused:
            return f"wait {refused.retry_after:g}"


@pytest.fixture
def door() -> Door:
    return Door()


def test_both_kinds_of_token_are_let_in(door: Door) -> None:
    assert door.answer(TOKEN.text) == "grafana"
    assert door.answer(ADMIN) == "admin (environment)"


def test_guesses_are_refused_and_then_made_to_wait(door: Door) -> None:
    tries = ["guess", GUESS.text, "mr_cut", "guess"]
    assert [door.answer(one) for one in tries] == [Denial.UNKNOWN, Denial.WRONG, Denial.MALFORMED, "wait 10"]
    assert door.answer("guess", now=NOW + 4.2 * SECOND) == "wait 6"


def test_the_environments_token_waits_where_others_have_guessed_and_nowhere_else(door: Door) -> None:
    for _ in range(3):
        door.answer("guess")
    assert door.answer(ADMIN) == "wait 10"
    assert door.answer(ADMIN, THERE) == "admin (environment)"
    assert door.answer(ADMIN, now=NOW + 10 * SECOND) == "admin (environment)"


def test_an_issued_token_that_is_right_never_waits(door: Door) -> None:
    for _ in range(5):
        door.answer("guess")
    assert door.answer(TOKEN.text) == "grafana"


def test_success_gives_no_attempts_back(door: Door) -> None:
    for _ in range(3):
        door.answer("guess")
        door.answer(TOKEN.text)
        door.answer(ADMIN)
    assert door.answer("guess") == "wait 10"


def test_expired_and_revoked_are_no_guesses(door: Door) -> None:
    for _ in range(5):
        assert door.answer(TOKEN.text, now=NOW + 60 * SECOND) == Denial.EXPIRED
    door.records[TOKEN.record.token_id] = replace(TOKEN.record, revoked_at=NOW)
    for _ in range(5):
        assert door.answer(TOKEN.text) == Denial.REVOKED
    assert len(door.failed) == 0


def test_without_a_token_in_the_environment_only_issued_ones_count() -> None:
    failed = FailedLogins()
    with pytest.raises(Unauthenticated):
        log_in(Login("", None, HERE, NOW), "", failed)
    assert log_in(Login(TOKEN.text, TOKEN.record, HERE, NOW), "", failed).name == "grafana"


def test_the_audit_trail_wants_the_first_and_the_last_failure(door: Door) -> None:
    notable = []
    for _ in range(3):
        with pytest.raises(Unauthenticated) as caught:
            log_in(Login("guess", None, HERE, NOW), ADMIN, door.failed)
        notable.append(pickle.loads(pickle.dumps(caught.value)).notable)  # noqa: S301  # our own bytes
    assert notable == [True, False, True]


def test_what_is_shown_is_not_printed() -> None:
    assert "chosen" not in repr(Login(ADMIN, None, HERE, NOW))


def test_a_wait_survives_the_way_between_processes() -> None:
    again = pickle.loads(pickle.dumps(TooManyAttempts("wait", retry_after=7)))  # noqa: S301  # the same
    assert (str(again), again.retry_after) == ("wait", 7)
