"""Policies: what is kept out, of whom, and what a purge takes out."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from api.schemas.shared import Moment, Shown
from engine.policy.model import Reason
from engine.setting_values import AddressesOrDomains

Count = Annotated[int, Field(ge=0)]
KeptOut = Annotated[dict[Reason, Count], Field(description="Emails that were kept out, by reason.")]


class PolicyShown(Shown):
    """A policy, with the words of the settings. ``allow``: sets of which an email must have one address each."""

    skip_private: bool
    skip_internal: bool
    deny: list[str]
    allow: list[list[str]]
    skip_folders: list[str]
    only_known: bool


class TenantPolicyShown(Shown):
    """Everybody's policy, and how it stands."""

    policy: PolicyShown
    own_domains: Annotated[list[str], Field(description="By which mail is internal.")]
    kept_out: KeptOut
    operators: Annotated[list[str], Field(description="The ids of those who have a policy of their own.")]


class OperatorPolicyShown(Shown):
    """An operator's policy: ``own`` adds to everybody's, ``effective`` is both together."""

    operator_id: str
    own: PolicyShown
    effective: PolicyShown
    kept_out: KeptOut


class OperatorPolicyPut(BaseModel):
    """An operator's own policy, whole: what is left out is as if it were not. It only ever adds to everybody's."""

    model_config = ConfigDict(extra="forbid")

    skip_private: StrictBool = False
    skip_internal: StrictBool = False
    deny: AddressesOrDomains = ()
    allow: AddressesOrDomains = ()
    skip_folders: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    only_known: StrictBool = False


class PurgePost(BaseModel):
    """``dry_run``: count only. ``later``: write the file anew at the next purge, erasure or start, and not now."""

    model_config = ConfigDict(extra="forbid")

    dry_run: StrictBool = False
    later: StrictBool = False


class PurgedShown(Shown):
    """How many emails of one operator, for which reason."""

    reason: Reason
    operator_id: str
    emails: Count


class PurgeShown(Shown):
    """What a purge took out, or would."""

    purge_id: str
    at: Moment
    by: str
    emails: Count
    counts: list[PurgedShown]
    dry_run: bool
    rewritten_at: Annotated[Moment | None, Field(description="Since then nothing of them is left in the file.")]
    rewrite_problem: str | None
