"""Policies of one moment: what of which mailbox's mail is kept out, and by what that is judged."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from engine.model import OperatorId
from engine.policy.judging import Premises
from engine.policy.model import Policy
from engine.policy.stated import united


@dataclass(frozen=True, slots=True)
class Doors:
    """``own``: operators' own policies; ``owners``: everybody's address."""

    tenant: Policy
    own: Mapping[OperatorId, Policy] = field(default_factory=dict)
    owners: Mapping[OperatorId, str] = field(default_factory=dict)
    own_domains: frozenset[str] = frozenset()

    def policy(self, operator_id: OperatorId) -> Policy:
        """What is kept out of one mailbox's mail."""
        own = self.own.get(operator_id)
        return self.tenant if own is None else united(self.tenant, own)

    def premises(self, operator_id: OperatorId, is_known: Callable[[str], bool]) -> Premises:
        """What that is judged by."""
        return Premises(self.owners.get(operator_id, ""), self.own_domains, is_known)
