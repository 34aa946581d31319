"""A cluster address where nobody listens is found out before Ray tries it for minutes."""

import socket

import pytest

from actors.cluster import _find_head
from engine.errors import ClusterError


def test_nobody_listens() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with pytest.raises(ClusterError, match=rf"^The Ray cluster at 127\.0\.0\.1:{port} cannot be used: .*refused"):
        _find_head(f"127.0.0.1:{port}")
    with pytest.raises(
        ClusterError, match=r"^The Ray cluster at ray://127\.0\.0\.1:99999 .* Check cluster\.address\.$"
    ):
        _find_head("ray://127.0.0.1:99999")


def test_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        _find_head(f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize("address", ["", "auto", "local", "ray.example.com"])
def test_what_names_no_port_is_left_to_ray(address: str) -> None:
    _find_head(address)
