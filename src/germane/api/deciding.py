"""Decisions out; impressions and outcomes back: to servers all of it, to browsers what people may see."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from germane.api import wire
from germane.api.body import answer, parse
from germane.api.browser import Browsers, Visitor
from germane.api.gpc import hear, signalled
from germane.api.seen import decision_for_people
from germane.api.why import WhyLinks
from germane.app.engine import Engine
from germane.app.receipt import Receipt
from germane.domain.decision import Ask, Decision
from germane.domain.errors import BadRequest, GermaneError
from germane.domain.inbox import Inbox
from germane.domain.outcome import Impression, Outcome
from germane.domain.purposes import PERSONALISATION
from germane.profile.view import rfc3339

_encode = msgspec.json.Encoder().encode
Report = TypeVar("Report", wire.ImpressionReport, wire.OutcomeReport)


class Decisions:
    """Endpoints around decisions: for servers, and most of them for browsers, too."""

    def __init__(self, engine: Engine, browsers: Browsers, inbox: Inbox, why: WhyLinks) -> None:
        self._why = why
        self._engine = engine
        self._browsers = browsers
        self._inbox = inbox

    async def decide(self, request: Request) -> Response:
        """``POST /v1/decide``."""
        visitor = await self._browsers.visitor(request)
        if visitor is not None:
            return answer(self._shown(visitor, request))
        asked = await parse(request, wire.DecideRequest)
        if not asked.opt_out:
            asked.person.check()
        who = self._heard(request, *asked.person.ids(), opt_out=asked.opt_out)
        return answer(
            self._one(
                who,
                asked.account,
                asked.asks(),
                asked.explain,
                request,
                record=asked.record,
            )
        )

    async def batch(self, request: Request) -> Response:
        """``POST /v1/decide/batch``: a JSON line for each person, in their order."""
        asked = await parse(request, wire.BatchDecideRequest)
        for person in asked.people:
            person.check()
        questions = wire.asks(asked.surfaces, asked.context)
        self._engine.check(questions)  # what is wrong with the question is an error, not a line
        lines = self._lines(asked.people, questions, asked.explain, request)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def impressions(self, request: Request) -> Response:
        """``POST /v1/impressions``."""
        said = await self._said(request, wire.ImpressionReport)
        impression = Impression(
            said.message_id or str(uuid.uuid4()),
            said.decision_id,
            tuple(said.positions),
            self._time(said.timestamp),
        )
        receipt = await self._engine.impressions([impression])
        return answer(_receipt(receipt))

    async def outcomes(self, request: Request) -> Response:
        """``POST /v1/outcomes``."""
        said = await self._said(request, wire.OutcomeReport)
        outcome = Outcome(
            said.message_id or str(uuid.uuid4()),
            said.decision_id,
            said.item_id or "",
            said.outcome,
            said.value,
            self._time(said.timestamp),
            said.order_id or "",
        )
        receipt = await self._engine.outcomes([outcome])
        return answer(_outcome_receipt(receipt))

    async def inbox(self, request: Request) -> Response:
        """``POST /v1/inbox``."""
        visitor = await self._browsers.visitor(request)
        if visitor is not None:
            visitor.may_ask(["inbox"])
            self._browsers.may_read(visitor)
            visitor.question(wire.Nothing)
            ids = visitor.user_id, visitor.anonymous_id
        else:
            asked = await parse(request, wire.InboxRequest)
            asked.person.check()
            ids = asked.person.ids()
            hear(request, self._engine, self._engine.whose(*ids))
        return answer({"messages": list(await self._inbox(*ids)), "serverTime": self._now()})

    def _heard(
        self, request: Request, user_id: str, anonymous_id: str, *, opt_out: bool
    ) -> tuple[str, str]:
        """The ids of whom it is decided for; none, if that is nobody. What the browser says no to holds for
        this very answer."""
        if opt_out:
            return "", ""
        if not signalled(request):
            return user_id, anonymous_id
        hear(request, self._engine, self._engine.whose(user_id, anonymous_id))
        refused = PERSONALISATION in self._engine.settings.privacy.gpc
        return ("", "") if refused else (user_id, anonymous_id)

    def _shown(self, visitor: Visitor, request: Request) -> dict[str, Any]:
        """What a browser is told: what people may see, and how to answer it."""
        asked = visitor.question(wire.BrowserDecideRequest)
        visitor.may_ask([each.surface for each in asked.surfaces])
        self._browsers.may_read(visitor)
        ids = self._heard(request, visitor.user_id, visitor.anonymous_id, opt_out=asked.opt_out)
        decisions, _ = self._engine.decide(*ids, "", asked.asks())
        settings, catalogue = self._engine.settings, self._engine.catalogue
        return {
            "decisions": [
                decision_for_people(each, catalogue, settings, explain=asked.explain)
                | self._why_url(each, request)
                for each in decisions
            ],
            "serverTime": self._now(),
        }

    async def _said(self, request: Request, kind: type[Report]) -> Report:
        """A report, from a server or from the browser of whom the decision was made for."""
        visitor = await self._browsers.visitor(request)
        said = await parse(request, kind) if visitor is None else visitor.question(kind)
        self._browsers.own(visitor, said.decision_id)
        if visitor is None and signalled(request):
            owner = self._engine.decided_for(said.decision_id)
            hear(request, self._engine, self._engine.profile_of(owner))
        return said

    def _why_url(self, decision: Decision, request: Request) -> dict[str, str]:
        url = self._why.of(decision, request)
        return {"whyUrl": url} if url else {}

    def _now(self) -> str | None:
        """By this clock a browser can correct its own."""
        return rfc3339(self._engine.world.now_ms())

    def _one(
        self,
        ids: tuple[str, str],
        account: str | float | None,
        asks: list[Ask],
        explain: bool,
        request: Request,
        *,
        record: bool = True,
    ) -> dict[str, Any]:
        decisions, trust = self._engine.decide(*ids, wire.text_of(account), asks, record=record)
        catalogue, surfaces = self._engine.catalogue, self._engine.settings.surfaces
        return {
            "decisions": [
                wire.decision_view(
                    each,
                    catalogue,
                    explain,
                    surfaces.get(each.surface),
                    self._engine.shortfall(each),
                )
                | self._why_url(each, request)
                for each in decisions
            ],
            "profile": {"readiness": trust},
        }

    async def _lines(
        self, people: list[wire.PersonRef], asks: list[Ask], explain: bool, request: Request
    ) -> AsyncIterator[bytes]:
        for number, person in enumerate(people):
            user_id, anonymous_id = person.ids()
            who = {"userId": user_id or None, "anonymousId": anonymous_id or None}
            try:
                line = {
                    "person": who,
                    **self._one((user_id, anonymous_id), None, asks, explain, request),
                }
            except GermaneError as error:
                line = {"person": who, "error": {"code": error.code, "message": error.message}}
            yield _encode(line) + b"\n"
            if number % 16 == 15:
                await asyncio.sleep(0)  # others want answers too

    def _time(self, text: str | None) -> int:
        now_ms = self._engine.world.now_ms()
        return now_ms if text is None else min(instant(text), now_ms)


def instant(text: str) -> int:
    """RFC 3339 as milliseconds.

    Raises:
        BadRequest: it is not a time.
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return max(0, int(at.timestamp() * 1000))
    except (ValueError, OverflowError):
        raise BadRequest(f"{text[:60]!r} is not a time of RFC 3339.") from None


def _outcome_receipt(receipt: Receipt) -> wire.OutcomeReceiptBody:
    (verdict,) = receipt.verdicts
    return wire.OutcomeReceiptBody(
        receipt.accepted,
        receipt.duplicates,
        receipt.rejected,
        receipt.seq,
        verdict=verdict,
        meaning=wire.MEANINGS[verdict],
    )


def _receipt(receipt: Receipt) -> wire.ReceiptBody:
    return wire.ReceiptBody(receipt.accepted, receipt.duplicates, receipt.rejected, receipt.seq)
