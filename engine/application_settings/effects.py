"""What has to be done anew after a change, beside working by the new values from then on. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from engine.application_settings.model import SettingChange
from engine.jobs.model import JobName


@dataclass(frozen=True, slots=True)
class Effects:
    """``resubscribe``: every push subscription is replaced. ``resync``: every mailbox is synchronised now."""

    resubscribe: bool = False
    resync: bool = False


_RESUBSCRIBE = frozenset({"exchange.url", "email_sync.notification_url", "email_sync.notification_frequency"})
"""Subscriptions carry the last two, and live at the Exchange of the first."""


def effects_of(changes: Iterable[SettingChange]) -> Effects:
    """Of a change of settings that were in force; fewer days ask for nothing, since the window never moves forward."""
    effects = Effects()
    for one in changes:
        if one.old is None:
            continue
        effects = Effects(
            effects.resubscribe or one.key in _RESUBSCRIBE,
            effects.resync or _wants_sync(one),
        )
    return effects


def jobs_after(changes: Iterable[SettingChange]) -> tuple[JobName, ...]:
    """The jobs a change is a reason to run at once."""
    effects = effects_of(changes)
    wanted = ((effects.resync, JobName.EMAIL_SYNC), (effects.resubscribe, JobName.MANAGE_PUSH_SUBSCRIPTIONS))
    return tuple(name for want, name in wanted if want)


def _wants_sync(one: SettingChange) -> bool:
    if one.key == "email_sync.sync_from_days":
        return bool(one.new is not None and one.new > one.old)
    return one.key == "email_sync.folders" or one.key.startswith("exchange.")
