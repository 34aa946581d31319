"""Roles and what each may do: one table, and the one question asked of it.

Two rules hold the table together, and a test each:

- Whoever may run queries may read every view, so a role with ``query:run`` has every permission a view would give it.
- ``sales_ops`` looks after operators and their mailboxes and never sees mail, settings or secrets.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engine.errors import Forbidden
from engine.jobs.model import Job


class Role(StrEnum):
    """What a token is for."""

    ADMINISTRATOR = "administrator"
    SALES_OPS = "sales_ops"
    VIEWER = "viewer"


class Permission(StrEnum):
    """One kind of request. ``MEANINGS`` says what each covers."""

    STATUS_READ = "status:read"
    FAILURES_READ = "failures:read"
    SUBSCRIPTIONS_READ = "subscriptions:read"
    ALERTS_READ = "alerts:read"
    EVENTS_READ = "events:read"
    METRICS_READ = "metrics:read"
    JOBS_READ = "jobs:read"
    JOBS_RUN = "jobs:run"
    JOBS_WRITE = "jobs:write"
    OPERATORS_READ = "operators:read"
    OPERATORS_WRITE = "operators:write"
    OPERATORS_CHECK = "operators:check"
    EMAILS_READ = "emails:read"
    QUERY_RUN = "query:run"
    CRM_READ = "crm:read"
    CRM_WRITE = "crm:write"
    SETTINGS_READ = "settings:read"
    SETTINGS_WRITE = "settings:write"
    TOKENS_MANAGE = "tokens:manage"
    AUDIT_READ = "audit:read"
    ERASE_RUN = "erase:run"
    EXPORT_RUN = "export:run"


MEANINGS: Final[Mapping[Permission, str]] = MappingProxyType(
    {
        Permission.STATUS_READ: "how it is going: the figures, the mailboxes, the hosts",
        Permission.FAILURES_READ: "what fails, why, and what to do about it",
        Permission.SUBSCRIPTIONS_READ: "the push subscriptions (without their callback URLs)",
        Permission.ALERTS_READ: "the alerts that are open, and those that were",
        Permission.EVENTS_READ: "the live feed of progress; it carries no mail",
        Permission.METRICS_READ: "`/metrics`",
        Permission.JOBS_READ: "the jobs, their schedules and their runs",
        Permission.JOBS_RUN: "run a job now, as its access group allows",
        Permission.JOBS_WRITE: "enable, disable and reschedule a job, and set its access group",
        Permission.OPERATORS_READ: "list and show operators",
        Permission.OPERATORS_WRITE: "create, import, change, enable and disable operators",
        Permission.OPERATORS_CHECK: "test an operator against Exchange",
        Permission.EMAILS_READ: "list and read emails, bodies included",
        Permission.QUERY_RUN: "run SQL over all views, emails included",
        Permission.CRM_READ: "read the CRM records",
        Permission.CRM_WRITE: "import and change the CRM records",
        Permission.SETTINGS_READ: "read the Application Settings (they hold no secrets)",
        Permission.SETTINGS_WRITE: "change the Application Settings",
        Permission.TOKENS_MANAGE: "create, list and revoke tokens",
        Permission.AUDIT_READ: "read the audit trail",
        Permission.ERASE_RUN: "erase a person's mail, and keep it out",
        Permission.EXPORT_RUN: "export everything as files",
    }
)

_EVERYBODY = frozenset(
    {
        Permission.STATUS_READ,
        Permission.FAILURES_READ,
        Permission.SUBSCRIPTIONS_READ,
        Permission.ALERTS_READ,
        Permission.EVENTS_READ,
        Permission.METRICS_READ,
        Permission.JOBS_READ,
        Permission.OPERATORS_READ,
    }
)

PERMISSIONS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.ADMINISTRATOR: frozenset(Permission),
        Role.SALES_OPS: _EVERYBODY | {Permission.JOBS_RUN, Permission.OPERATORS_WRITE, Permission.OPERATORS_CHECK},
        Role.VIEWER: _EVERYBODY | {Permission.EMAILS_READ, Permission.QUERY_RUN, Permission.CRM_READ},
    }
)

OF_VIEWS: Final = frozenset(
    {
        Permission.OPERATORS_READ,
        Permission.EMAILS_READ,
        Permission.CRM_READ,
        Permission.SUBSCRIPTIONS_READ,
        Permission.FAILURES_READ,
        Permission.ALERTS_READ,
        Permission.JOBS_READ,
        Permission.STATUS_READ,
    }
)
"""What the documented views show anyway, to whoever may query them."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, once a token has been verified. ``token_id`` is empty for MAILROOM_ADMIN_TOKEN."""

    name: str
    role: Role
    groups: frozenset[str] = frozenset()
    token_id: str = ""


def allowed(principal: Principal, permission: Permission) -> bool:
    """Whether the principal's role has the permission."""
    return permission in PERMISSIONS[principal.role]


def require(principal: Principal, permission: Permission) -> None:
    """Let pass, or not.

    Raises:
        Forbidden: the role does not have the permission; the message names the roles that do.
    """
    if not allowed(principal, permission):
        raise Forbidden(f"The role {principal.role} may not do this: it takes {permission} ({_holders(permission)}).")


def may_use_job(principal: Principal, permission: Permission, job: Job) -> bool:
    """Whether the principal may do what ``permission`` (one of ``jobs:*``) says with this job.

    Reading is never narrowed: when a job runs is part of how it is going. Beyond that, whoever is not an administrator
    must be in the job's access group; a job without one is the administrators' alone.
    """
    if not allowed(principal, permission):
        return False
    if permission is Permission.JOBS_READ or principal.role is Role.ADMINISTRATOR:
        return True
    return job.access_group != "" and job.access_group in principal.groups


def require_job(principal: Principal, permission: Permission, job: Job) -> None:
    """Let pass, or not, as ``may_use_job`` says.

    Raises:
        Forbidden: the role does not have the permission, or the token is not in the job's access group.
    """
    require(principal, permission)
    if may_use_job(principal, permission, job):
        return
    if not job.access_group:
        raise Forbidden(f"{job.name} has no access group, so only an administrator may do this.")
    raise Forbidden(f"{job.name} belongs to the access group {job.access_group!r}, and this token is not in it.")


def _holders(permission: Permission) -> str:
    return ", ".join(role for role in Role if permission in PERMISSIONS[role])
