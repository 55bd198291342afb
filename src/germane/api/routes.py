"""The route table: it drives the router and the OpenAPI description alike."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response

from germane.api import ingest, wire
from germane.api.auth import Keys
from germane.api.catalogue import Catalogue
from germane.api.deciding import Decisions
from germane.api.ops import MOST_HOURS, Operations
from germane.app.engine import Engine

Handler = Callable[[Request], Awaitable[Response]]
Security = Literal["none", "write", "server"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method at one address."""

    method: str
    path: str
    handler: Handler
    summary: str
    tag: str
    security: Security = "server"
    body: type | None = None
    answer: dict[str, Any] = field(default_factory=lambda: {"type": "object"})
    media: str = "application/json"
    query: tuple[tuple[str, int, int], ...] = ()
    """Names of whole-number query parameters with their least and largest value."""
    also: tuple[int, ...] = ()
    """Statuses beside 200 and the errors that every route may give."""


_SUCCESS = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}
_RECEIPT = {"$ref": "#/components/schemas/ReceiptBody"}
_OUTCOME_RECEIPT = {"$ref": "#/components/schemas/OutcomeReceiptBody"}


def endpoints(engine: Engine, keys: Keys) -> list[Endpoint]:
    """All endpoints, in the order in which the documentation shows them."""
    decisions, catalogue = Decisions(engine, keys), Catalogue(engine, keys)
    operations = Operations(engine, keys)
    return [
        *_tracking(engine, keys),
        Endpoint(
            "POST",
            "/v1/decide",
            decisions.decide,
            "Decide what to show to one person",
            "Decisions",
            body=wire.DecideRequest,
            answer=_DECIDED,
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/decide/batch",
            decisions.batch,
            "Decide for many people: a JSON line each",
            "Decisions",
            body=wire.BatchDecideRequest,
            media="application/x-ndjson",
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/impressions",
            decisions.impressions,
            "Report which positions were seen",
            "Decisions",
            body=wire.ImpressionReport,
            answer=_RECEIPT,
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/outcomes",
            decisions.outcomes,
            "Report a response to a decision",
            "Decisions",
            body=wire.OutcomeReport,
            answer=_OUTCOME_RECEIPT,
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/people/{person_id}/moment",
            operations.moment,
            "The best of the next hours to reach a person, and why",
            "People",
            answer=_MOMENT,
            query=(("hours", 1, MOST_HOURS), ("top", 1, MOST_HOURS)),
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/people/{person_id}",
            operations.person,
            "What is known of a person, and from where",
            "People",
            also=(404,),
        ),
        Endpoint(
            "POST",
            "/v1/items/batch",
            catalogue.batch,
            "Add or change many items",
            "Catalogue",
            body=wire.ItemsBody,
            answer=_RECEIPT,
        ),
        Endpoint("GET", "/v1/items/{item_id}", catalogue.get, "One item", "Catalogue", also=(404,)),
        Endpoint(
            "PUT",
            "/v1/items/{item_id}",
            catalogue.put,
            "Add or replace an item",
            "Catalogue",
            body=wire.ItemBody,
            answer=_RECEIPT,
        ),
        Endpoint(
            "PATCH",
            "/v1/items/{item_id}",
            catalogue.patch,
            "Change parts of an item",
            "Catalogue",
            body=wire.ItemBody,
            answer=_RECEIPT,
            also=(404,),
        ),
        Endpoint(
            "DELETE",
            "/v1/items/{item_id}",
            catalogue.delete,
            "Remove an item",
            "Catalogue",
            answer=_RECEIPT,
            also=(404,),
        ),
        Endpoint("GET", "/v1/surfaces", operations.surfaces, "Configured surfaces", "Surfaces"),
        Endpoint(
            "GET",
            "/v1/surfaces/{surface}/audit",
            operations.audit,
            "Can it vary, is its loop closed, has it a default?",
            "Surfaces",
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/surfaces/{surface}/actions",
            operations.actions,
            "How the actions of a choice stand, and whether acting per person is proven",
            "Surfaces",
            answer=_STANDING,
            also=(404,),
        ),
        Endpoint(
            "GET",
            "/v1/dead-letters",
            operations.letters,
            "What could not be used, and why",
            "Operations",
            query=(("after", 0, 2**53), ("limit", 0, 1_000)),
        ),
        Endpoint(
            "GET",
            "/v1/dead-letters/{letter_id}",
            operations.letter,
            "One dead letter",
            "Operations",
            also=(404,),
        ),
        Endpoint("GET", "/livez", operations.live, "The process is alive", "Operations", "none"),
        Endpoint(
            "GET", "/readyz", operations.ready, "It can serve", "Operations", "none", also=(503,)
        ),
        Endpoint(
            "GET",
            "/metrics",
            operations.metrics,
            "Prometheus metrics",
            "Operations",
            "none",
            media="text/plain",
        ),
    ]


def _tracking(engine: Engine, keys: Keys) -> list[Endpoint]:
    rows = [
        Endpoint(
            "POST",
            f"/v1/{name}",
            ingest.handler(engine, keys, route),
            f"Segment {route} call",
            "Tracking",
            "write",
            answer=_SUCCESS,
            body=dict,
        )
        for name, route in ingest.ROUTES.items()
    ]
    rows.append(
        Endpoint(
            "GET",
            "/v1/projects/{write_key}/settings",
            ingest.settings(keys),
            "Settings for the browser client",
            "Tracking",
            "none",
            also=(401,),
        )
    )
    return rows


_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_ACTION_ID = {"type": ["string", "null"], "description": "null: do nothing"}
_ACTIONS = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["action", "title", "propensity", "expected", "low", "high", "decisions"],
        "properties": {
            "action": _ACTION_ID,
            "title": {"type": "string"},
            "propensity": _SHARE,
            "expected": {"type": "number"},
            "low": {"type": "number"},
            "high": {"type": "number"},
            "decisions": {"type": "number", "minimum": 0},
            "responses": {"type": "number", "minimum": 0},
        },
    },
}
_CHOICE = {
    "type": "object",
    "description": "Of a surface with kind = choice.",
    "required": ["action", "propensity", "how", "meaning", "bestForEveryone"],
    "properties": {
        "action": _ACTION_ID,
        "propensity": {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
        "how": {"enum": ["constant", "personal", "exploring", "default"]},
        "meaning": {"type": "string"},
        "bestForEveryone": _ACTION_ID,
        "actions": _ACTIONS,
    },
}
_STANDING = {
    "type": "object",
    "required": ["surface", "bestForEveryone", "meaning", "made", "waiting", "actions"],
    "properties": {
        "surface": {"type": "string"},
        "bestForEveryone": _ACTION_ID,
        "meaning": {"type": "string"},
        "waiting": {"type": "integer", "minimum": 0},
        "actions": _ACTIONS,
    },
}
_DECIDED = {
    "type": "object",
    "required": ["decisions", "profile"],
    "properties": {
        "decisions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["decisionId", "surface", "arm", "modelVersion", "expiresAt", "items"],
                "properties": {
                    "decisionId": {"type": ["string", "null"], "description": "null: only a look"},
                    "surface": {"type": "string"},
                    "arm": {"enum": ["personalised", "broadcast", "opted_out", "fallback"]},
                    "modelVersion": {"type": "string"},
                    "expiresAt": {"type": ["string", "null"], "format": "date-time"},
                    "choice": _CHOICE,
                    "items": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "required": ["itemId", "position", "score", "propensity", "slot"],
                            "properties": {
                                "itemId": {"type": "string"},
                                "position": {"type": "integer", "minimum": 0},
                                "score": {"type": "number"},
                                "propensity": {
                                    "type": "number",
                                    "exclusiveMinimum": 0,
                                    "maximum": 1,
                                },
                                "slot": {
                                    "enum": ["relevant", "diverse", "explore", "pinned", "default"]
                                },
                            },
                        },
                    },
                },
            },
        },
        "profile": {
            "type": "object",
            "required": ["readiness"],
            "properties": {"readiness": {"type": "number", "minimum": 0, "maximum": 1}},
        },
    },
}

_TIME = {"type": "string", "format": "date-time"}
_MOMENT = {
    "type": "object",
    "required": ["personId", "timezone", "from", "to", "meaning", "evidence", "best", "bestWindow"],
    "properties": {
        "personId": {"type": "string"},
        "timezone": {"type": "string"},
        "from": _TIME,
        "to": _TIME,
        "meaning": {"type": "string"},
        "evidence": {
            "type": "object",
            "required": ["activeHours", "weight", "trust", "strength", "widthHours"],
            "properties": {"activeHours": {"type": "integer", "minimum": 0}, "trust": _SHARE},
        },
        "best": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at", "hour", "share", "timesAverage", "reasons"],
                "properties": {"at": _TIME, "hour": {"type": "string"}, "share": _SHARE},
            },
        },
        "bestWindow": {
            "type": "object",
            "required": ["from", "to", "text", "share"],
            "properties": {"from": _TIME, "to": _TIME, "share": _SHARE},
        },
    },
}
