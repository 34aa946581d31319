"""What hosts are told of Exchange."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from engine.errors import AuthenticationFailed, SourceUnavailable
from engine.jobs.model import Shift
from engine.orders import HostReport, Orders, Standing
from engine.sharing import share

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOSTS = ("a", "b", "c")


def at(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def standing(opened: float, waiting: int = 0) -> Standing:
    return Standing(AuthenticationFailed("401"), at(opened), waiting)


def report(trouble: Standing | None = None, answered: float | None = None) -> HostReport:
    return HostReport("1", standing=trouble, answered_at=None if answered is None else at(answered))


def test_without_trouble_everybody_may_ask() -> None:
    orders = share(HOSTS, {"a": report(answered=1), "b": report(answered=3)}, Shift(sync=False, subscribe=True))
    assert orders == dict.fromkeys(HOSTS, Orders(sync=False, subscribe=True, answered_at=at(3)))


def test_before_anybody_has_reported() -> None:
    assert share(HOSTS, {}, Shift(subscribe=False)) == dict.fromkeys(HOSTS, Orders(subscribe=False))


def test_what_one_host_finds_all_are_told_and_one_looks_for_its_end() -> None:
    trouble = standing(5, waiting=2)
    orders = share(HOSTS, {"a": report(answered=1), "b": report(trouble), "c": report()}, Shift())
    assert {host: (one.standing, one.probe) for host, one in orders.items()} == {
        "a": (trouble, False),
        "b": (trouble, True),
        "c": (trouble, False),
    }


def test_nobody_waits_then_the_first_looks() -> None:
    orders = share(HOSTS, {"c": report(standing(5)), "b": report()}, Shift())
    assert [host for host, one in orders.items() if one.probe] == ["b"]


def test_the_latest_trouble_counts() -> None:
    later = Standing(SourceUnavailable("503"), at(9))
    orders = share(HOSTS, {"a": report(standing(5)), "b": report(later)}, Shift())
    assert orders["c"].standing == later


def test_an_answer_to_anybody_since_then_ends_it_for_all() -> None:
    orders = share(HOSTS, {"a": report(standing(5, 3)), "b": report(answered=6)}, Shift())
    assert orders == dict.fromkeys(HOSTS, Orders(answered_at=at(6)))


def test_an_answer_from_before_does_not() -> None:
    orders = share(HOSTS, {"a": report(standing(5, 3)), "b": report(answered=4)}, Shift())
    assert orders["b"].standing is not None


STANDINGS = st.none() | st.builds(standing, st.integers(0, 9), st.integers(0, 2))
REPORTS = st.dictionaries(
    st.sampled_from(HOSTS), st.builds(report, STANDINGS, st.none() | st.integers(0, 9)), max_size=3
)


@given(REPORTS)
def test_one_host_that_answers_looks_while_there_is_trouble_and_everybody_otherwise(
    reports: dict[str, HostReport],
) -> None:
    orders = share(HOSTS, reports, Shift())
    probing = [host for host, one in orders.items() if one.probe]
    if len({one.standing is not None for one in orders.values()}) != 1:
        raise AssertionError("hosts are told different things")
    if orders["a"].standing is None:
        assert probing == list(HOSTS)
    else:
        assert len(probing) == 1
        assert probing[0] in reports
        waiting = [host for host in reports if (trouble := reports[host].standing) and trouble.waiting]
        assert not waiting or probing == [min(waiting)]


def test_what_is_said_of_exchange_by_other_settings_does_not_count() -> None:
    old, new = report(standing(5, waiting=2), answered=4), replace(report(answered=1), settings_version=2)
    orders = share(HOSTS, {"a": old, "b": new, "c": old}, Shift(), 2)
    assert orders == dict.fromkeys(HOSTS, Orders(answered_at=at(1), settings_version=2))
