"""The rules that rule: what the settings say, and what follows from whose addresses the operators have. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from engine.associations.free_mail import FREE_MAIL
from engine.associations.model import Rule, RuleSet
from engine.crm.keys import domain_of
from engine.crm.model import RecordKind

_KINDS = {kind.plural: kind for kind in RecordKind}


def own_domains(said: Sequence[str], operator_addresses: Iterable[str], free_mail: frozenset[str]) -> frozenset[str]:
    """The organisation's own domains: those that are said to be, or else the operators', free mail apart."""
    if said:
        return frozenset(said)
    return frozenset(domain_of(address) for address in operator_addresses) - free_mail - {""}


def rule_set(email_sync: Mapping[str, Any], operator_addresses: Iterable[str]) -> RuleSet:
    """By the section ``email_sync`` of a settings document; what it does not say is as by default."""
    free_mail = FREE_MAIL | frozenset(email_sync.get("free_mail_domains", ()))
    plain = RuleSet()
    kinds, rules = email_sync.get("associate_with"), email_sync.get("association_rules")
    return RuleSet(
        kinds=plain.kinds if kinds is None else frozenset(_KINDS[one] for one in kinds),
        rules=plain.rules if rules is None else frozenset(map(Rule, rules)),
        mass_mail_over=email_sync.get("mass_mail_over", plain.mass_mail_over),
        own_domains=own_domains(email_sync.get("own_domains", ()), operator_addresses, free_mail),
        free_mail=free_mail,
    )


def basis(rules: RuleSet) -> str:
    """The rules as text, equal where they lead to the same."""
    return json.dumps(
        {
            "kinds": sorted(rules.kinds),
            "rules": sorted(rules.rules),
            "mass_mail_over": rules.mass_mail_over,
            "own_domains": sorted(rules.own_domains),
            "free_mail": sorted(rules.free_mail),
        }
    )
