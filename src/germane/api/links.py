"""Links in messages: clicks, opens, unsubscriptions. A GET counts, and never changes what somebody gets."""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Literal
from urllib.parse import parse_qsl, quote

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from germane.api import pages
from germane.api.body import read
from germane.api.gpc import signalled
from germane.app.back import Back
from germane.domain.answer import Answer
from germane.domain.errors import BadRequest, GermaneError
from germane.domain.links import Link
from germane.domain.machine import Fetch, judge
from germane.domain.purposes import EMAIL_MARKETING

PIXEL = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
"""A GIF of one transparent point."""
_NO_STORE = {"Cache-Control": "no-store, private", "X-Robots-Tag": "noindex, nofollow"}
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
FORM_BYTES = 16_000
REMEMBERED = 20_000
"""Messages whose latest clicks are remembered, to see when all links are fetched at once."""
_HEADERS = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_log = logging.getLogger(__name__)


class Links:
    """The endpoints behind what ``deliver.tracking`` puts into messages."""

    def __init__(self, back: Back) -> None:
        self._back = back
        self._latest: OrderedDict[str, list[Fetch]] = OrderedDict()

    async def click(self, request: Request) -> Response:
        """``GET /c/{token}``: on to the one address that is sealed in the token."""
        link = self._back.keys.open(request.path_params["token"], "c")
        if link is None or not _WEB.match(link.url):
            return pages.gone()
        fetch = self._fetch(request, link, "clicked")
        await self._noted(link, fetch, "clicked", f"{link.number}", gpc=signalled(request))
        where = quote(link.url, safe=":/?#[]@!$&'()*+,;=%~")
        return Response(
            None, 302, {**_NO_STORE, "Location": where, "Referrer-Policy": "no-referrer"}
        )

    async def opened(self, request: Request) -> Response:
        """``GET /o/{token}.gif``: a point that nobody sees."""
        token = request.path_params["token"].removesuffix(".gif")
        link = self._back.keys.open(token, "o")
        if link is not None:
            await self._noted(
                link, self._fetch(request, link, "opened"), "opened", "", gpc=signalled(request)
            )
        return Response(PIXEL, 200 if link is not None else 404, _NO_STORE, "image/gif")

    async def ask(self, request: Request) -> Response:
        """``GET /u/{token}``: a page with a button. It changes nothing."""
        link = self._back.keys.open(request.path_params["token"], "u")
        return pages.gone() if link is None else pages.ask(link.purpose, self._titles(link))

    async def unsubscribe(self, request: Request) -> Response:
        """``POST /u/{token}``: by one click of a mail program (RFC 8058), or by the page's button.

        It needs no cookie and no key but the token, can be repeated, and is durable when it is answered.
        """
        link = self._back.keys.open(request.path_params["token"], "u")
        if link is None:
            return pages.gone()
        fields = form(request.headers.get("content-type", ""), await read(request, FORM_BYTES))
        chosen = [value for name, value in fields if name == "purpose"]
        if any(name.lower() == "list-unsubscribe" for name, _ in fields):
            chosen = [link.purpose]
        titles = self._titles(link)
        known = [x for x in chosen if x == pages.EVERYTHING or x in titles]
        if not known:
            return pages.nothing_chosen()
        everything = pages.EVERYTHING in known
        purposes = self._mailed(titles) if everything else list(dict.fromkeys(known))
        told = [self._leaving(link, each, request) for each in purposes]
        if everything:
            told[0] = replace(told[0], everything=True)
        await self._back.answers(told)
        return pages.all_done() if everything else pages.done([titles[each] for each in purposes])

    def _mailed(self, titles: Mapping[str, str]) -> list[str]:
        """Every purpose of e-mail: of campaigns, those with a title, and, without a name, whatever else of
        e-mail somebody has agreed to."""
        return sorted({"", *titles, *self._back.mailed()})

    def _titles(self, link: Link) -> dict[str, str]:
        """What can be left by a link: what its message was for, and what has a title."""
        own = link.purpose
        return {own: pages.worded(own or EMAIL_MARKETING), **self._back.purposes}

    def _leaving(self, link: Link, purpose: str, request: Request) -> Answer:
        now_ms = self._back.wall_ms()
        return Answer(
            kind="unsubscribed",
            source="links",
            # Who came back and leaves again by the same old mail must be heard again.
            key=f"{link.message_id}:{purpose}:{now_ms // 1000}",
            at_ms=now_ms,
            message_id=link.message_id,
            campaign_id=link.campaign_id,
            decision_id=link.decision_id,
            person=link.person,
            purpose=purpose,
            judged="person",
            why="it was asked for with POST",
            agent=request.headers.get("user-agent", "")[:300],
            gpc=signalled(request),
        )

    def _fetch(self, request: Request, link: Link, kind: Literal["clicked", "opened"]) -> Fetch:
        return Fetch(
            at_ms=self._back.wall_ms(),
            kind=kind,
            method=request.method,
            agent=request.headers.get("user-agent", "")[:300],
            headers={x: request.headers[x][:100] for x in _HEADERS if x in request.headers},
            ip=_client(request),
            link=link.number,
            links=link.of,
            delivered_ms=self._back.sent_ms(link.message_id) or link.at_s * 1000,
        )

    async def _noted(
        self,
        link: Link,
        fetch: Fetch,
        kind: Literal["clicked", "opened"],
        mark: str,
        *,
        gpc: bool,
    ) -> None:
        """Count it. Whoever clicked is led on even when it cannot be counted."""
        others = self._latest.setdefault(link.message_id, [])
        self._latest.move_to_end(link.message_id)
        judged, why = judge(fetch, others)
        others.append(fetch)
        del others[:-20]
        while len(self._latest) > REMEMBERED:
            self._latest.popitem(last=False)
        answer = Answer(
            kind=kind,
            source="links",
            # One in a second is one: programs ask twice.
            key=f"{link.message_id}:{mark}:{fetch.at_ms // 1000}:{judged}",
            at_ms=fetch.at_ms,
            message_id=link.message_id,
            campaign_id=link.campaign_id,
            decision_id=link.decision_id,
            person=link.person,
            purpose=link.purpose,
            url=link.url,
            judged=judged,
            machine=judged == "machine",
            why=why,
            agent=fetch.agent,
            gpc=gpc,
        )
        try:
            await self._back.answers([answer])
        except GermaneError as error:
            _log.warning("an answer to a message could not be stored: %s", error.message)


def form(content_type: str, body: bytes) -> list[tuple[str, str]]:
    """Names and values of a form, URL-encoded or multipart.

    Raises:
        BadRequest: it is neither.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind in ("", "application/x-www-form-urlencoded"):
        try:
            return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=50)
        except (UnicodeDecodeError, ValueError):
            raise BadRequest("The form cannot be read.") from None
    if kind != "multipart/form-data":
        raise BadRequest("Send a form.", hint="List-Unsubscribe=One-Click, as RFC 8058 has it.")
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    found = message_from_bytes(head + body, policy=policy.HTTP)
    assert isinstance(found, EmailMessage)
    out = []
    for part in found.iter_parts() if found.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(payload, bytes):
            out.append((name, payload.decode("utf-8", "replace").strip()))
    return out[:50]


def _client(request: Request) -> str:
    """Where it comes from; behind a proxy on this machine, what that one says."""
    host = request.client.host if request.client is not None else ""
    if host in ("127.0.0.1", "::1"):
        return request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip() or host
    return host
