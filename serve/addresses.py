"""Which addresses a picture may be loaded from: those of the open internet and no others."""

import ipaddress

GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# What some Pythons call global and is not for us: metadata services of Oracle and Azure, and relays into IPv4.
REFUSED = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "168.63.129.16/32", "192.88.99.0/24", "64:ff9b::/96", "64:ff9b:1::/48"),
    )
)


def is_public(address: str) -> bool:
    """False for loopback, private, link-local, shared, multicast, reserved and metadata addresses, for IPv6 ones that
    carry an IPv4 address inside (mapped, 6to4, Teredo), and for what is no address."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved or any(ip in network for network in REFUSED):
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return True
    return ip in GLOBAL_UNICAST and ip.sixtofour is None and ip.teredo is None and ip.scope_id is None
