"""The Application Settings: what may be changed, and how they are shown; both by the models that check them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, SecretStr, create_model

from api.schemas.shared import Moment, Shown
from engine.settings import EmailSyncSettings, ExchangeSettings

Key = Annotated[str, Field(description="Section and key.", examples=["email_sync.batch_size"])]


def _fields(section: type[BaseModel], default: Any) -> dict[str, Any]:
    """The section's fields but for its secrets, with the bounds they have there."""
    return {
        name: (Annotated[(field.annotation, Field(description=field.description), *field.metadata)], default)
        for name, field in section.model_fields.items()
        if field.annotation is not SecretStr
    }


class _Given(BaseModel):
    """What is left out stays as it is; null is no value."""

    model_config = ConfigDict(extra="forbid", strict=True)


ExchangeGiven: Any = create_model(
    "ExchangeGiven", __base__=_Given, __doc__="Where EWS is and how to sign in.", **_fields(ExchangeSettings, None)
)
EmailSyncGiven: Any = create_model(
    "EmailSyncGiven", __base__=_Given, __doc__="What is synchronised, and how.", **_fields(EmailSyncSettings, None)
)
ExchangeShown: Any = create_model(
    "ExchangeShown", __base__=Shown, __doc__="Where EWS is and how to sign in.", **_fields(ExchangeSettings, ...)
)
EmailSyncShown: Any = create_model(
    "EmailSyncShown", __base__=Shown, __doc__="What is synchronised, and how.", **_fields(EmailSyncSettings, ...)
)


class SettingsPut(_Given):
    """What is to change. ``version``: the one it was made for; another that has come meanwhile is not overwritten."""

    version: Annotated[int, Field(ge=1, lt=1 << 31)] = None  # type: ignore[assignment]  # left out
    exchange: ExchangeGiven = None
    email_sync: EmailSyncGiven = None


class SettingChangeShown(Shown):
    """One value before and after; null: there was no such key."""

    key: Key
    old: Any
    new: Any


class SettingsShown(Shown):
    """The settings that rule."""

    version: Annotated[int, Field(ge=1)]
    updated_at: Moment
    updated_by: Annotated[str, Field(description="The token's name, or `configuration file`.")]
    exchange: ExchangeShown
    email_sync: EmailSyncShown
    warnings: Annotated[list[str], Field(description="What is allowed and yet worth a word, a line each.")]


class SettingsChanged(SettingsShown):
    """The settings that rule now, and what has changed."""

    changes: list[SettingChangeShown]


class SettingsVersionShown(Shown):
    """A version: when, by whom, and what it changed in the one before. The first has every key."""

    version: Annotated[int, Field(ge=1)]
    at: Moment
    by: str
    changes: list[SettingChangeShown]
