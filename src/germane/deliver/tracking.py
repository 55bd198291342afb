"""What is put into a message at the last moment: counted links, a pixel, the way to unsubscribe."""

from __future__ import annotations

import html as entities
import re
from collections.abc import Iterator

from msgspec.structs import replace

from germane.domain.links import Link, LinkKeys
from germane.domain.sending import TRANSACTIONAL, Outgoing

_START = re.compile(r"<(?:!--|(?P<name>a|area|style|script|title|textarea)\b)", re.IGNORECASE)
_REST = re.compile(r"(?:[^>\"']|\"[^\"]*\"|'[^']*')*+>")
_ENDS = {
    name: re.compile(rf"</{name}\b", re.IGNORECASE)
    for name in ("style", "script", "title", "textarea")
}
_HREF = re.compile(
    r"""(?P<before>[\s"'/]href\s*=\s*)(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^\s"'>]+))""",
    re.IGNORECASE,
)
_OFF = re.compile(r"""\sdata-track\s*=\s*["']?off\b""", re.IGNORECASE)
_WEB = re.compile(r"https?://[^\s/?#]+", re.IGNORECASE)
_END = re.compile(r"</body\s*>", re.IGNORECASE)
LONGEST_URL = 2_000
"""Longer links stay as they are: their token would not fit into every mail program."""


def unsubscribe_url(outgoing: Outgoing, keys: LinkKeys, base_url: str) -> str:
    """Where a message's receiver unsubscribes: for the header, and for a link in the text.

    Args:
        outgoing: Message, person and purpose count.
        keys: What seals it.
        base_url: Of this server, without a slash at the end.
    """
    return f"{base_url}/u/{keys.seal(_about(outgoing))}"


def prepared(outgoing: Outgoing, keys: LinkKeys, base_url: str, *, track: bool) -> Outgoing:
    """The message as it goes out: with its unsubscription, and, if ``track``, with counted links
    and a pixel."""
    if outgoing.purpose != TRANSACTIONAL and not outgoing.unsubscribe_url:
        outgoing = replace(outgoing, unsubscribe_url=unsubscribe_url(outgoing, keys, base_url))
    if not track or not outgoing.html:
        return outgoing
    return replace(outgoing, html=tracked(outgoing, keys, base_url))


def tracked(outgoing: Outgoing, keys: LinkKeys, base_url: str) -> str:
    """The HTML with its web links led over this server, and a pixel at the end.

    What is no web link (mailto:, tel:, a place within the mail), the unsubscription, *why am I seeing this?*
    and links with ``data-track="off"`` stay as they are; so does everything inside comments.
    """
    about, own = _about(outgoing), (outgoing.unsubscribe_url, f"{base_url}/w/")
    total = sum(1 for _ in _links(outgoing.html, own))
    parts, end = [], 0
    for number, (start, stop, url) in enumerate(_links(outgoing.html, own)):
        link = replace(about, kind="c", url=url, number=number, of=total)
        parts += [outgoing.html[end:start], f'"{base_url}/c/{keys.seal(link)}"']
        end = stop
    page = "".join([*parts, outgoing.html[end:]])
    pixel = (
        f'<img src="{base_url}/o/{keys.seal(replace(about, kind="o"))}.gif" width="1" height="1" '
        'alt="" style="display:block;border:0">'
    )
    last = None
    for last in _END.finditer(page):  # noqa: B007 - the last one is wanted
        pass
    return page + pixel if last is None else page[: last.start()] + pixel + page[last.start() :]


def _about(outgoing: Outgoing) -> Link:
    return Link(
        "u",
        outgoing.message_id,
        outgoing.person,
        outgoing.at_ms // 1000,
        outgoing.campaign_id,
        outgoing.decision_id,
        outgoing.purpose,
    )


def _links(page: str, own: tuple[str, str]) -> Iterator[tuple[int, int, str]]:
    """Where the value of each counted link begins and ends, and where it leads. ``own``: the unsubscription,
    and how the address of the page that tells why begins."""
    unsubscribe, why = own
    for start, tag in _tags(page):
        found = _HREF.search(tag)
        if found is None or _OFF.search(tag):
            continue
        url = entities.unescape(found["double"] or found["single"] or found["bare"] or "").strip()
        if not _WEB.match(url) or len(url) > LONGEST_URL or (unsubscribe and url == unsubscribe):
            continue
        if url.startswith(why):
            continue
        yield start + found.end("before"), start + found.end(), url


def _tags(page: str) -> Iterator[tuple[int, str]]:
    """Each ``<a>`` and ``<area>`` with its place. What is never closed ends the search: it takes
    linear time."""
    at = 0
    while (found := _START.search(page, at)) is not None:
        name = (found["name"] or "").lower()
        if not name:
            at = page.find("-->", found.end())
            if at < 0:
                return
        elif name in _ENDS:
            end = _ENDS[name].search(page, found.end())
            if end is None:
                return
            at = end.end()
        else:
            rest = _REST.match(page, found.end())
            if rest is None:
                return
            at = rest.end()
            yield found.start(), page[found.start() : at]
