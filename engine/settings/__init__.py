"""Settings: the TOML file and the secrets of the environment, checked once, with messages that say what to write.

Names are DESIGN section 8's. Secrets come from the environment only and never print (``SecretStr``).
"""

from engine.settings.application import EmailSyncSettings, ExchangeSettings, ExchangeVersion
from engine.settings.installation import (
    ClusterSettings,
    GatewaySettings,
    JobSettings,
    JobsSettings,
    OperatorSettings,
    SmtpSettings,
    StoreSettings,
)
from engine.settings.load import SECRETS, build_settings, load_settings
from engine.settings.root import Settings

__all__ = [
    "SECRETS",
    "ClusterSettings",
    "EmailSyncSettings",
    "ExchangeSettings",
    "ExchangeVersion",
    "GatewaySettings",
    "JobSettings",
    "JobsSettings",
    "OperatorSettings",
    "Settings",
    "SmtpSettings",
    "StoreSettings",
    "build_settings",
    "load_settings",
]
