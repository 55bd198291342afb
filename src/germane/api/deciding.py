"""Decisions out; impressions and outcomes back."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from germane.api import wire
from germane.api.auth import Keys
from germane.api.body import answer, parse
from germane.app.engine import Engine
from germane.app.receipt import Receipt
from germane.domain.decision import Ask
from germane.domain.errors import BadRequest, GermaneError
from germane.domain.outcome import Impression, Outcome

_encode = msgspec.json.Encoder().encode


class Decisions:
    """Endpoints around decisions; all of them take the server key."""

    def __init__(self, engine: Engine, keys: Keys) -> None:
        self._engine = engine
        self._keys = keys

    async def decide(self, request: Request) -> Response:
        """``POST /v1/decide``."""
        self._keys.require_server(request)
        asked = await parse(request, wire.DecideRequest)
        asked.person.check()
        return answer(
            self._one(asked.person, asked.account, asked.asks(), asked.explain, record=asked.record)
        )

    async def batch(self, request: Request) -> Response:
        """``POST /v1/decide/batch``: a JSON line for each person, in their order."""
        self._keys.require_server(request)
        asked = await parse(request, wire.BatchDecideRequest)
        for person in asked.people:
            person.check()
        questions = wire.asks(asked.surfaces, asked.context)
        self._engine.check(questions)  # what is wrong with the question is an error, not a line
        lines = self._lines(asked.people, questions, asked.explain)
        return StreamingResponse(lines, media_type="application/x-ndjson")

    async def impressions(self, request: Request) -> Response:
        """``POST /v1/impressions``."""
        self._keys.require_server(request)
        said = await parse(request, wire.ImpressionReport)
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
        self._keys.require_server(request)
        said = await parse(request, wire.OutcomeReport)
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

    def _one(
        self,
        person: wire.PersonRef,
        account: str | float | None,
        asks: list[Ask],
        explain: bool,
        *,
        record: bool = True,
    ) -> dict[str, Any]:
        decisions, trust = self._engine.decide(
            *person.ids(), wire.text_of(account), asks, record=record
        )
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
                for each in decisions
            ],
            "profile": {"readiness": trust},
        }

    async def _lines(
        self, people: list[wire.PersonRef], asks: list[Ask], explain: bool
    ) -> AsyncIterator[bytes]:
        for number, person in enumerate(people):
            user_id, anonymous_id = person.ids()
            who = {"userId": user_id or None, "anonymousId": anonymous_id or None}
            try:
                line = {"person": who, **self._one(person, None, asks, explain)}
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
