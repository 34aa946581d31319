"""The words of associations: rules, what they are set to, and what they lead to.

An email has at most one association with a record: the one of greatest confidence, then of the rule that comes first
here, then of the address that sorts first.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engine.crm.model import RecordKind


class Rule(StrEnum):
    """The rules, strongest first; each can be switched off.

    - ``exact_address``: an address of the email is, letter for letter, one of the record's.
    - ``folded_address``: it is once letter case and a tag (``ann+news@``) are left aside. Looked at where no record of
      the kind has the address letter for letter.
    - ``domain``: the address is of a domain of the account or organization, which is neither a free-mail domain nor
      one of our own. Looked at where no record of the kind has the address.
    - ``parent_account``: the account (or organization) of an associated contact.
    - ``opportunity_contact``: an associated contact has a role in the opportunity. Open ones count before closed ones;
      of several, those the operator owns.
    - ``opportunity_account``: of an associated account's open opportunities that the operator owns, the one most
      recently active. Looked at where no contact leads to an opportunity.
    - ``conversation``: an earlier email of the same conversation is associated with the record, and this one with
      none of its kind.
    """

    EXACT_ADDRESS = "exact_address"
    FOLDED_ADDRESS = "folded_address"
    DOMAIN = "domain"
    PARENT_ACCOUNT = "parent_account"
    OPPORTUNITY_CONTACT = "opportunity_contact"
    OPPORTUNITY_ACCOUNT = "opportunity_account"
    CONVERSATION = "conversation"


CONFIDENCE: Final[Mapping[Rule, float]] = MappingProxyType(
    {
        Rule.EXACT_ADDRESS: 1.0,
        Rule.FOLDED_ADDRESS: 0.95,
        Rule.PARENT_ACCOUNT: 0.9,
        Rule.OPPORTUNITY_CONTACT: 0.8,
        Rule.DOMAIN: 0.7,
        Rule.OPPORTUNITY_ACCOUNT: 0.6,
        Rule.CONVERSATION: 0.5,
    }
)


@dataclass(frozen=True, slots=True)
class RuleSet:
    """What the settings say of associations.

    ``kinds``: of which records are associated; others still lead on (a contact to its account). ``mass_mail_over``:
    an email with more distinct addresses than this is mass mail, of which the sender alone counts. ``own_domains``,
    ``free_mail``: domains, canonical, that lead to no account.
    """

    kinds: frozenset[RecordKind] = frozenset(RecordKind)
    rules: frozenset[Rule] = frozenset(Rule)
    mass_mail_over: int = 50
    own_domains: frozenset[str] = frozenset()
    free_mail: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Association:
    """That an email concerns a record, and why: ``address`` is the email's, as it is written there."""

    kind: RecordKind
    record_id: str
    rule: Rule
    address: str

    @property
    def confidence(self) -> float:
        """How sure it is, from 0 to 1: the rule's."""
        return CONFIDENCE[self.rule]


@dataclass(frozen=True, slots=True)
class Ambiguity:
    """That an address leads to several records of a kind, by one rule: shown, not guessed."""

    kind: RecordKind
    rule: Rule
    address: str
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssociationProgress:
    """How many landed emails have been associated anew by a step, and how many are left to do."""

    done: int
    left: int
