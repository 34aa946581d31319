"""What decides who is let in, put together once for a gateway: networks, tokens, and who has failed how often."""

from dataclasses import dataclass, field

from aiohttp import web

from api.token_directory import TokenDirectory
from engine.access.limits import FailedLogins
from engine.access.networks import Network, NetworkRule, parse_networks
from engine.settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class Gate:
    """``listener`` and ``api``: which networks are let in where. ``strangers`` keeps refused ones from the trail."""

    listener: NetworkRule
    api: NetworkRule
    open: NetworkRule
    tokens: TokenDirectory
    admin_token: str = field(repr=False)
    failed: FailedLogins = field(default_factory=FailedLogins)
    strangers: FailedLogins = field(default_factory=FailedLogins)


GATE = web.AppKey("gate", Gate)


def build_gate(gateway: GatewaySettings, admin_token: str, tokens: TokenDirectory) -> Gate:
    """The gate of these settings."""
    proxies = parse_networks("gateway.trusted_proxies", gateway.trusted_proxies)

    def rule(allowed: tuple[Network, ...]) -> NetworkRule:
        return NetworkRule(allowed, proxies, gateway.forwarded_header)

    return Gate(
        rule(parse_networks("gateway.listener_networks", gateway.listener_networks)),
        rule(parse_networks("gateway.api_networks", gateway.api_networks)),
        rule(()),
        tokens,
        admin_token,
    )
