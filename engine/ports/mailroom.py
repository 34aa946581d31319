"""The cluster, as the gateway and the command line see it."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from engine.application_settings.model import SettingsVersion
from engine.checks.model import CheckReport
from engine.jobs.model import JobChange, JobName, JobRun, JobState
from engine.listing import Listing, Page
from engine.model import Operator
from engine.notices import Notice, NoticeAnswer
from engine.operators import OperatorChange
from engine.orders import HostReport
from engine.ports.access_store import AccessStore
from engine.ports.crm_store import CrmStore
from engine.ports.erasure_store import ErasureStore
from engine.ports.export_store import ExportStore
from engine.ports.policy_store import PolicyStore
from engine.ports.query_store import QueryStore
from engine.status import Readiness, Status


class Mailroom(AccessStore, CrmStore, ErasureStore, ExportStore, PolicyStore, QueryStore, Protocol):
    """The cluster as the gateway and the command line see it."""

    async def notify(self, notice: Notice) -> NoticeAnswer:
        """Hand a notice to the host of its mailbox; returns when the host has it.

        Raises:
            HostUnavailable: nobody could take it; Exchange should try again.
        """
        ...

    async def status(self) -> Status:
        """The figures of ``GET /api/v1/status``."""
        ...

    async def page(self, listing: Listing) -> Page:
        """As ``Store.page``."""
        ...

    async def operators(self) -> list[Operator]:
        """As ``Store.operators``."""
        ...

    async def change_operators(self, changes: Sequence[OperatorChange]) -> None:
        """As ``Store.change_operators``; hosts act upon it within a second or two."""
        ...

    async def check(self, operator: Operator, *, round_trip: bool) -> CheckReport:
        """Prove step by step that an operator's mailbox can be kept in step; trouble is in the report.

        With ``round_trip``, Exchange has 75 seconds to call back. Whoever is cancelled while waiting ends the check.

        Raises:
            HostUnavailable: nobody could take it.
        """
        ...

    async def jobs(self) -> list[JobState]:
        """Both jobs, by name, each with its latest run and when the next is."""
        ...

    async def change_job(self, name: JobName, change: JobChange) -> JobState:
        """Enable, disable or reschedule a job; a run under way stops at the next page when it is disabled.

        Raises:
            SettingsError: the schedule is neither an interval nor a cron expression.
        """
        ...

    async def settings(self) -> SettingsVersion:
        """The Application Settings that rule."""
        ...

    async def change_settings(
        self, changes: Mapping[str, Any], by: str, expected: int | None = None
    ) -> SettingsVersion:
        """Change values by dotted key, such as ``email_sync.batch_size``; in force everywhere within a second or two.

        ``expected``: the version the change was made for; None: whichever rules. Where nothing differs, the version
        that rules is answered.

        Raises:
            SettingsError: a line for each key that is not known, is a secret's, or may not have this value.
            SettingsConflict: another version rules by now.
        """
        ...

    async def run_job(self, name: JobName) -> JobRun:
        """Begin a run now.

        Raises:
            JobRefused: a run of this job is under way, or the job is disabled.
        """
        ...

    async def hosts(self) -> dict[str, HostReport]:
        """What each host that answers says of itself, by name."""
        ...

    async def ready(self) -> Readiness:
        """Whether the parts answer, for ``GET /readyz``."""
        ...
