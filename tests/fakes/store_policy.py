"""MemoryStore's policies: ``ports.PolicyStore`` that keeps documents and keeps nothing out."""

from abc import abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.errors import UnknownOperator
from engine.model import OperatorId
from engine.policy.purge import PolicyStanding, PurgeCount, PurgeReceipt, PurgeRequest


class MemoryPolicies:
    """``own``: operators' own policies. ``kept_out`` and ``to_purge``: what a test says was, and would be."""

    def __init__(self) -> None:
        super().__init__()
        self.own: dict[str, dict[str, object]] = {}
        self.kept_out_counts: dict[str, int] = {}
        self.to_purge: tuple[PurgeCount, ...] = ()
        self.purges: list[PurgeRequest] = []

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _now(self) -> datetime: ...

    @abstractmethod
    def _is_operator(self, operator_id: str) -> bool: ...

    async def policy_standing(self, operator_id: str = "") -> PolicyStanding:
        self._check()
        self._known(operator_id)
        own = {who: dict(says) for who, says in self.own.items() if operator_id in {"", who}}
        return PolicyStanding(("example.com",), dict(self.kept_out_counts), own)

    async def put_operator_policy(self, operator_id: OperatorId, document: Mapping[str, Any], by: str) -> None:
        self._check()
        self._known(operator_id)
        self.own.pop(operator_id, None)
        if document:
            self.own[operator_id] = dict(document)

    async def purge(self, request: PurgeRequest) -> PurgeReceipt:
        self._check()
        self.purges.append(request)
        counts = self.to_purge
        if not request.dry_run:
            self.to_purge = ()
        done = None if request.dry_run or request.later else self._now()
        return PurgeReceipt(request.purge_id, self._now(), request.by, counts, request.dry_run, done)

    def _known(self, operator_id: str) -> None:
        if operator_id and not self._is_operator(operator_id):
            raise UnknownOperator(f"There is no operator {operator_id[:100]!r}.")
