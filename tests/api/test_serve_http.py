import socket
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from api.app import build_app
from api.serve_http import check_address, local_url, start_http
from engine.errors import AddressUnavailable, SettingsError
from engine.settings import GatewaySettings
from tests.api.conftest import settings
from tests.fakes.mailroom import FakeMailroom


@pytest.fixture
async def taken() -> AsyncIterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen(1)
        yield holder.getsockname()[1]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return folder / "cert.pem", folder / "key.pem"


async def test_port_0_tells_the_real_one() -> None:
    listening = await start_http(build_app(FakeMailroom(), settings()), GatewaySettings(port=0))
    try:
        assert listening.port > 0
        assert listening.url == f"http://127.0.0.1:{listening.port}"
        async with aiohttp.ClientSession() as session, session.get(listening.url + "/healthz") as response:
            assert response.status == 200
    finally:
        await listening.stop()


async def test_a_taken_port_is_one_clear_line(taken: int) -> None:
    expected = rf"port {taken} on 127\.0\.0\.1 is in use by another program\. Stop it, or choose another port"
    gateway = GatewaySettings(port=taken)
    with pytest.raises(AddressUnavailable, match=expected):
        await start_http(build_app(FakeMailroom(), settings()), gateway)
    with pytest.raises(AddressUnavailable, match=expected):
        check_address(gateway)


@pytest.mark.parametrize("host", ["203.0.113.7", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machine(host: str) -> None:
    with pytest.raises(AddressUnavailable, match=r"gateway\.host: .* is not an address of this machine"):
        check_address(GatewaySettings(host=host, port=0))


def test_a_free_port_is_free_again_after_the_check(taken: int) -> None:
    check_address(GatewaySettings(port=0))


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:1"), ("::", "http://[::1]:1"), ("::1", "http://[::1]:1"), ("h", "http://h:1")],  # noqa: S104  # not bound
)
def test_the_url_for_this_machine(host: str, url: str) -> None:
    assert local_url(GatewaySettings(host=host), 1) == url


async def test_tls(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    gateway = GatewaySettings(port=0, tls_cert=cert, tls_key=key)
    listening = await start_http(build_app(FakeMailroom(), settings()), gateway)
    try:
        assert listening.url.startswith("https://")
        trust = ssl.create_default_context(cafile=str(cert))
        async with aiohttp.ClientSession() as session, session.get(listening.url + "/healthz", ssl=trust) as response:
            assert response.status == 200
    finally:
        await listening.stop()


async def test_tls_files_that_do_not_work(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    cert, key = certificate
    app = build_app(FakeMailroom(), settings())
    with pytest.raises(SettingsError, match=r"gateway\.tls_cert, gateway\.tls_key: cannot read .*No such file"):
        await start_http(app, GatewaySettings(port=0, tls_cert=cert, tls_key=tmp_path / "none"))
    with pytest.raises(SettingsError, match="are not a PEM certificate and its unencrypted key"):
        await start_http(app, GatewaySettings(port=0, tls_cert=key, tls_key=cert))
