"""The seams: what the engine needs from the outside, and what the gateway needs from the cluster.

Each port has a real side and a fake, and one contract suite (``tests/contract``) that both pass.
"""

from engine.ports.access_store import AccessStore
from engine.ports.alert_store import AlertStore
from engine.ports.association_store import AssociationStore
from engine.ports.clock import Clock
from engine.ports.crm_store import CrmStore
from engine.ports.erasure_store import ErasureStore
from engine.ports.export_store import ExportStore
from engine.ports.job_store import JobStore
from engine.ports.mail_source import MailSource
from engine.ports.mailbox_store import LandingStore, MailboxStore
from engine.ports.mailroom import Mailroom
from engine.ports.policy_store import PolicyStore
from engine.ports.query_store import QueryStore
from engine.ports.settings_store import SettingsStore
from engine.ports.store import Store

__all__ = [
    "AccessStore",
    "AlertStore",
    "AssociationStore",
    "Clock",
    "CrmStore",
    "ErasureStore",
    "ExportStore",
    "JobStore",
    "LandingStore",
    "MailSource",
    "MailboxStore",
    "Mailroom",
    "PolicyStore",
    "QueryStore",
    "SettingsStore",
    "Store",
]
