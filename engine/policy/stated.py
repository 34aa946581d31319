"""Policies as they are stated: by the settings for everybody, and more strictly for one operator. Pure."""

from collections.abc import Mapping
from typing import Any

from engine.policy.model import Policy, Reason


def policy_of(says: Mapping[str, Any], *, skip_private: bool) -> Policy:
    """By a section with the keys of ``email_sync``; ``skip_private``: what counts where it says nothing of it."""
    allow = frozenset(says.get("allow", ()))
    return Policy(
        skip_private=bool(says.get("skip_private", skip_private)),
        skip_internal=bool(says.get("skip_internal", False)),
        deny=frozenset(says.get("deny", ())),
        allow=(allow,) if allow else (),
        skip_folders=frozenset(name.casefold() for name in says.get("skip_folders", ())),
        only_known=bool(says.get("only_known", False)),
    )


def united(tenant: Policy, own: Policy) -> Policy:
    """What is kept out by either: an operator's policy only ever adds."""
    return Policy(
        skip_private=tenant.skip_private or own.skip_private,
        skip_internal=tenant.skip_internal or own.skip_internal,
        deny=tenant.deny | own.deny,
        allow=tuple(dict.fromkeys((*tenant.allow, *own.allow))),
        skip_folders=tenant.skip_folders | own.skip_folders,
        only_known=tenant.only_known or own.only_known,
    )


def loosened(before: Policy, after: Policy) -> frozenset[Reason]:
    """For which reasons mail was kept out that may be let in now."""
    looser = {
        Reason.PRIVATE: before.skip_private and not after.skip_private,
        Reason.FOLDER: bool(before.skip_folders - after.skip_folders),
        Reason.DENIED: bool(before.deny - after.deny),
        Reason.NOT_ALLOWED: bool(before.allow) and before.allow != after.allow,
        Reason.INTERNAL: before.skip_internal and not after.skip_internal,
        Reason.UNKNOWN: before.only_known and not after.only_known,
    }
    return frozenset(reason for reason, loose in looser.items() if loose)
