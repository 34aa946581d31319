"""``ports.Mailroom`` over Ray: the gateway's way into the cluster."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog

from actors.batching import Batcher
from actors.calls import call
from actors.options import COORDINATOR
from actors.remote_store import RemoteStore
from engine.access.audit import AuditEntry
from engine.access.tokens import TokenRecord
from engine.application_settings.model import SettingsVersion
from engine.checks.model import CheckReport
from engine.crm.change import CrmChange, CrmOutcome
from engine.emails import EmailListing
from engine.errors import HostUnavailable, MailroomError
from engine.exporting import Export, ExportRequest
from engine.jobs.model import JobChange, JobName, JobRun, JobState
from engine.listing import Listing, Page
from engine.model import Operator, OperatorId
from engine.notices import Notice, NoticeAnswer
from engine.operators import OperatorChange
from engine.orders import HostReport
from engine.placement import Placement
from engine.policy.purge import PolicyStanding, PurgeReceipt, PurgeRequest
from engine.privacy.erasure import ErasureRequest, LiftRequest, Receipt
from engine.querying import Answer, Query
from engine.status import Readiness, Status

_log = structlog.get_logger(__name__)
_NOTICES_A_CALL = 500
_READY_WITHIN = 2.0
_HOST_ATTEMPTS = 20
_HOST_PAUSE = 0.5


class RayMailroom:
    """Notices are batched per host; everything else is one call."""

    def __init__(self, placement: Placement) -> None:
        self._placement = placement
        self._store = RemoteStore()
        self._hosts: dict[str, Batcher[Notice, NoticeAnswer]] = {}

    async def notify(self, notice: Notice) -> NoticeAnswer:
        """See ``ports.Mailroom``."""
        host = self._placement.host_of(notice.operator_id)
        if host not in self._hosts:
            self._hosts[host] = Batcher(lambda notices: call(host, "notify", notices), _NOTICES_A_CALL)
        return await self._hosts[host].submit(notice)

    async def status(self) -> Status:
        """See ``ports.Mailroom``."""
        return await self._store.status()

    async def emails(self, listing: EmailListing) -> Page:
        """See ``ports.Mailroom``."""
        return await self._store.emails(listing)

    async def email(self, item_id: str, operator_id: str = "") -> dict[str, Any]:
        """See ``ports.Mailroom``."""
        return await self._store.email(item_id, operator_id)

    async def start_query(self, query: Query) -> Answer:
        """See ``ports.Mailroom``."""
        return await self._store.start_query(query)

    async def read_query(self, query_id: str) -> Answer:
        """See ``ports.Mailroom``."""
        return await self._store.read_query(query_id)

    async def end_query(self, query_id: str) -> None:
        """See ``ports.Mailroom``."""
        await self._store.end_query(query_id)

    async def page(self, listing: Listing) -> Page:
        """See ``ports.Mailroom``."""
        return await self._store.page(listing)

    async def operators(self) -> list[Operator]:
        """See ``ports.Mailroom``."""
        return await self._store.operators()

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        """See ``ports.Mailroom``. Whom nobody tells the hosts of are fenced by the store all the same."""
        await self._store.change_operators(changes)
        await self._let_go([change.after.operator_id for change in changes if change.matters()])

    async def _let_go(self, touched: Sequence[str]) -> None:
        try:
            await call(COORDINATOR, "forget", list(touched))
        except MailroomError as error:
            _log.warning("hosts not told", operators=len(touched), reason=str(error))

    async def settings(self) -> SettingsVersion:
        """See ``ports.Mailroom``."""
        return await self._store.settings()

    async def change_settings(
        self, changes: Mapping[str, Any], by: str, expected: int | None = None
    ) -> SettingsVersion:
        """See ``ports.Mailroom``."""
        changed: SettingsVersion = await call(COORDINATOR, "change_settings", changes, by, expected)
        return changed

    async def check(self, operator: Operator, *, round_trip: bool) -> CheckReport:
        """See ``ports.Mailroom``. A host that is missing, or restarting, is waited for."""
        host = self._placement.host_of(operator.operator_id)
        for _ in range(_HOST_ATTEMPTS):
            try:
                report: CheckReport = await call(host, "check", operator, round_trip, cancels=True)
            except HostUnavailable:
                await call(COORDINATOR, "need_hosts", [operator.operator_id])
                await asyncio.sleep(_HOST_PAUSE)
            else:
                return report
        raise HostUnavailable(f"The host of {operator.operator_id} does not answer.")

    async def jobs(self) -> list[JobState]:
        """See ``ports.Mailroom``."""
        jobs: list[JobState] = await call(COORDINATOR, "jobs")
        return jobs

    async def change_job(self, name: JobName, change: JobChange) -> JobState:
        """See ``ports.Mailroom``."""
        state: JobState = await call(COORDINATOR, "change_job", name, change)
        return state

    async def run_job(self, name: JobName) -> JobRun:
        """See ``ports.Mailroom``."""
        run: JobRun = await call(COORDINATOR, "run_job", name)
        return run

    async def tokens(self) -> list[TokenRecord]:
        """See ``ports.Mailroom``."""
        return await self._store.tokens()

    async def add_token(self, record: TokenRecord) -> None:
        """See ``ports.Mailroom``."""
        await self._store.add_token(record)

    async def revoke_token(self, token_id: str, now: datetime) -> TokenRecord:
        """See ``ports.Mailroom``."""
        return await self._store.revoke_token(token_id, now)

    async def note_token_uses(self, uses: Mapping[str, datetime]) -> None:
        """See ``ports.Mailroom``."""
        await self._store.note_token_uses(uses)

    async def write_audit(self, entries: Sequence[AuditEntry]) -> None:
        """See ``ports.Mailroom``."""
        await self._store.write_audit(entries)

    async def put_crm(self, change: CrmChange) -> CrmOutcome:
        """See ``ports.Mailroom``."""
        return await self._store.put_crm(change)

    async def policy_standing(self, operator_id: str = "") -> PolicyStanding:
        """See ``ports.Mailroom``."""
        return await self._store.policy_standing(operator_id)

    async def put_operator_policy(self, operator_id: OperatorId, document: Mapping[str, Any], by: str) -> None:
        """See ``ports.Mailroom``; its host reads the mailbox anew, and with it what may be let in."""
        await self._store.put_operator_policy(operator_id, document, by)
        await self._let_go([operator_id])

    async def purge(self, request: PurgeRequest) -> PurgeReceipt:
        """See ``ports.Mailroom``."""
        return await self._store.purge(request)

    async def erase(self, request: ErasureRequest) -> Receipt:
        """See ``ports.Mailroom``."""
        receipt = await self._store.erase(request)
        if receipt.operators and not receipt.dry_run:
            await self._let_go(receipt.operators)
        return receipt

    async def begin_export(self, request: ExportRequest) -> Export:
        """See ``ports.Mailroom``."""
        return await self._store.begin_export(request)

    async def read_export(self, export_id: str, part: int, position: int) -> Answer:
        """See ``ports.Mailroom``."""
        return await self._store.read_export(export_id, part, position)

    async def end_export(self, export_id: str) -> None:
        """See ``ports.Mailroom``."""
        await self._store.end_export(export_id)

    async def lift_erasure(self, request: LiftRequest) -> Receipt:
        """See ``ports.Mailroom``."""
        return await self._store.lift_erasure(request)

    async def hosts(self) -> dict[str, HostReport]:
        """See ``ports.Mailroom``: as at the coordinator's last tick, since asking a host is also telling it."""
        hosts: dict[str, HostReport] = await call(COORDINATOR, "hosts")
        return hosts

    async def ready(self) -> Readiness:
        """See ``ports.Mailroom``."""
        store, coordinator, *hosts = await asyncio.gather(
            _answers(call("store", "opened")),
            _answers(call(COORDINATOR, "ping")),
            *(_answers(call(host, "ping")) for host in self._placement.hosts[:16]),
        )
        return Readiness(store, coordinator, sum(hosts))


async def _answers(asked: object) -> bool:
    try:
        await asyncio.wait_for(asked, _READY_WITHIN)  # type: ignore[arg-type]
    except (MailroomError, TimeoutError):
        return False
    return True
