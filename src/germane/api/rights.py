"""What a person may ask for: everything that is stored of them, and that it goes."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from germane.api.body import answer
from germane.api.endpoint import Endpoint
from germane.app import access, erasing
from germane.app.engine import Engine
from germane.app.reading import beside
from germane.domain.record import Txn
from germane.privacy import page

ASKED = "rights.asked"
"""A named value without a meaning, which makes a group commit."""
_COUNTS = {"type": "object", "additionalProperties": {"type": "integer"}}
_TEXT = {"type": "string"}
EXPORT = {
    "type": "object",
    "required": ["form", "personId", "keys", "profile", "events", "decisions", "messages"],
    "properties": {
        "form": _TEXT,
        "personId": _TEXT,
        "keys": {"type": "array", "items": _TEXT},
        "profile": {"type": ["object", "null"]},
        "state": {"type": ["object", "null"]},
        **{
            name: {"type": "array", "items": {"type": "object"}}
            for name in (
                "events", "decisions", "impressions", "outcomes", "consent", "messages", "moves",
                "deadLetters",
            )
        },
        "ledger": {"type": "object"},
    },
}  # fmt: skip
RECEIPT = {
    "type": "object",
    "required": ["receipt", "at", "people", "removed", "kept", "sharedModel", "signature"],
    "properties": {
        "receipt": _TEXT,
        "at": _TEXT,
        "germane": _TEXT,
        "people": {"type": "array", "items": _TEXT},
        "removed": _COUNTS,
        "kept": {"type": "array", "items": {"type": "object"}},
        "bytes": {"type": "object"},
        "sharedModel": {"type": "object"},
        "signature": _TEXT,
    },
}


class Rights:
    """Endpoints of access and erasure."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def export(self, request: Request) -> Response:
        """``GET /v1/people/{id}/export``: JSON, or a page for who accepts HTML rather."""
        engine, person_id = self._engine, request.path_params["person_id"]
        if engine.serving:  # decisions of just now ride in the next group: this makes one
            await engine.note(Txn(meta={ASKED: b""}))
        store = beside(engine)
        person = await asyncio.to_thread(
            erasing.resolved, store, engine.tenant, person_id, engine.person_key(person_id)
        )
        notices = engine.settings.privacy.notices
        stored = await asyncio.to_thread(access.stored, store, person, engine.tenant, notices)
        found = stored | access.known(engine, person)
        if "text/html" in request.headers.get("accept", ""):
            return Response(page.page(found), headers=page.HEADERS, media_type="text/html")
        return answer(found)

    async def erase(self, request: Request) -> Response:
        """``DELETE /v1/people/{id}``: everything of theirs goes; the answer is the receipt."""
        return answer(await erasing.erase(self._engine, request.path_params["person_id"]))


def rights(engine: Engine) -> list[Endpoint]:
    """Their rows in the route table."""
    on = Rights(engine)
    return [
        Endpoint(
            "GET",
            "/v1/people/{person_id}/export",
            on.export,
            "Everything that is stored of a person: JSON, or a page with Accept: text/html",
            "People",
            "people.export",
            answer=EXPORT,
            also=(404,),
        ),
        Endpoint(
            "DELETE",
            "/v1/people/{person_id}",
            on.erase,
            "Erase a person everywhere; the answer is a signed receipt",
            "People",
            "people.erase",
            answer=RECEIPT,
            also=(404, 429, 503),
        ),
    ]
