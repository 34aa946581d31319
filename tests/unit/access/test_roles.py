import pytest

from engine.access import roles
from engine.access.roles import PERMISSIONS, Permission, Principal, Role
from engine.errors import Forbidden
from engine.jobs.model import Job, JobName

ADMINISTRATOR = Principal("ann", Role.ADMINISTRATOR)
OPS = Principal("ben", Role.SALES_OPS)
VIEWER = Principal("cid", Role.VIEWER)
NIGHT_OPS = Principal("dot", Role.SALES_OPS, frozenset({"night shift"}))
NIGHT_VIEWER = Principal("eve", Role.VIEWER, frozenset({"night shift"}))

# Written out here a second time on purpose: whoever opens a door changes two places.
OF_SALES_OPS = (
    "status:read failures:read subscriptions:read alerts:read events:read metrics:read jobs:read jobs:run "
    "operators:read operators:write operators:check"
)
OF_VIEWER = (
    "status:read failures:read subscriptions:read alerts:read events:read metrics:read jobs:read operators:read "
    "emails:read query:run crm:read"
)


@pytest.mark.parametrize("permission", Permission)
def test_who_may_what(permission: Permission) -> None:
    assert roles.allowed(ADMINISTRATOR, permission)
    assert roles.allowed(OPS, permission) == (permission in OF_SALES_OPS.split())
    assert roles.allowed(VIEWER, permission) == (permission in OF_VIEWER.split())


@pytest.mark.parametrize("role", Role)
def test_whoever_may_query_may_read_what_the_views_show(role: Role) -> None:
    missing = roles.OF_VIEWS - PERMISSIONS[role]
    assert not missing or Permission.QUERY_RUN not in PERMISSIONS[role]


def test_sales_ops_sees_no_mail_by_any_way() -> None:
    ways = {Permission.EMAILS_READ, Permission.QUERY_RUN, Permission.EXPORT_RUN, Permission.ERASE_RUN}
    assert not ways & PERMISSIONS[Role.SALES_OPS]


def test_every_permission_has_its_words() -> None:
    assert set(roles.MEANINGS) == set(Permission)
    assert set(PERMISSIONS) == set(Role)


def test_a_refusal_names_the_roles_that_may() -> None:
    roles.require(VIEWER, Permission.QUERY_RUN)
    with pytest.raises(Forbidden, match=r"sales_ops may not.*query:run \(administrator, viewer\)"):
        roles.require(OPS, Permission.QUERY_RUN)


@pytest.mark.parametrize(
    ("principal", "group", "read", "run", "write"),
    [
        (ADMINISTRATOR, "", True, True, True),
        (ADMINISTRATOR, "night shift", True, True, True),
        (OPS, "", True, False, False),
        (OPS, "night shift", True, False, False),
        (NIGHT_OPS, "", True, False, False),
        (NIGHT_OPS, "night shift", True, True, False),
        (NIGHT_OPS, "Night Shift", True, False, False),
        (VIEWER, "", True, False, False),
        (NIGHT_VIEWER, "night shift", True, False, False),
    ],
)
def test_who_may_use_a_job(principal: Principal, group: str, read: bool, run: bool, write: bool) -> None:
    job = Job(JobName.EMAIL_SYNC, enabled=True, every="15m", access_group=group)
    wanted = {Permission.JOBS_READ: read, Permission.JOBS_RUN: run, Permission.JOBS_WRITE: write}
    assert {permission: roles.may_use_job(principal, permission, job) for permission in wanted} == wanted
    for permission, may in wanted.items():
        if may:
            roles.require_job(principal, permission, job)
        else:
            with pytest.raises(Forbidden):
                roles.require_job(principal, permission, job)


def test_an_empty_group_in_a_token_opens_nothing() -> None:
    nobody = Principal("f", Role.SALES_OPS, frozenset({""}))
    assert not roles.may_use_job(nobody, Permission.JOBS_RUN, Job(JobName.EMAIL_SYNC, enabled=True, every="15m"))


def test_a_refused_job_says_whose_it_is() -> None:
    with pytest.raises(Forbidden, match="EmailSync belongs to the access group 'night shift'"):
        roles.require_job(OPS, Permission.JOBS_RUN, Job(JobName.EMAIL_SYNC, True, "15m", access_group="night shift"))
    with pytest.raises(Forbidden, match="EmailSync has no access group"):
        roles.require_job(OPS, Permission.JOBS_RUN, Job(JobName.EMAIL_SYNC, True, "15m"))
