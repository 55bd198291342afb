"""Health, metrics, surfaces, people, dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response

from germane.api import wire
from germane.api.body import answer, parse
from germane.api.choice import standing_view
from germane.app.engine import Engine
from germane.app.letters import Settle
from germane.config.audit import audit_surface, blind
from germane.domain.errors import BadRequest, NotFound, StorageFailed, UnknownPerson
from germane.domain.event import DeadLetter
from germane.domain.settings import SurfaceSpec

MOST_HOURS = 336
"""Hours that can be asked about: two weeks."""


class EngineMetrics(Collector):
    """The engine's counters in Prometheus' form. No label ever holds a person, an item or a URL."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def collect(self) -> Iterable[Metric]:
        """All metrics, as of now."""
        outcomes = CounterMetricFamily("germane_outcomes", "outcomes by how", labels=["how"])
        for how, count in self._engine.counters.outcomes.items():
            outcomes.add_metric([how], count)
        yield outcomes
        for name, value in self._engine.stats().items():
            if name == "outcomes_total":
                continue  # told by how
            if name.endswith("_total"):
                text = name.removesuffix("_total").replace("_", " ")
                yield CounterMetricFamily(
                    f"germane_{name.removesuffix('_total')}", text, value=value
                )
            else:
                yield GaugeMetricFamily(f"germane_{name}", name.replace("_", " "), value=value)
        latencies = {
            "ack": (self._engine.counters.ack, "From receiving events to having them on the disk"),
            "decide": (self._engine.counters.decide, "Making one answer, all its surfaces"),
        }
        for name, (latency, text) in latencies.items():
            yield HistogramMetricFamily(
                f"germane_{name}_seconds", text, latency.cumulative(), latency.sum_s
            )
        with suppress(StorageFailed):  # it cannot be read: everything else is still told
            yield GaugeMetricFamily(
                "germane_dead_letters_pending",
                "dead letters that wait for a person",
                value=self._engine.store.pending_letters(),
            )
        ready = float(self._engine.health()["ready"])
        yield GaugeMetricFamily("germane_ready", "1 when it can serve", value=ready)


class Operations:
    """Endpoints for operators; health and metrics are open."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(EngineMetrics(engine))

    async def live(self, request: Request) -> Response:
        """``GET /livez``: the process answers. Never touches storage."""
        return answer({"live": True})

    async def ready(self, request: Request) -> Response:
        """``GET /readyz``: it can take events and decide."""
        health = self._engine.health()
        return answer(health, 200 if health["ready"] else 503)

    async def metrics(self, request: Request) -> Response:
        """``GET /metrics``."""
        return Response(generate_latest(self._registry), media_type="text/plain; version=0.0.4")

    async def person(self, request: Request) -> Response:
        """``GET /v1/people/{id}``: what is known, readable, with where it comes from."""
        found = self._engine.person(request.path_params["person_id"])
        if found is None:
            raise UnknownPerson()
        return answer(found)

    async def moment(self, request: Request) -> Response:
        """``GET /v1/people/{id}/moment?hours=&top=``: the best of the next hours, with reasons."""
        hours = whole_number(request, "hours", 72, MOST_HOURS, least=1)
        top = whole_number(request, "top", 3, MOST_HOURS, least=1)
        found = self._engine.moment(request.path_params["person_id"], hours=hours, top=top)
        if found is None:
            raise UnknownPerson()
        return answer(found)

    async def surfaces(self, request: Request) -> Response:
        """``GET /v1/surfaces``."""
        return answer(
            {"surfaces": [_surface_view(each) for each in self._engine.settings.surfaces.values()]}
        )

    async def audit(self, request: Request) -> Response:
        """``GET /v1/surfaces/{id}/audit``."""
        surface = self._engine.surface(request.path_params["surface"])
        items = list(self._engine.catalogue.values())
        now_ms = self._engine.world.now_ms()
        findings = audit_surface(surface, self._engine.settings, items, now_ms)
        return answer(
            {
                "surface": surface.name,
                "blind": blind(surface),
                "findings": [msgspec.to_builtins(each) for each in findings],
            }
        )

    async def actions(self, request: Request) -> Response:
        """``GET /v1/surfaces/{id}/actions``."""
        name = request.path_params["surface"]
        found = self._engine.standing(name)
        return answer(standing_view(found, self._engine.surface(name)))

    async def letters(self, request: Request) -> Response:
        """``GET /v1/dead-letters?after=&limit=``."""
        after, limit = (
            whole_number(request, "after", 0, 2**53),
            whole_number(request, "limit", 100, 1_000),
        )
        found = self._engine.letters(after=after, limit=limit)
        return answer({"deadLetters": [wire.letter_in_brief(each) for each in found]})

    async def letter(self, request: Request) -> Response:
        """``GET /v1/dead-letters/{id}``."""
        return answer(wire.letter_view(self._letter(request)))

    async def replay(self, request: Request) -> Response:
        """``POST /v1/dead-letters/{id}/replay``."""
        return await self._settled(request, "replay")

    async def dismiss(self, request: Request) -> Response:
        """``POST /v1/dead-letters/{id}/dismiss``."""
        return await self._settled(request, "dismiss")

    async def _settled(self, request: Request, do: Settle) -> Response:
        number = self._letter(request).letter_id
        why_not = (await self._engine.settle(do, [number]))[number]
        return answer({"letterId": number, wire.SETTLED[do]: not why_not, "reason": why_not})

    async def replay_some(self, request: Request) -> Response:
        """``POST /v1/dead-letters/replay``."""
        return await self._some_settled(request, "replay")

    async def dismiss_some(self, request: Request) -> Response:
        """``POST /v1/dead-letters/dismiss``."""
        return await self._some_settled(request, "dismiss")

    async def _some_settled(self, request: Request, do: Settle) -> Response:
        wanted = (await parse(request, wire.LettersRequest)).letter_ids
        why_not = await self._engine.settle(do, wanted)
        failed = {str(number): text for number, text in why_not.items() if text}
        return answer({wire.SETTLED[do]: len(why_not) - len(failed), "failed": failed})

    def _letter(self, request: Request) -> DeadLetter:
        number = request.path_params["letter_id"]
        known = re.fullmatch(r"[0-9]{1,15}", number) is not None
        found = self._engine.store.letter(int(number)) if known else None
        if found is None:
            raise NotFound("There is no such dead letter.")
        return found


def _surface_view(surface: SurfaceSpec) -> dict[str, Any]:
    return {
        "surface": surface.name,
        "kind": surface.kind,
        **({} if surface.kind == "choice" else _slate_view(surface)),
        "blind": blind(surface),
        "explorationShare": surface.exploration_share,
        "outcomes": [
            {
                "outcome": each.name,
                "signal": each.signal,
                "windowSeconds": each.window_s,
                "value": each.value,
                "valueFrom": each.value_from,
            }
            for each in surface.outcomes
        ],
    }


def _slate_view(surface: SurfaceSpec) -> dict[str, Any]:
    return {
        "size": surface.size,
        "itemTypes": list(surface.item_types),
        "diversityQuota": surface.diversity_quota,
    }


def whole_number(request: Request, name: str, default: int, most: int, *, least: int = 0) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"[0-9]{1,16}", text) or not least <= int(text) <= most:
        raise BadRequest(f"{name} must be a whole number from {least} to {most}.")
    return int(text)
