"""What proxies say of where a request comes from: X-Forwarded-For, or Forwarded (RFC 7239), nearest proxy first.

Each proxy appends; what stands further left came with the request and may say anything. So these are read from the
right, an entry at a time, and nothing further left changes how an entry reads: a quoted text with a comma in it (RFC
7239 allows one) is taken for two broken entries, where reading from the left would let an open quote swallow what a
proxy added.
https://www.rfc-editor.org/rfc/rfc7239
"""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address


class ProxyHeader(StrEnum):
    """The header the proxies write. One only: they pass the other on as the client sent it."""

    X_FORWARDED_FOR = "X-Forwarded-For"
    FORWARDED = "Forwarded"


_NAME = r"[A-Za-z0-9!#$%&'*+.^_`|~-]+"
_VALUE = r"(?:[A-Za-z0-9!#$%&'*+.^_`|~:\[\]-]+|\"(?:[^\"\\,]|\\[^,])*\")"
_PAIR = rf"({_NAME})=({_VALUE})"
_ELEMENT = re.compile(rf"{_PAIR}(?:[ \t]*;[ \t]*{_PAIR})*")
_PAIRS = re.compile(_PAIR)
_NODE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?|([0-9A-Fa-f:.]+)")


def entries(header: ProxyHeader, values: Sequence[str]) -> Iterator[Address | None]:
    """The addresses in a header, whose lines are given in order: the one the nearest proxy wrote first.

    None stands for an entry that names no address (``unknown``, a made-up name) or is not well-formed.
    """
    read = _of_forwarded if header is ProxyHeader.FORWARDED else address_of
    for line in reversed(values):
        for entry in reversed(line.split(",")):
            yield read(entry.strip(" \t"))


def address_of(text: str) -> Address | None:
    """An address, with or without a port and brackets; None where it is none.

    IPv4 written as IPv6 (``::ffff:192.0.2.1``) becomes IPv4.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        return None
    try:
        return plain(ip_address(match[1] or match[2] or match[3]))
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """The IPv4 address an IPv6 socket shows as ``::ffff:192.0.2.1``; any other as it is, without a zone."""
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or IPv6Address(int(address))
    return address


def _of_forwarded(element: str) -> Address | None:
    if _ELEMENT.fullmatch(element) is None:
        return None
    nodes = [value for name, value in _PAIRS.findall(element) if name.lower() == "for"]
    return address_of(nodes[0].strip('"')) if len(nodes) == 1 else None
