"""Hosts that no caller may have us speak to: those at which a cloud machine is told who it is and what its keys are."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv6Address

NAMES = frozenset(
    {
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "instance-data",
        "instance-data.ec2.internal",
        "api.metadata.cloud.ibm.com",
        "metadata.tencentyun.com",
    }
)
# Link-local; then AWS, Google, Oracle (IPv6), Azure, Alibaba and Oracle (IPv4) elsewhere.
NETWORKS = (
    "169.254.0.0/16",
    "fe80::/10",
    "fd00:ec2::/32",
    "fd20:ce::254",
    "fd00:c1::a9fe:a9fe",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
)
# What an IPv4 address may stand in: mapped, compatible, translated (RFC 4291, 2.5.5; RFC 6052, 2.1).
LAST_32_BITS = ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
HOSTS_REMEMBERED = 64


def plain(host: str) -> str:
    """A host as those who resolve it will read it: decoded, in small letters and ASCII forms, without a last dot."""
    import unicodedata
    from urllib.parse import unquote

    text = unicodedata.normalize("NFKC", unquote(host).strip().strip("[]"))
    return re.sub("[\u3002\uff0e\uff61]", ".", text).lower().rstrip(".")


@lru_cache(HOSTS_REMEMBERED)
def is_metadata(host: str) -> bool:
    """Whether a host is such a one, by its name or its address, however that is spelled."""
    return plain(host) in NAMES or is_metadata_address(host)


@lru_cache(HOSTS_REMEMBERED)
def is_metadata_address(host: str) -> bool:
    """Whether a host is the address of such a one, however it is spelled."""
    if host.isascii() and not re.search("[%:]", host) and re.search("[g-wyz-]", host.lower()):
        return False  # a letter that no number has: most names are spared the imports
    from ipaddress import ip_network

    address = _address(plain(host))
    if address is None:
        return False
    return any(each in ip_network(network) for each in (address, *_within(address)) for network in NETWORKS)


def _address(host: str) -> "IPv4Address | IPv6Address | None":
    """The address that a host spells: of IPv4 also in one to three numbers, in octal and hexadecimal."""
    import socket
    from ipaddress import IPv4Address, ip_address

    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        pass
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _within(address: "IPv4Address | IPv6Address") -> "list[IPv4Address]":
    """The IPv4 addresses that an IPv6 address stands for."""
    from ipaddress import IPv4Address, IPv6Address, ip_network

    if not isinstance(address, IPv6Address):
        return []
    last = [IPv4Address(int(address) & 0xFFFFFFFF) for each in LAST_32_BITS if address in ip_network(each)]
    return [*last, *filter(None, [address.sixtofour])]
