import re
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.access.forwarded import ProxyHeader, address_of, entries
from engine.access.networks import NetworkRule, judge, parse_networks
from engine.errors import SettingsError

PROXIES = parse_networks("proxies", ["10.0.0.0/24", "2001:db8:aaaa::/48"])
OFFICE = parse_networks("allowed", ["192.0.2.0/24", "2001:db8:1::/48"])
RULES = [NetworkRule(OFFICE, PROXIES, header) for header in ProxyHeader]
PLAIN = RULES[0]

OUTSIDE = ["203.0.113.9", "192.0.2.7", "2001:db8:1::5", "2001:db8:ffff::1", "::ffff:192.0.2.8"]
INSIDE = ["10.0.0.1", "10.0.0.254", "2001:db8:aaaa::1", "::ffff:10.0.0.2"]
GARBAGE = [
    "",
    "unknown",
    "_hidden",
    "192.0.2.7.",
    "192.0.2.07",
    "::ffff:",
    "[2001:db8:1::5",
    "192.0.2.7 evil",
    "\u0661.2.3.4",
]


def written(header: ProxyHeader, address: str) -> str:
    if header is ProxyHeader.X_FORWARDED_FOR:
        return address
    return f'for="[{address}]:4711";proto=https' if ":" in address else f"for={address}"


HEADERS = st.text(max_size=60) | st.lists(st.sampled_from([*OUTSIDE, *INSIDE, *GARBAGE])).map(", ".join)
SPOOFS = HEADERS | st.sampled_from(['for="', 'for="\\', 'for=192.0.2.7;by="', ",", "for=192.0.2.7", '"', ";", "for="])


@given(
    spoof=SPOOFS,
    rule=st.sampled_from(RULES),
    client=st.sampled_from([*OUTSIDE, *GARBAGE]),
    chain=st.lists(st.sampled_from(INSIDE), max_size=3),
    as_own_line=st.booleans(),
)
def test_nothing_to_the_left_changes_the_verdict(
    spoof: str, rule: NetworkRule, client: str, chain: list[str], as_own_line: bool
) -> None:
    # What the proxies wrote: first whom the outermost saw, then each proxy as the next one saw it.
    honest = ", ".join(written(rule.header, one) for one in [client, *chain])
    lines = [spoof, honest] if as_own_line else [f"{spoof}, {honest}"]
    assert judge(rule, "10.0.0.1", lines) == judge(rule, "10.0.0.1", [honest])


@given(values=st.lists(SPOOFS, max_size=3), peer=st.sampled_from(OUTSIDE), rule=st.sampled_from(RULES))
def test_a_header_from_no_trusted_proxy_is_not_read(values: list[str], peer: str, rule: NetworkRule) -> None:
    assert judge(rule, peer, values) == judge(rule, peer, [])


@given(garbage=st.sampled_from(GARBAGE) | st.text(alphabet="abc_x;\"'= ", max_size=20), rule=st.sampled_from(RULES))
def test_what_cannot_be_read_lets_nobody_in(garbage: str, rule: NetworkRule) -> None:
    everyone = NetworkRule((), PROXIES, rule.header)
    for one in (rule, everyone):
        caller = judge(one, "10.0.0.1", [f"{written(rule.header, '192.0.2.7')},{garbage}"])
        assert (caller.address, caller.allowed) == (None, False)


@given(values=st.lists(st.text(max_size=80) | SPOOFS, max_size=4), peer=st.none() | st.text(max_size=40))
def test_any_header_and_peer_are_judged(values: list[str], peer: str | None) -> None:
    for rule in RULES:
        caller = judge(rule, peer, values)
        assert not caller.allowed or caller.address is not None


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("peer", "chain", "address", "allowed"),
    [
        ("192.0.2.7", [], "192.0.2.7", True),
        ("::ffff:192.0.2.7", [], "192.0.2.7", True),
        ("203.0.113.9", ["192.0.2.7"], "203.0.113.9", False),
        ("10.0.0.1", ["192.0.2.7"], "192.0.2.7", True),
        ("::ffff:10.0.0.1", ["192.0.2.7"], "192.0.2.7", True),
        ("10.0.0.1", ["192.0.2.7", "203.0.113.9"], "203.0.113.9", False),
        ("10.0.0.1", ["192.0.2.7", "10.0.0.9"], "192.0.2.7", True),
        ("10.0.0.1", ["192.0.2.7", "203.0.113.9", "10.0.0.9"], "203.0.113.9", False),
        ("2001:db8:aaaa::1", ["2001:db8:1::5"], "2001:db8:1::5", True),
        ("10.0.0.1", [], "10.0.0.1", False),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2", False),
        ("fe80::1%eth0", [], "fe80::1", False),
    ],
)
def test_where_a_request_comes_from(
    rule: NetworkRule, peer: str, chain: list[str], address: str, allowed: bool
) -> None:
    line = [", ".join(written(rule.header, one) for one in chain)] if chain else []
    caller = judge(rule, peer, line)
    assert (str(caller.address), caller.allowed) == (address, allowed)
    apart = judge(rule, peer, [written(rule.header, one) for one in chain])
    assert apart == caller


def test_without_networks_everyone_is_let_in_and_without_proxies_no_header_counts() -> None:
    caller = judge(NetworkRule(), "203.0.113.9", ["192.0.2.7"])
    assert (str(caller.address), caller.allowed) == ("203.0.113.9", True)


def test_a_peer_that_is_not_known_is_not_let_in() -> None:
    assert not judge(NetworkRule(), None, []).allowed
    assert not judge(NetworkRule(), "", ["192.0.2.7"]).allowed


def test_a_quote_left_open_swallows_nothing() -> None:
    rule = RULES[1]
    assert rule.header is ProxyHeader.FORWARDED
    caller = judge(rule, "10.0.0.1", ['for=192.0.2.7;host="', "for=203.0.113.9"])
    assert (str(caller.address), caller.allowed) == ("203.0.113.9", False)


@pytest.mark.parametrize(
    "host", ["x, for=192.0.2.7", "x, for=192.0.2.7;y=", "x, for=192.0.2.7;y=\\", ", for=192.0.2.7;"]
)
def test_a_host_name_with_a_comma_forges_no_entry(host: str) -> None:
    quoted = re.sub(r'(["\\])', r"\\\1", host)
    assert not judge(RULES[1], "10.0.0.1", [f'for=203.0.113.9;host="{quoted}"']).allowed
    assert not judge(RULES[1], "10.0.0.1", [f'for=203.0.113.9;host="{quoted}";proto=https']).allowed


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("192.0.2.7:8080", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("[::ffff:c000:207]:1", "192.0.2.7"),
    ],
)
def test_addresses_are_read_as_proxies_write_them(text: str, address: str) -> None:
    assert address_of(text) == ip_address(address)


@pytest.mark.parametrize(
    "text", [*GARBAGE, "fe80::1%eth0", "192.0.2", "192.0.2.7:", "[192.0.2.7]x", "1:2", "192.0.2.7/24"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    assert address_of(text) is None


@pytest.mark.parametrize(
    ("element", "address"),
    [
        ("for=192.0.2.43", "192.0.2.43"),
        ('For="[2001:db8:cafe::17]:4711"', "2001:db8:cafe::17"),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"),
        ('proto=http ; for="192.0.2.60:80"', "192.0.2.60"),
        ('host="x;for=1.1.1.1";for=192.0.2.60', "192.0.2.60"),
        ("for=192.0.2.60;for=192.0.2.61", None),
        ("proto=http", None),
        ("for=unknown", None),
        ("for=_SEVKISEK", None),
        ("for=192.0.2.60;", None),
        ("for = 192.0.2.60", None),
        ('for="192.0.2.60', None),
    ],
)
def test_forwarded_elements(element: str, address: str | None) -> None:
    found = list(entries(ProxyHeader.FORWARDED, [element]))
    assert found == [ip_address(address) if address else None]


def test_networks_are_read_as_settings_write_them() -> None:
    texts = ["192.0.2.0/24", " 2001:db8::/32 ", "203.0.113.9", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0"]
    wanted = ["192.0.2.0/24", "2001:db8::/32", "203.0.113.9/32", "10.0.0.0/8", "0.0.0.0/0", "::/0"]
    assert parse_networks("gateway.allowed_networks", texts) == tuple(map(ip_network, wanted))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("office", r"^gateway\.allowed_networks: 'office' is no network\. Write one such as 192"),
        ("192.0.2.0/33", "is no network"),
        ("", "is no network"),
        ("192.0.2.7/24", r"is an address inside a network\. Write 192\.0\.2\.0/24 for all of it"),
    ],
)
def test_what_is_no_network_is_refused_with_what_to_write(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        parse_networks("gateway.allowed_networks", [text])
