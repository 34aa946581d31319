"""Policies: what the settings do not say of them, and purging."""

from collections.abc import Mapping
from typing import Any, Protocol

from engine.model import OperatorId
from engine.policy.purge import PolicyStanding, PurgeReceipt, PurgeRequest


class PolicyStore(Protocol):
    """Operators' own policies, what was kept out, and taking out what would be by now."""

    async def policy_standing(self, operator_id: str = "") -> PolicyStanding:
        """How the policies stand: of everybody, or as to one operator.

        Raises:
            UnknownOperator: there is none of this id.
        """
        ...

    async def put_operator_policy(self, operator_id: OperatorId, document: Mapping[str, Any], by: str) -> None:
        """Let an operator's own policy be this, by the keys of the settings; an empty one takes it away.

        It holds from the next landing on. What may be let in by now becomes pending.

        Raises:
            UnknownOperator: there is none of this id.
        """
        ...

    async def purge(self, request: PurgeRequest) -> PurgeReceipt:
        """Take out every email that the policies would keep out by now, current or deleted, and write the file anew.

        It counts as kept out from then on, and comes back should the policies allow it again.
        """
        ...
