"""Where requests may go: the address of a URL, taken apart strictly, and which IP addresses are public."""

from __future__ import annotations

import ipaddress
import re
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import urlsplit

import idna
import msgspec

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)", re.ASCII)
_SPACES = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\\]")
_PORTS = (80, 443)
"""Below 1024, only these: an HTTP request must not be read as mail or as a command by another service."""
_NEVER = (
    (ip_network("100.64.0.0/10"), "shared by a carrier (CGNAT)"),
    (ip_network("168.63.129.16/32"), "a cloud's own service"),
    (ip_network("192.88.99.0/24"), "a relay to IPv6"),
    (ip_network("192.0.0.0/24"), "reserved"),
    (ip_network("0.0.0.0/8"), "this network"),
    (ip_network("240.0.0.0/4"), "reserved"),
)
_EMBEDDING = (
    (ip_network("::ffff:0:0/96"), 0),
    (ip_network("::ffff:0:0:0/96"), 0),
    (ip_network("64:ff9b::/96"), 0),
    (ip_network("::/96"), 0),
    (ip_network("2002::/16"), 80),
)
"""IPv6 networks whose addresses stand for IPv4 ones, with the number of bits behind those."""
_NEVER_V6 = (
    (ip_network("64:ff9b:1::/48"), "translated locally (NAT64)"),
    (ip_network("2001::/32"), "a tunnel (Teredo)"),
    (ip_network("fec0::/10"), "site-local"),
    (ip_network("5f00::/16"), "for segment routing"),
)


class Target(msgspec.Struct, frozen=True):
    """A URL that may be asked, if its address is public."""

    scheme: str
    host: str
    """ASCII, small letters; an IPv6 address without brackets."""
    port: int
    path: str
    """With the query."""

    @property
    def authority(self) -> str:
        """For the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"http": 80, "https": 443}[self.scheme]
        return host if self.port == default else f"{host}:{self.port}"


class BadTarget(ValueError):
    """The URL is not one that is asked."""


def target(url: str, allowed: frozenset[str] = frozenset()) -> Target:
    """Take a URL apart.

    Args:
        url: What was configured, or what came in.
        allowed: Hosts allowed by name (``host`` or ``host:port``): they may be asked without TLS.

    Raises:
        BadTarget: with the reason, in words.
    """
    if len(url) > 2000 or _SPACES.search(url):
        raise BadTarget(
            "it is longer than 2,000 characters, or has a space, backslash or control sign"
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadTarget("it is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise BadTarget("it must begin with https://")
    if "@" in parts.netloc:
        raise BadTarget("it has a user name in front of the host")
    if "#" in url:
        raise BadTarget("it has a fragment (#), which is never sent")
    host = hostname(parts.hostname or "")
    port = port if port is not None else {"http": 80, "https": 443}[parts.scheme]
    by_name = is_allowed(host, port, allowed)
    if parts.scheme == "http" and not by_name:
        raise BadTarget("it must begin with https://, unless its host is allowed by name")
    if not by_name and port < 1024 and port not in _PORTS:
        raise BadTarget(f"port {port} belongs to another service")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise BadTarget("its path or query is not ASCII: encode it with %")
    return Target(parts.scheme, host, port, path)


def is_allowed(host: str, port: int, allowed: frozenset[str]) -> bool:
    """Whether an operator allowed the host by name, on this port or on any."""
    return host in allowed or f"{host}:{port}" in allowed


def hostname(host: str) -> str:
    """A host as it is asked: ASCII and small. Numbers in disguise are no hosts.

    Raises:
        BadTarget: it is none.
    """
    if ":" in host:
        try:
            return str(IPv6Address(host.partition("%")[0])) if "%" not in host else _no_zone()
        except ValueError:
            raise BadTarget("its host is no IPv6 address") from None
    try:
        ascii_host = (host if host.isascii() else idna.encode(host, uts46=True).decode()).lower()
    except (idna.IDNAError, UnicodeError):
        raise BadTarget("its host is no name") from None
    labels = ascii_host.removesuffix(".").split(".")
    if _NUMERIC.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(ascii_host))
        except ValueError:
            raise BadTarget("its host is a number, but no plain IPv4 address") from None
    if len(ascii_host) > 253 or not all(_LABEL.fullmatch(each) for each in labels):
        raise BadTarget("its host is no name")
    return ascii_host.removesuffix(".")


def _no_zone() -> str:
    raise BadTarget("its host is an address of one link (%)")


def why_not_public(address: IPv4Address | IPv6Address) -> str:
    """Why nothing is sent to an address; empty when it is a public one."""
    if isinstance(address, IPv6Address):
        return _why_not_v6(address)
    for network, why in _NEVER:
        if address in network:
            return why
    return _special(address)


def _special(address: IPv4Address | IPv6Address) -> str:
    for bad, why in (
        (address.is_loopback, "this machine"),
        (address.is_unspecified, "no address"),
        (address.is_link_local, "of one link (clouds keep their metadata there)"),
        (address.is_multicast, "multicast"),
        (address.is_private, "private"),
        (address.is_reserved, "reserved"),
        (not address.is_global, "not public"),
    ):
        if bad:
            return why
    return ""


def _why_not_v6(address: IPv6Address) -> str:
    for network, why in _NEVER_V6:
        if address in network:
            return why
    for network, shift in _EMBEDDING:
        if address in network and int(address) > 1:
            inner = IPv4Address((int(address) >> shift) & 0xFFFFFFFF)
            why = why_not_public(inner)
            # Also one that stands for a public address: nobody needs that way, and it hides the check.
            return f"stands for {inner}, which is {why}" if why else f"stands for {inner}"
    if int(address) & 0xFFFFFFFF00000000 in (0x5EFE00000000, 0x200_5EFE_0000_0000):
        return "a tunnel (ISATAP)"
    return _special(address)


def checked(address: str, *, by_name: bool) -> str:
    """Why nothing is sent to this resolved address; empty when it may be."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "no IP address"
    return "" if by_name else why_not_public(found)
