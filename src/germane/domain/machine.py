"""Did a person open or click, or a machine? Mail scanners fetch every link; privacy proxies open every mail."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Literal

import msgspec

Judgement = Literal["person", "machine", "unsure"]

TOO_SOON_S = 2.0
"""Nobody clicks this soon after the delivery."""
UNSURE_S = 10.0
"""Few do this soon."""
BURST_S = 10.0
"""Links of one message that are fetched within this time belong together."""
BURST_LINKS = 3
"""So many different links in that time, or all of at least two: nobody reads like that."""

SCANNERS = (
    "barracuda", "proofpoint", "mimecast", "messagelabs", "symantec", "fireeye", "trendmicro",
    "trend micro", "ironport", "cloudmark", "sophos", "bitdefender", "checkpoint", "forcepoint",
    "zscaler", "fortinet", "mailguard", "spamexperts", "hornetsecurity", "safelinks",
    "urldefense", "existence discovery", "ms-office", "bingpreview", "bingbot", "googlebot",
    "skypeuripreview", "slackbot", "slack-imgproxy", "facebookexternalhit", "twitterbot",
    "linkedinbot", "whatsapp", "telegrambot", "discordbot", "headlesschrome", "phantomjs",
    "python-requests", "python-urllib", "python-httpx", "aiohttp", "curl/", "wget/", "libwww-perl",
    "go-http-client", "java/", "okhttp", "apache-httpclient", "node-fetch", "axios/", "zgrab",
    "crawler", "spider", "bot/", "scanner", "preview",
)  # fmt: skip
"""Parts of the names by which scanners, previews and libraries call themselves, in small letters."""
IMAGE_PROXIES = ("googleimageproxy", "yahoomailproxy", "ggpht.com")
"""They fetch when a person opens, mostly: time and place are theirs, not the person's."""
_APPLE = ipaddress.ip_network("17.0.0.0/8")
_PREFETCH = ("purpose", "sec-purpose", "x-purpose", "x-moz")


class Fetch(msgspec.Struct, frozen=True, kw_only=True):
    """One request for a link or a pixel of a message."""

    at_ms: int
    kind: Literal["clicked", "opened"]
    method: str = "GET"
    agent: str = ""
    headers: dict[str, str] = {}
    """Small letters; what matters: purpose, sec-purpose, x-purpose, x-moz."""
    ip: str = ""
    link: int = 0
    links: int = 0
    """How many links the message has; 0: not known."""
    delivered_ms: int = 0
    """When the message was delivered (or sent), ms since 1970 UTC; 0: not known."""


def judge(fetch: Fetch, others: Sequence[Fetch] = ()) -> tuple[Judgement, str]:
    """Who did it, and why that is thought.

    Args:
        fetch: The request.
        others: Other requests for the same message: the earlier ones while they come in, or all of them
            when they are judged afterwards.
    """
    why = _mechanical(fetch) or _hasty(fetch) or _burst(fetch, others)
    if why:
        return "machine", why
    if any(each in fetch.agent.lower() for each in IMAGE_PROXIES):
        return "unsure", "an image proxy fetched it: most likely a person opened the mail"
    elapsed_s = (fetch.at_ms - fetch.delivered_ms) / 1000
    if fetch.kind == "opened" and fetch.delivered_ms and elapsed_s < TOO_SOON_S:
        return "unsure", f"it was opened {elapsed_s:.1f} s after the delivery"
    if fetch.kind == "clicked" and fetch.delivered_ms and elapsed_s < UNSURE_S:
        return "unsure", f"it was clicked {elapsed_s:.1f} s after the delivery"
    return "person", "nothing speaks of a machine"


def _mechanical(fetch: Fetch) -> str:
    """What the request says of itself."""
    agent = fetch.agent.strip().lower()
    if fetch.method not in ("GET", "POST"):
        return f"the method {fetch.method[:10]}: a browser that follows a link asks with GET"
    if any("prefetch" in _header(fetch, x) or "preview" in _header(fetch, x) for x in _PREFETCH):
        return "the browser fetched it ahead (prefetch)"
    if not agent:
        return "it does not say what program asks"
    if fetch.kind == "opened" and (agent == "mozilla/5.0" or _apple(fetch.ip)):
        return "Apple's mail privacy fetches every picture, read or not"
    found = next((each for each in SCANNERS if each in agent), "")
    return f"the program calls itself {found.strip('/')!r}" if found else ""


def _header(fetch: Fetch, name: str) -> str:
    return fetch.headers.get(name, "").lower()


def _apple(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip) in _APPLE
    except ValueError:
        return False


def _hasty(fetch: Fetch) -> str:
    elapsed_s = (fetch.at_ms - fetch.delivered_ms) / 1000
    if fetch.kind == "clicked" and fetch.delivered_ms and elapsed_s < TOO_SOON_S:
        return f"it was clicked {max(elapsed_s, 0):.1f} s after the delivery"
    return ""


def _burst(fetch: Fetch, others: Sequence[Fetch]) -> str:
    if fetch.kind != "clicked":
        return ""
    near = [
        each.link
        for each in others
        if each.kind == "clicked" and abs(each.at_ms - fetch.at_ms) <= BURST_S * 1000
    ]
    count = len({fetch.link, *near})
    if count >= BURST_LINKS or (fetch.links >= 2 and count >= fetch.links):
        return f"{count} different links of the message were fetched within {BURST_S:.0f} s"
    return ""
