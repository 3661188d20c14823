"""Where a request comes from, only ever as a network prefix and never kept."""

import ipaddress
import socket

from starlette.types import Scope

from app.foundation.settings import Network
from app.foundation.web.headers import list_headers

V4_PREFIX = 24
V6_PREFIX = 56


def client_prefix(
    scope: Scope, trusted_proxies: tuple[Network, ...], v6_prefix: int = V6_PREFIX
) -> str:
    """The network a request comes from (IPv4 /24, IPv6 /56 or as asked), such as `192.0.2.0/24`.

    `X-Forwarded-For` is read from its end and only as far as trusted proxies wrote it. Callers
    keep no more than a keyed hash of the result. Empty where the address is unknown.
    """
    peer = scope["client"][0] if scope.get("client") else ""
    forwarded = list_headers(scope, b"x-forwarded-for")
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    while hops and _is_trusted(peer, trusted_proxies):
        peer = hops.pop()
    return _prefix_of(peer, v6_prefix)


def _is_trusted(text: str, networks: tuple[Network, ...]) -> bool:
    address = _read(text)
    return address is not None and any(address in network for network in networks)


def _prefix_of(text: str, v6_prefix: int) -> str:
    address = _read(text)
    if address is None:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return f"{'.'.join(map(str, address.packed[: V4_PREFIX // 8]))}.0/{V4_PREFIX}"
    return str(ipaddress.ip_network((address.packed, v6_prefix), strict=False))


def _read(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.IPv4Address(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):
        pass  # of six, or none at all
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
