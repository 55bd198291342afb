"""*Why am I seeing this?*: the page behind the link in answers and mails, and the button of a browser."""

from __future__ import annotations

from typing import Annotated, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from germane.api import pages, why_page, wire
from germane.api.body import answer, parse, read
from germane.api.browser import Browsers
from germane.api.gpc import hear
from germane.api.heads import found_at
from germane.api.links import FORM_BYTES, form
from germane.app.back import Back
from germane.app.engine import Engine
from germane.app.feedback import Feedback, Kind, take
from germane.app.why import decisions_of, link_of, told
from germane.domain.decision import Decision
from germane.domain.errors import BadRequest, UnknownDecision, YesNotTrusted

KINDS: tuple[Kind, ...] = get_args(Kind)


class FeedbackReport(wire.Wire):
    """What a person says about what they were shown: the next decision obeys."""

    decision_id: Annotated[str, msgspec.Meta(min_length=1, max_length=20_000)]
    kind: Annotated[
        Kind,
        msgspec.Meta(
            description="less_like_this: not this item, and less of its category. not_this_reason: what the "
            "reason rests on is used for this person no more. opt_out, opt_in: no personalisation at all, or "
            "again. undo: all that was muted counts again."
        ),
    ]
    item_id: wire.OptionalId = None
    position: Annotated[int, msgspec.Meta(ge=0, le=199)] | None = None
    reason: Annotated[
        str, msgspec.Meta(max_length=64, description="Of not_this_reason: the code of the reason.")
    ] = ""


class WhyLinks:
    """Addresses of the page."""

    def __init__(self, back: Back, prefix: str = "") -> None:
        """``prefix``: what stands before every path, where the address is not configured."""
        self._back = back
        self._prefix = prefix

    def of(self, decision: Decision, request: Request) -> str:
        """The page about a decision; empty where it has none."""
        base = self._back.base_url or found_at(request) + self._prefix
        return link_of(decision, self._back.keys, base)


class Why:
    """The endpoints."""

    def __init__(self, engine: Engine, browsers: Browsers, back: Back) -> None:
        self._engine = engine
        self._browsers = browsers
        self._back = back

    async def page(self, request: Request) -> Response:
        """``GET /w/{token}?at=POSITION``: it changes nothing but what the browser says no to."""
        link = self._back.keys.open(request.path_params["token"], "w")
        if link is None:
            return pages.gone()
        hear(request, self._engine, self._engine.profile_of(link.person))
        return why_page.whole(told(self._engine, link), only=_position(request))

    async def said(self, request: Request) -> Response:
        """``POST /w/{token}``: one of the page's buttons. It needs no cookie and no key but the token."""
        link = self._back.keys.open(request.path_params["token"], "w")
        if link is None:
            return pages.gone()
        hear(request, self._engine, self._engine.profile_of(link.person))
        raw = await read(request, FORM_BYTES)
        fields = dict(form(request.headers.get("content-type", ""), raw))
        kind = next((each for each in KINDS if each == fields.get("kind")), None)
        named = fields.get("decision", "")
        about = {each.decision_id for each in decisions_of(self._engine, link)}
        known = bool(about) or self._engine.knows(link.person, link.message_id)
        refused = kind is None or (bool(named) and named not in about)
        if self._engine.profile_of(link.person).person != link.person:
            refused = refused or kind != "opt_out"  # whoever has the link need not be them
        refused |= kind != "opt_out" and not known  # an old mail brings nobody back
        if kind is not None and not refused:
            said = Feedback(
                kind,
                named,
                item_id=fields.get("item", ""),
                reason=fields.get("reason", ""),
                method="why page",
                trusted=False,
            )
            try:
                await take(self._engine, link.person, said)
            except (BadRequest, UnknownDecision, YesNotTrusted):
                refused = True
        done = "" if refused or kind is None else kind
        found = told(self._engine, link)
        return why_page.whole(found, only=_position(request), done=done, refused=refused)

    async def feedback(self, request: Request) -> Response:
        """``POST /v1/feedback``."""
        visitor = await self._browsers.visitor(request)
        body = (
            await parse(request, FeedbackReport)
            if visitor is None
            else visitor.question(FeedbackReport)
        )
        self._browsers.own(visitor, body.decision_id)
        if visitor is not None and body.kind in ("opt_in", "undo"):
            self._browsers.may_read(visitor)  # a public key alone takes nothing back
        person = self._engine.decided_for(body.decision_id)
        if not person and visitor is not None:
            person = self._engine.whose(visitor.user_id, visitor.anonymous_id).person
        if not person:
            raise UnknownDecision(
                "The record of this decision was lost: whose it was is not known."
            )
        if visitor is None:
            hear(request, self._engine, self._engine.profile_of(person))
        said = Feedback(
            body.kind,
            body.decision_id,
            body.item_id or "",
            body.position,
            body.reason,
            "api" if visitor is None else "why button",
            trusted=visitor is None or visitor.vouched,
        )
        await take(self._engine, person, said)
        return answer({"success": True})


def _position(request: Request) -> int | None:
    said = request.query_params.get("at", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 4 else None
