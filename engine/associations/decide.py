"""From the outcomes of an email's addresses to its associations, for whose mailbox it is in. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from engine.associations.found import Opportunity
from engine.associations.model import Ambiguity, Association, Rule, RuleSet
from engine.associations.outcome import Outcome
from engine.crm.model import RecordKind
from engine.privacy.addresses import canonical

_ORDER = {rule: place for place, rule in enumerate(Rule)}
_NEVER = datetime.min.replace(tzinfo=UTC)


class Decision(NamedTuple):
    """The associations of an email, one a record, and what could not be decided."""

    associations: tuple[Association, ...] = ()
    ambiguities: tuple[Ambiguity, ...] = ()


class Owner(NamedTuple):
    """Whose mailbox an email is in."""

    operator_id: str
    email: str

    def owns(self, opportunity: Opportunity) -> bool:
        """Whether the CRM names this operator, by id or address, as the owner."""
        named = opportunity.owner.strip().casefold()
        return bool(named) and (named == self.operator_id.casefold() or _known_as(named) == _known_as(self.email))


_known_as = lru_cache(maxsize=50_000)(canonical)
"""Owners are asked about again and again."""


def decide(outcomes: Iterable[tuple[str, Outcome]], owner: Owner, rules: RuleSet) -> Decision:
    """What an email is associated with; ``outcomes``: of each address that counts, with the address."""
    given = list(outcomes)
    made = [one for _, outcome in given for one in outcome.associations]
    doubtful = [one for _, outcome in given for one in outcome.ambiguities]
    if Rule.OPPORTUNITY_CONTACT in rules.rules:
        for address, outcome in given:
            for each in outcome.by_contact:
                _settle(_of_contact(each, owner), Rule.OPPORTUNITY_CONTACT, address, made, doubtful)
    led = [one.kind for one in made] + [one.kind for one in doubtful]
    if Rule.OPPORTUNITY_ACCOUNT in rules.rules and RecordKind.OPPORTUNITY not in led:
        for address, outcome in given:
            for each in outcome.by_company:
                _settle(_of_company(each, owner), Rule.OPPORTUNITY_ACCOUNT, address, made, doubtful)
    best: dict[tuple[RecordKind, str], Association] = {}
    for one in made:
        known = best.get((one.kind, one.record_id))
        if known is None or _strength(one) < _strength(known):
            best[one.kind, one.record_id] = one
    return Decision(
        tuple(one for one in best.values() if one.kind in rules.kinds),
        tuple(dict.fromkeys(one for one in doubtful if one.kind in rules.kinds)),
    )


def _strength(one: Association) -> tuple[float, int, str]:
    return -one.confidence, _ORDER[one.rule], one.address


def _of_contact(opportunities: Sequence[Opportunity], owner: Owner) -> Sequence[Opportunity]:
    """The open ones before the closed, and of several those whose owner the mailbox's is."""
    chosen = [one for one in opportunities if one.is_open] or opportunities
    return chosen if len(chosen) < 2 else [one for one in chosen if owner.owns(one)] or chosen


def _of_company(opportunities: Sequence[Opportunity], owner: Owner) -> Sequence[Opportunity]:
    """The one of the mailbox's owner there was last something going on in."""
    owned = [one for one in opportunities if owner.owns(one)]
    latest = max((one.active_at or _NEVER for one in owned), default=_NEVER)
    return [one for one in owned if (one.active_at or _NEVER) == latest]


def _settle(
    chosen: Sequence[Opportunity], rule: Rule, address: str, made: list[Association], doubtful: list[Ambiguity]
) -> None:
    if len(chosen) == 1:
        made.append(Association(RecordKind.OPPORTUNITY, chosen[0].record_id, rule, address))
    elif chosen:
        ids = tuple(sorted(one.record_id for one in chosen))
        doubtful.append(Ambiguity(RecordKind.OPPORTUNITY, rule, address, ids))
