"""The people of a simulated organisation: its operators, and the customers they write with."""

import random
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from engine.simulator.corpus import LANGUAGES, WEIGHTS, Language
from engine.simulator.messages import Address

_FIRST = ("Alex", "Dana", "Robin", "Kim", "Sascha", "Jordan", "Nikola", "Andrea", "Toni", "Charlie", "Maxime", "Noa")
_LAST = ("Winter", "Lang", "Silva", "Novak", "Berg", "Costa", "Stone", "Meyer", "Rossi", "Holm", "Fischer", "Young")


class Operator(NamedTuple):
    """A person whose mailbox the simulator holds."""

    operator_id: str
    email: str
    name: str


class Contact(NamedTuple):
    """A customer operators write with."""

    person: Address
    language: Language
    company: str


def operator(number: int) -> Operator:
    """The nth operator, counted from one."""
    name = f"{_FIRST[number % len(_FIRST)]} {_LAST[number // len(_FIRST) % len(_LAST)]}"
    return Operator(f"operator{number:04d}", f"operator{number:04d}@example.com", name)


def operators(count: int) -> list[Operator]:
    """The first operators of every simulated organisation."""
    return [operator(number) for number in range(1, count + 1)]


@lru_cache(maxsize=8)
def contacts(seed: int, count: int = 240) -> tuple[Contact, ...]:
    """The customers of an organisation, the same for the same seed."""
    rng = random.Random(f"contacts:{seed}")
    return tuple(_contact(rng, number) for number in range(count))


def _contact(rng: random.Random, number: int) -> Contact:
    language = rng.choices(LANGUAGES, WEIGHTS)[0]
    first, last = rng.choice(language.first_names), rng.choice(language.last_names)
    company = rng.choice(language.companies)
    domain = _slug(company) or f"{language.code}-{language.companies.index(company)}"
    user = f"{_slug(first)}.{_slug(last)}".strip(".") or f"contact{number}"
    name = f"{last} {first}" if language.family_first else f"{first} {last}"
    return Contact(Address(name, f"{user}@{domain}.example"), language, company)


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ł", "l").replace("Ł", "L"))
    words = "".join(c if c.isascii() and c.isalnum() else " " if c in " &'-" else "" for c in plain).lower().split()
    return "-".join(words)
