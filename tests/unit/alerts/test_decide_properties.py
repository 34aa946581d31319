"""Whatever fails whenever: mails stay few, nobody who stays failed is forgotten, and an end is told if a start was."""

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.alerts.decide import Digest, DigestKind, Occasion, decide
from engine.alerts.model import Affected, Alert, AlertStatus, StandingFailure
from engine.alerts.policy import AlertPolicy
from engine.model import OperatorId

POLICY = AlertPolicy()
START = datetime(2026, 11, 24, tzinfo=UTC)
CODES = ("AUTH_FAILED", "EWS_BLOCKED")
PEOPLE = ("ann", "bob", "cyd")
LONGEST_STEP = timedelta(minutes=20)
LONG_ENOUGH = POLICY.remind_after + 2 * LONGEST_STEP


@dataclass(frozen=True)
class Period:
    """For a while: who fails of what (None: nothing), whether a run is open, how often the question is asked."""

    lasts: timedelta
    codes: tuple[str | None, ...]
    in_run: bool
    step: timedelta


PERIODS = st.lists(
    st.builds(
        Period,
        lasts=st.one_of(
            st.timedeltas(timedelta(seconds=1), timedelta(minutes=3)),
            st.timedeltas(timedelta(minutes=3), timedelta(hours=30)),
        ),
        codes=st.tuples(*[st.sampled_from((None, None, *CODES))] * len(PEOPLE)),
        in_run=st.booleans(),
        step=st.sampled_from([timedelta(seconds=2), timedelta(seconds=17)]),
    ),
    min_size=1,
    max_size=14,
)


@dataclass
class Past:
    """What was asked and written, in order; ``failed``: by operator and code, from which question to which."""

    now: datetime = START
    asked_at: datetime = START
    alerts: dict[str, Alert] = field(default_factory=dict)
    digests: list[Digest] = field(default_factory=list)
    failed: dict[tuple[str, str], list[tuple[datetime, datetime]]] = field(default_factory=dict)
    ids: Iterator[str] = field(default_factory=lambda: (f"id-{number}" for number in itertools.count()))

    def live(self, period: Period) -> None:
        until, step = self.now + period.lasts, period.step
        while self.now < until:
            self._ask(period)
            self.now += step
            step = min(step * 1.3, LONGEST_STEP)

    def _ask(self, period: Period) -> None:
        standing: dict[str, list[Affected]] = {code: [] for code in CODES}
        for one, code in zip(PEOPLE, period.codes, strict=True):
            if code is not None:
                standing[code].append(Affected(OperatorId(one), f"{one}@example.com", "No.", self.now))
                self._note(one, code)
        failures = [StandingFailure(code, tuple(affected)) for code, affected in standing.items()]
        decision = decide(
            list(self.alerts.values()), failures, Occasion(self.now, POLICY, in_run=period.in_run), self.ids
        )
        self.alerts.update({one.alert_id: one for one in decision.alerts})
        self.alerts = {key: one for key, one in self.alerts.items() if one.status is not AlertStatus.CLOSED}
        self.digests += decision.digests
        self.asked_at = self.now

    def _note(self, operator: str, code: str) -> None:
        spans = self.failed.setdefault((operator, code), [])
        if spans and spans[-1][1] == self.asked_at:
            spans[-1] = (spans[-1][0], self.now)
        else:
            spans.append((self.now, self.now))


def live(periods: Sequence[Period]) -> Past:
    past = Past()
    for period in periods:
        past.live(period)
    return past


@settings(deadline=None)
@given(PERIODS)
def test_mails_are_few(periods: list[Period]) -> None:
    past = live(periods)
    for code in CODES:
        mine = [one for one in past.digests if one.alert.code == code]
        reports = [one.written_at for one in mine if one.kind is DigestKind.REPORT]
        for before, after in itertools.pairwise(reports):
            assert after - before >= POLICY.same_cause_within + POLICY.recovered_after
        for earlier, later in itertools.pairwise(mine):
            pair = (earlier.kind, later.kind)
            assert pair not in {(DigestKind.REPORT, DigestKind.REPORT), (DigestKind.RECOVERY, DigestKind.RECOVERY)}
            assert pair not in {(DigestKind.RECOVERY, DigestKind.FURTHER), (DigestKind.FURTHER, DigestKind.REPORT)}
            if later.kind is DigestKind.FURTHER:
                assert later.written_at - earlier.written_at >= POLICY.remind_after


@settings(deadline=None)
@given(PERIODS)
def test_nobody_who_stays_failed_is_forgotten_or_told_twice(periods: list[Period]) -> None:
    past = live(periods)
    for (operator, code), spans in past.failed.items():
        for start, end in spans:
            named = [
                one
                for one in past.digests
                if one.alert.code == code
                and start <= one.written_at <= end
                and operator in {touched.operator_id for touched in one.affected}
            ]
            assert len(named) <= 1
            assert named or end - start < LONG_ENOUGH


@settings(deadline=None)
@given(PERIODS)
def test_an_end_is_told_once_and_only_to_who_heard_the_start(periods: list[Period]) -> None:
    quiet = Period(timedelta(hours=2), (None,) * len(PEOPLE), in_run=False, step=timedelta(seconds=2))
    past = live([*periods, quiet])
    assert past.alerts == {}
    kinds = Counter((one.alert.alert_id, one.kind) for one in past.digests)
    told = {alert_id for alert_id, kind in kinds if kind is DigestKind.REPORT}
    assert {alert_id for alert_id, kind in kinds if kind is DigestKind.RECOVERY} == told
    assert all(times == 1 for (_, kind), times in kinds.items() if kind is not DigestKind.FURTHER)
