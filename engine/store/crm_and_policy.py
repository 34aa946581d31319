"""The store's methods about CRM records, associations and policies."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import duckdb

from engine.associations.model import AssociationProgress
from engine.crm.change import CrmChange, CrmOutcome
from engine.model import OperatorId
from engine.policy.purge import PolicyStanding, PurgeReceipt, PurgeRequest
from engine.store.asking import Asking
from engine.store.associating import anew
from engine.store.door import operator_policies, purging
from engine.store.door.release import release_known
from engine.store.erasing import Erasing


class CrmAndPolicy(Asking):
    """``ports.CrmStore``, ``ports.AssociationStore`` and ``ports.PolicyStore``."""

    _erasing: Erasing
    _clock: Callable[[], datetime]

    async def policy_standing(self, operator_id: str = "") -> PolicyStanding:
        """See ``ports.PolicyStore``."""
        domains = self._writer.doorkeeper.doors.own_domains
        return await self._ask(lambda cursor: operator_policies.standing(cursor, domains, operator_id))

    async def put_operator_policy(self, operator_id: OperatorId, document: Mapping[str, Any], by: str) -> None:
        """See ``ports.PolicyStore``."""
        await self._change(lambda connection, now: self._put_policy(connection, operator_id, document, by, now))

    async def purge(self, request: PurgeRequest) -> PurgeReceipt:
        """See ``ports.PolicyStore``."""
        doors, rules = self._writer.doorkeeper.doors, self._writer.associator.rules
        found = await asyncio.wrap_future(self._readers.look_up(lambda cursor: purging.find(cursor, doors, rules)))
        if request.dry_run:
            counts = purging.counts_of(found)
            return PurgeReceipt(request.purge_id, self._clock(), request.by, counts, dry_run=True)
        return await self._do_alone(lambda: self._erasing.purge(request, found))

    async def put_crm(self, change: CrmChange) -> CrmOutcome:
        """See ``ports.CrmStore``."""
        return await self._change(lambda connection, now: self._put_crm(connection, change, now))

    async def associate_some(self, limit: int) -> AssociationProgress:
        """See ``ports.AssociationStore``."""
        return await self._change(lambda connection, now: self._writer.associator.some(connection, limit, now))

    async def associations_left(self) -> int:
        """See ``ports.AssociationStore``."""
        return await self._ask(anew.left)

    async def associate_all(self) -> int:
        """See ``ports.AssociationStore``."""
        return await self._change(lambda connection, _: anew.queue_all(connection))

    def _put_policy(
        self,
        connection: duckdb.DuckDBPyConnection,
        operator_id: OperatorId,
        document: Mapping[str, Any],
        by: str,
        now: datetime,
    ) -> None:
        operator_policies.put(connection, operator_id, document, by, now)
        self._writer.fence(self._writer.doorkeeper.follow_one(connection, now, operator_id))

    def _put_crm(self, connection: duckdb.DuckDBPyConnection, change: CrmChange, now: datetime) -> CrmOutcome:
        outcome = self._writer.associator.put_crm(connection, change)
        if not change.dry_run:
            self._writer.fence(release_known(connection, now))
        return outcome
