"""Addresses: which may stand in content, and how a value gets into one."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote, urlsplit

from germane.domain.settings import ContentSpec
from germane.generate.recording import CLOSE, MIDDLE, OPEN, plain

NEVER = ("javascript", "data", "vbscript", "file", "blob", "about")
"""Schemes that no allow-list can allow."""
URL_MAX = 2_000
_VALUE = re.compile(f"{OPEN}\\d+{MIDDLE}([^{CLOSE}]*){CLOSE}")
_BAD = re.compile(r"[\s\x00-\x1f\x7f<>\"\\^`{|}]")


def resolved(marked: str) -> str:
    """A rendered address: a value at its beginning is an address itself, others are quoted."""

    def put(found: re.Match[str]) -> str:
        value = plain(found[1])
        return value if found.start() == 0 else quote(value, safe="")

    return _VALUE.sub(put, marked.strip()).strip()


@lru_cache(maxsize=16_384)
def wrong_with(url: str, spec: ContentSpec, *, image: bool = False) -> tuple[str, str] | None:
    """What speaks against an address, and the remedy; None where it is good.

    Args:
        url: As people would follow it.
        spec: Allowed hosts and schemes.
        image: It is loaded, not followed: no scheme of an app will do.
    """
    if len(url) > URL_MAX:
        return f"It is longer than {URL_MAX:,} characters.", "Shorten it."
    if _BAD.search(url):
        return (
            "It has a space or a sign that no address has.",
            "Write such signs as %20 and the like.",
        )
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "It is no address.", "Write it whole: https://shop.example/page."
    scheme = parts.scheme.lower()
    allowed = {"https", *(each.lower() for each in spec.link_schemes)} - set(NEVER)
    if not scheme:
        return "It has no scheme.", "Write it whole: https://shop.example/page."
    if scheme not in allowed or (image and scheme not in ("https", "http")):
        known = ", ".join(sorted(allowed & {"https", "http"} if image else allowed))
        return (
            f"Links with {scheme}: are not allowed.",
            f"Allowed: {known}. More under [content] link_schemes."
            if scheme not in NEVER
            else f"Allowed: {known}.",
        )
    if scheme not in ("https", "http"):
        return None  # a deep link into an app: its rest is the app's own matter
    if not host:
        return "It has no host.", "Write it whole: https://shop.example/page."
    if parts.username is not None or parts.password is not None:
        return "It has a name or a password in it.", "Take what stands before the @ away."
    if not hosted(host, spec):
        return f"{host} is no host that links may lead to.", _hosts(spec)
    return None


def _hosts(spec: ContentSpec) -> str:
    known = f" (there are: {', '.join(spec.link_hosts)})" if spec.link_hosts else ""
    return f"Add it in germane.toml: [content] link_hosts{known}."


def hosted(host: str, spec: ContentSpec) -> bool:
    """Whether a host is on the list: exactly, or below ``*.name``."""
    host = host.lower().rstrip(".")
    for each in spec.link_hosts:
        allowed = each.lower().rstrip(".")
        if host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:])):
            return True
    return False
