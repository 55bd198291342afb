"""The live page: the loop as it runs."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from germane.api.auth import Keys
from germane.api.body import answer, parse
from germane.api.callers import Callers
from germane.app import AcceleratedWorld, Engine
from germane.domain.errors import NotFound
from germane.domain.record import Txn

REPORT = "demo.report"
HOUSEHOLDS = 3_000
SAMPLE_S = 1.0
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES = {"live.css": "text/css", "live.js": "text/javascript"}


class Live:
    """What the page shows, and the score that the shop reports."""

    def __init__(self, engine: Engine, keys: Keys, started_ms: int) -> None:
        self._engine = engine
        self._callers = Callers(engine, keys)
        self._started_ms = started_ms
        self._trips: OrderedDict[str, dict[str, Any]] = OrderedDict()
        stored = engine.store.meta(REPORT)
        self._report: dict[str, Any] = msgspec.json.decode(stored) if stored else {}
        self.leaving: Callable[[], bool] = lambda: False
        """Whether the server is about to stop: then open pages are let go, so that it can."""

    def routes(self) -> list[BaseRoute]:
        """Routes to add to the server."""
        return [
            Route("/", self.start),
            Route("/console/live", self.page),
            Route("/console/live/events", self.events),
            Route("/console/live/progress", self.progress),
            Route("/console/live/report", self.report, methods=["POST"]),
            Route("/console/live/{asset}", self.asset),
        ]

    def simulated_date(self) -> str:
        """For people."""
        at = datetime.fromtimestamp(self._engine.world.now_ms() / 1000, UTC)
        return f"{at:%A} {at.day} {at:%B %Y}"

    async def start(self, request: Request) -> Response:
        """What someone sees who opens the server's address."""
        return RedirectResponse("/console/live", 307)

    async def page(self, request: Request) -> Response:
        """The page itself."""
        text = files("germane.console").joinpath("static/live.html").read_text("utf-8")
        return HTMLResponse(text, headers={"Content-Security-Policy": _CSP})

    async def asset(self, request: Request) -> Response:
        """Style and script."""
        name = request.path_params["asset"]
        if name not in _TYPES:
            raise NotFound()
        text = files("germane.console").joinpath(f"static/{name}").read_text("utf-8")
        return Response(text, media_type=_TYPES[name])

    async def progress(self, request: Request) -> Response:
        """Where the simulated clock and the replay stand (server key)."""
        self._callers.admitted(request, "decide.many")
        world = self._engine.world
        speed = world.speed if isinstance(world, AcceleratedWorld) else 1.0
        return answer(
            {
                "nowMs": world.now_ms(),
                "speed": speed,
                "replayed": self._report.get("done", 0),
                "report": {k: v for k, v in self._report.items() if k != "trips"},
            }
        )

    async def report(self, request: Request) -> Response:
        """The shop's score (server key); kept, so that a restart goes on with it."""
        self._callers.admitted(request, "decide.many")
        said = await parse(request, dict[str, Any])
        for trip in said.pop("trips", []):
            self._trips.pop(trip["household"], None)
            self._trips[trip["household"]] = trip
        while len(self._trips) > HOUSEHOLDS:
            self._trips.popitem(last=False)
        self._report = said
        await self._engine.note(Txn(meta={REPORT: msgspec.json.encode(said)}))
        return answer({"success": True})

    async def events(self, request: Request) -> Response:
        """Server-sent events: one picture a second; ``?follow=ID`` keeps to one household."""
        follow = request.query_params.get("follow", "")
        return StreamingResponse(
            self._stream(request, follow),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store"},
        )

    async def _stream(self, request: Request, follow: str) -> AsyncIterator[bytes]:
        chosen, shown = follow, 0
        while not (self.leaving() or await request.is_disconnected()):
            if not follow and shown % 8 == 0 and self._trips:
                chosen = next(reversed(self._trips))
            shown += 1
            yield b"data: " + msgspec.json.encode(self._picture(chosen)) + b"\n\n"
            await asyncio.sleep(SAMPLE_S)

    def _picture(self, household: str) -> dict[str, Any]:
        stats = self._engine.stats()
        return {
            "date": self.simulated_date(),
            "nowMs": self._engine.world.now_ms(),
            "startedMs": self._started_ms,
            "rates": {
                "events": stats["events_per_second"],
                "decisions": stats["decisions_per_second"],
            },
            "totals": {
                "events": stats["events_total"],
                "decisions": stats["decisions_total"],
                "records": stats["log_offset"],
            },
            "score": self._report,
            "households": list(reversed(self._trips))[:12],
            "household": self._household(household),
        }

    def _household(self, household: str) -> dict[str, Any] | None:
        person = self._engine.person(household) if household else None
        if person is None:
            return None
        trip = self._trips.get(household)
        return {
            "id": household,
            "readiness": person["readiness"],
            "interests": _interests(person),
            "price": person["priceBand"],
            "own": [each for each in person["ownItems"] if each["speakable"]][:5],
            "traits": {
                name: each["value"] for name, each in person["traits"].items() if each["speakable"]
            },
            "trip": None if trip is None else self._trip(trip),
        }

    def _trip(self, trip: dict[str, Any]) -> dict[str, Any]:
        bought = set(trip["bought"])
        before = [each["itemId"] for each in trip["shown"]]
        return {
            "at": datetime.fromtimestamp(trip["atMs"] / 1000, UTC).strftime("%d %b, %H:%M"),
            "slate": [
                {
                    "id": each["itemId"],
                    "title": each["attributes"].get("title", each["itemId"]),
                    "category": each["attributes"].get("category", ""),
                    "price": each["attributes"].get("price"),
                    "slot": each["slot"],
                    "reason": (each.get("reasons") or [{"text": ""}])[0]["text"],
                    "hit": each["itemId"] in bought,
                }
                for each in trip["shown"]
            ],
            "bought": [self._title(each) for each in trip["bought"][:30]],
            "count": len(trip["bought"]),
            "changed": [self._title(each) for each in trip["next"] if each not in before],
        }

    def _title(self, item_id: str) -> str:
        item = self._engine.item(item_id)
        return item.title if item is not None and item.title else f"product {item_id}"


def _interests(person: dict[str, Any]) -> list[dict[str, Any]]:
    """The strongest that may be mentioned, with the evidence in words alone: the page asks for no key."""
    known = [each for each in person["interests"].get("category", []) if each["speakable"]]
    return [
        {"value": each["value"], "share": each["share"], "from": {"text": each["from"]["text"]}}
        for each in known[:10]
    ]
