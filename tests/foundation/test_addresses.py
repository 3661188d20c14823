"""Where a request comes from, behind proxies or not."""

from ipaddress import ip_network

import pytest

from app.foundation.web.addresses import client_prefix

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("192.0.2.7", [], "192.0.2.0/24"),
        ("2001:db8:1:2ff::1", [], "2001:db8:1:200::/56"),
        ("::ffff:192.0.2.7", [], "192.0.2.0/24"),
        # A stranger's own header is not believed.
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.0/24"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.0/24"),
        # What stands before the last untrusted hop was written by that hop.
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.0/24"),
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.0/24"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.1"], "198.51.100.0/24"),
        ("fd00::1", ["2001:db8::5"], "2001:db8::/56"),
        ("10.0.0.1", [], "10.0.0.0/24"),
        ("10.0.0.1", ["garbage"], ""),
        ("", [], ""),
    ],
)
def test_prefix(peer: str, forwarded: list[str], expected: str) -> None:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    scope = {"type": "http", "client": (peer, 1234) if peer else None, "headers": headers}
    assert client_prefix(scope, PROXIES) == expected


def test_a_prefix_of_another_length() -> None:
    scope = {"type": "http", "client": ("2001:db8:1:2ff::1", 1234), "headers": []}
    assert client_prefix(scope, PROXIES, v6_prefix=48) == "2001:db8:1::/48"
    scope["client"] = ("192.0.2.7", 1234)
    assert client_prefix(scope, PROXIES, v6_prefix=48) == "192.0.2.0/24"
