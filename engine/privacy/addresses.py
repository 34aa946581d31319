"""When two spellings are one address.

Letter case does not count, nor do surrounding spaces, `<>`, `mailto:` and Exchange's `SMTP:`; a domain is compared as
DNS knows it (`müller.example` is `xn--mller-kva.example`). A tag belongs to the address before it: who is erased as
`ann@example.com` is erased as `ann+news@example.com` too, and not the other way round. Dots count.
"""

import re
import unicodedata

_PLAIN = r"[^\s\x00-\x1f\x7f-\x9f@<>,;\"()]"
_LABEL = r"[^\s\x00-\x1f\x7f-\x9f@<>,;\"().]"
PATTERN = f"^{_PLAIN}+@{_LABEL}+(\\.{_LABEL}+)+$"
"""What an address looks like when it is given, as a regular expression."""
LONGEST = 320
"""Characters of an address: 64 before the @, 255 after it."""
_SCHEMES = ("smtp:", "mailto:")


def canonical(address: str) -> str:
    """The one spelling of an address; of a text that is none, the text in small letters."""
    text = address if address.isascii() else unicodedata.normalize("NFC", address)
    text = text.strip().casefold()
    for scheme in _SCHEMES:
        text = text.removeprefix(scheme)
    text = text.removeprefix("<").removesuffix(">")
    local, at, domain = text.rpartition("@")
    return f"{local}@{_domain(domain.removesuffix('.'))}" if at else text


def plain(address: str) -> str:
    """An address as it is written, without spaces, `<>` and schemes around it."""
    text = address.strip()
    for scheme in _SCHEMES:
        if text[: len(scheme)].casefold() == scheme:
            text = text[len(scheme) :]
    return text.removeprefix("<").removesuffix(">")


def names_of(address: str) -> tuple[str, ...]:
    """What an address may be known as: its canonical spelling, and that without a tag where it has one."""
    whole = canonical(address)
    local, _, domain = whole.rpartition("@")
    untagged = local.partition("+")[0]
    return (whole,) if untagged in {"", local} else (whole, f"{untagged}@{domain}")


def is_address(text: str) -> bool:
    """Whether a text is one SMTP address, whatever its spelling."""
    return len(text) <= LONGEST and re.search(PATTERN, canonical(text)) is not None


def _domain(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain
