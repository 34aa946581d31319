"""When two addresses are one person's, and the 64-bit keys they are looked up by.

Keys are stored, so they must never change: BLAKE2b of the folded text.
"""

from functools import lru_cache
from hashlib import blake2b

from engine.privacy.addresses import canonical, names_of


def fold(address: str) -> str:
    """An address without letter case, tag (``ann+news@`` is ``ann@``), or what Exchange and browsers put around it."""
    return names_of(address)[-1]


def domain_of(address: str) -> str:
    """The canonical domain of an address, or an empty text where it has none."""
    return canonical(address).rpartition("@")[2] if "@" in address else ""


@lru_cache(maxsize=100_000)
def address_key(address: str) -> int:
    """The key of an address, the same for all spellings that fold to one."""
    return _key("address", fold(address))


@lru_cache(maxsize=20_000)
def domain_key(domain: str) -> int:
    """The key of a domain in any spelling."""
    return _key("domain", canonical(f"x@{domain.strip()}").rpartition("@")[2])


def record_key(kind: str, record_id: str) -> int:
    """The key of a record."""
    return _key(kind, record_id)


def contact_link(contact_id: str) -> int:
    """The key by which a contact's opportunities are found."""
    return _key("of contact", contact_id)


def company_link(account_id: str) -> int:
    """The key by which the opportunities of an account or organization are found."""
    return _key("of company", account_id)


def _key(what: str, text: str) -> int:
    digest = blake2b(f"{what}\x1f{text}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")
