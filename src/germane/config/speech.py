"""``[content]`` and ``[writer]``: where links may lead, what may not be said, who drafts."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from germane.config import tables
from germane.config.problems import Problems
from germane.config.reading import read
from germane.config.server import is_host
from germane.domain.settings import ContentSpec, WriterSpec
from germane.generate.links import NEVER, wrong_with

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*")
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")
_KEY = re.compile(r"[!-~]+")


def content(table: dict[str, Any], problems: Problems) -> ContentSpec:
    """``[content]``, typed; errors are noted in ``problems``."""
    values = read(table, tables.CONTENT, "content", problems)
    for host in values.get("link_hosts", ()):
        _host(host, problems)
    for scheme in values.get("link_schemes", ()):
        key = "content.link_schemes"
        if not _SCHEME.fullmatch(scheme.lower()):
            problems.add(key, scheme, "It is no scheme.", 'Write it without colon: "myapp".')
        elif scheme.lower() in NEVER:
            problems.add(key, scheme, "Such links can run code or read files.", "Take it out.")
    color = values.get("color", "")
    if color and not _COLOR.fullmatch(color):
        problems.add("content.color", color, "It is no colour.", 'Write it like "#1f5eff".')
    found = ContentSpec(**values)
    if found.logo and not problems.at("content.link_hosts"):
        wrong = wrong_with(found.logo, found, image=True)
        if wrong is not None:
            problems.add("content.logo", found.logo, *wrong)
    return found


def _host(host: str, problems: Problems) -> None:
    plain = host.removeprefix("*.")
    if "://" in host or "/" in host or not is_host(plain) or ("*" in plain):
        problems.add(
            "content.link_hosts",
            host,
            "That is no host.",
            'Write the name alone, without https://, port or path: "shop.example", or "*.shop.example".',
        )


def writer(table: dict[str, Any], key: str, problems: Problems) -> WriterSpec:
    """``[writer]``, typed; errors are noted in ``problems``."""
    values = read(table, tables.WRITER, "writer", problems)
    timeout_s = values.pop("timeout", WriterSpec().timeout_s)
    url = values.get("url", "")
    if url and not _is_base(url):
        problems.add(
            "writer.url",
            url,
            "That is no address of an endpoint.",
            'Write its base, with http:// or https://: "http://127.0.0.1:11434/v1".',
        )
    if url and not values.get("model") and not problems.at("writer.model"):
        problems.add("writer.model", None, "It is missing.", "Say which model writes.")
    if key and not _KEY.fullmatch(key):
        problems.add("keys.writer", None, "It cannot be sent as a bearer token.", "Copy it anew.")
    return WriterSpec(**values, key=key, timeout_s=int(timeout_s))


def _is_base(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return (
        parts.scheme in ("http", "https")
        and bool(parts.hostname)
        and parts.username is None
        and not parts.query
        and not parts.fragment
    )
