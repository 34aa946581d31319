"""The circuit breaker between a host and Exchange: when everybody's requests fail of one cause, they stop. Pure.

::

    closed ──as many failures in a row as the cause wants──▶ open ──at next_probe_at──▶ one request is let through
      ▲                                                       ▲                             │            │
      └──────────────── any answer ───────────────────────────┼─────────────────────────────┘            │
                                                              └─────── it fails: a longer interval ──────┘

"In a row" means that nobody was answered in between. One mailbox's own trouble looks the same when the others are idle,
so a row opens the circuit only if whoever was served last is in it, or several mailboxes are.
"""

import copy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from engine.errors import SourceError, Throttled
from engine.model import Moment, OperatorId
from engine.orders import Standing
from engine.sync.signs import Sign, sign_of

_A_MOMENT_AGO = timedelta(seconds=10)
_QUICK = timedelta(seconds=2)
"""The first probe where Exchange served us a moment ago: servers refuse a login at random now and then."""
_LONGEST_HINT = timedelta(hours=1)
_ON_ITS_OWN = timedelta(minutes=1)
"""How long after its time a host probes that was not told to. The way from the one that was may be what is broken."""
_ROW_KEPT = 8

_IN_A_ROW = {Sign.CREDENTIALS: 2, Sign.REFUSED: 2, Sign.UNREACHABLE: 5}
_MAILBOXES = {Sign.CREDENTIALS: 1, Sign.REFUSED: 2, Sign.UNREACHABLE: 3}
# A wrong password is found right within a minute, with far fewer attempts than lock an account for their frequency
_INTERVALS = {
    Sign.CREDENTIALS: (15.0, 30.0, 40.0),
    Sign.REFUSED: (15.0, 30.0, 45.0),
    Sign.UNREACHABLE: (2.0, 4.0, 8.0, 15.0, 20.0),
}


@dataclass(frozen=True, slots=True)
class Miss:
    """One request that failed of something that is not its mailbox's own."""

    sign: Sign
    operator_id: OperatorId


@dataclass(frozen=True, slots=True)
class Opening:
    """The circuit is open. ``probes``: how many have failed so far. ``adopted``: another host found it out."""

    error: SourceError
    sign: Sign
    opened_at: datetime
    next_probe_at: datetime
    probes: int = 0
    probing: bool = False
    adopted: bool = False


@dataclass(frozen=True, slots=True)
class Circuit:
    """``row``: what failed since the last answer. ``served``: whom that was for, at ``answered_at``.

    ``hearsay``: it was closed because others are served, and nobody here has been since.
    """

    row: tuple[Miss, ...] = ()
    served: OperatorId | None = None
    answered_at: datetime | None = None
    opening: Opening | None = None
    hearsay: bool = False


def may_ask(circuit: Circuit, now: datetime, *, may_probe: bool) -> bool:
    """Whether a request may go out: always while closed, and as the probe when its time has come.

    Credentials are the same for all hosts, so that one probe speaks for all, and each costs an attempt.
    """
    opening = circuit.opening
    if opening is None:
        return True
    own = opening.sign is not Sign.CREDENTIALS and now >= opening.next_probe_at + _ON_ITS_OWN
    return not opening.probing and (own or (may_probe and now >= opening.next_probe_at))


def is_in_doubt(circuit: Circuit) -> bool:
    """Whether the credentials were refused and nobody has been served since. Requests then go one at a time.

    Each one more costs an attempt, of which an account has few, and would be told the same.
    """
    return circuit.opening is None and any(miss.sign is Sign.CREDENTIALS for miss in circuit.row)


def probing(circuit: Circuit, *, under_way: bool) -> Circuit:
    """The probe has gone out, or has come to nothing (its mailbox was closed meanwhile)."""
    if circuit.opening is None:
        return circuit
    return replace(circuit, opening=replace(circuit.opening, probing=under_way))


def answered(operator_id: OperatorId, now: datetime) -> Circuit:
    """Exchange has served somebody: the circuit is closed, whatever it was."""
    return Circuit(served=operator_id, answered_at=now)


def failed(
    circuit: Circuit, error: SourceError, operator_id: OperatorId, moment: Moment, *, probe: bool = False
) -> Circuit:
    """A request has failed. What is about its mailbox alone counts as an answer."""
    sign, now = sign_of(error), moment.now
    if sign is None:
        return answered(operator_id, now)
    error = copy.copy(error)  # without its traceback, which would keep all that stood around it
    if circuit.opening is not None:
        return replace(circuit, opening=_again(circuit.opening, error, sign, moment)) if probe else circuit
    row = (*circuit.row, Miss(sign, operator_id))[-_ROW_KEPT:]
    circuit = replace(circuit, row=row)
    if not _is_enough(circuit, sign, now):
        return circuit
    first = _interval(sign, 0, moment.jitter)
    if _served_a_moment_ago(circuit, now):
        first = min(first, _QUICK)
    return replace(circuit, opening=Opening(error, sign, now, now + _hinted(error, first)))


def adopt(circuit: Circuit, standing: Standing, moment: Moment) -> Circuit:
    """Believe another host, unless Exchange has served this one since."""
    sign = sign_of(standing.error)
    if sign is None or circuit.opening is not None:
        return circuit
    if circuit.answered_at is not None and circuit.answered_at > standing.opened_at:
        return circuit
    wait = _hinted(standing.error, _interval(sign, 0, moment.jitter))
    probe_at = moment.now + wait
    return replace(circuit, opening=Opening(standing.error, sign, standing.opened_at, probe_at, adopted=True))


def served_elsewhere(circuit: Circuit, answered_at: datetime) -> Circuit:
    """Close it when Exchange has served another host since.

    Once, where this host found it out itself: if nobody here is served then either, the way from here to Exchange is
    what is broken, and others cannot know.
    """
    opening = circuit.opening
    if opening is None or answered_at <= opening.opened_at or (circuit.hearsay and not opening.adopted):
        return circuit
    return replace(circuit, row=(), opening=None, hearsay=circuit.hearsay or not opening.adopted)


def _is_enough(circuit: Circuit, sign: Sign, now: datetime) -> bool:
    alike = [miss.operator_id for miss in circuit.row if miss.sign is sign]
    if sign is Sign.CREDENTIALS and circuit.answered_at is None:
        return True
    # Two random refusals in a row are met on a busy server; three are not
    wanted = _IN_A_ROW[sign] + (sign is Sign.CREDENTIALS and _served_a_moment_ago(circuit, now))
    everybody = circuit.served is None or circuit.served in alike or len(set(alike)) >= _MAILBOXES[sign]
    return len(alike) >= wanted and everybody


def _again(opening: Opening, error: SourceError, sign: Sign, moment: Moment) -> Opening:
    probes = opening.probes + 1 if sign is opening.sign else 1
    wait = _hinted(error, _interval(sign, probes, moment.jitter))
    return replace(opening, error=error, sign=sign, probes=probes, probing=False, next_probe_at=moment.now + wait)


def _interval(sign: Sign, probes: int, jitter: float) -> timedelta:
    intervals = _INTERVALS[sign]
    return timedelta(seconds=intervals[min(probes, len(intervals) - 1)] * (0.9 + jitter / 5))


def _hinted(error: SourceError, wait: timedelta) -> timedelta:
    """A hint of the server is a floor."""
    if isinstance(error, Throttled) and error.retry_after:
        return max(wait, min(timedelta(seconds=error.retry_after), _LONGEST_HINT))
    return wait


def _served_a_moment_ago(circuit: Circuit, now: datetime) -> bool:
    return circuit.answered_at is not None and now - circuit.answered_at < _A_MOMENT_AGO
