"""Which networks are let in, and where a request really comes from when proxies stand before the gateway.

Guarantees: a header counts only when the socket's other end is a trusted proxy, and only as far back as trusted proxies
have written it; so nothing a client sends changes where it seems to come from. What cannot be read lets nobody in.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from engine.access.forwarded import Address, ProxyHeader, address_of, entries, plain
from engine.errors import SettingsError

Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class NetworkRule:
    """Who may connect. ``allowed`` empty: everyone. ``proxies``: whose ``header`` is believed; empty: nobody's."""

    allowed: tuple[Network, ...] = ()
    proxies: tuple[Network, ...] = ()
    header: ProxyHeader = ProxyHeader.X_FORWARDED_FOR


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a request comes from (None: cannot be told), and whether it is let in."""

    address: Address | None
    allowed: bool


def parse_networks(setting: str, texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks as settings write them: ``10.0.0.0/8``, ``2001:db8::/32``, or a single address.

    Raises:
        SettingsError: one is none; the message begins with ``setting`` and says what to write.
    """
    return tuple(_network(setting, text.strip()) for text in texts)


def judge(rule: NetworkRule, peer: str | None, header_values: Sequence[str]) -> Caller:
    """Where a request comes from and whether it is let in.

    Args:
        rule: Who is.
        peer: The other end of the socket, as the operating system writes it.
        header_values: The lines of ``rule.header`` in the order they came.
    """
    address = _origin(rule, peer, header_values)
    if address is None:
        return Caller(None, allowed=False)
    return Caller(address, allowed=not rule.allowed or _within(address, rule.allowed))


def _origin(rule: NetworkRule, peer: str | None, header_values: Sequence[str]) -> Address | None:
    """From the socket back along the trusted proxies, to the first address that is none of theirs.

    A trusted proxy that names nobody asks for itself: a command on the proxy's own machine, or its health check.
    """
    address = address_of((peer or "").partition("%")[0])
    for earlier in entries(rule.header, header_values):
        if address is None or not _within(address, rule.proxies):
            break
        address = earlier
    return address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks)


def _network(setting: str, text: str) -> Network:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise SettingsError(
            f"{setting}: {text!r} is no network. Write one such as 192.0.2.0/24, 2001:db8::/32 or a single address."
        ) from None
    if "/" in text and network.network_address != ip_network(text.partition("/")[0]).network_address:
        raise SettingsError(f"{setting}: {text!r} is an address inside a network. Write {network} for all of it.")
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        return IPv4Network((int(plain(network.network_address)), network.prefixlen - 96))
    return network
