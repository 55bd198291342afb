"""Keys and the audit log over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from germane.api import wire
from germane.api.body import answer, decode, parse, read
from germane.api.callers import caller_of
from germane.api.deciding import instant
from germane.api.guard import about
from germane.api.ops import whole_number
from germane.app.engine import Engine
from germane.app.keys import MOST_S, ApiKeys, state_of
from germane.app.trail import Proof, Trail
from germane.domain.audit import AuditLink
from germane.domain.errors import BadRequest
from germane.domain.key import DAY_MS, NAME_MAX, ApiKey, Scope
from germane.profile.words import rfc3339

PAGE_MAX = 1_000
OVERLAP_S = 7 * 86_400
"""A rotated key goes on for so long, unless it is said otherwise."""


class KeyBody(wire.Wire):
    """A new key."""

    scope: Scope
    name: Annotated[str, msgspec.Meta(max_length=NAME_MAX)] = ""
    valid_seconds: Annotated[int, msgspec.Meta(ge=1, le=MOST_S)] | None = None
    """For how long; left out: until it is revoked."""


class RotateBody(wire.Wire):
    """How a key is replaced."""

    overlap_seconds: Annotated[int, msgspec.Meta(ge=0, le=MOST_S)] = OVERLAP_S
    """For how long the old one goes on; 0: it ends at once."""


class KeyRoutes:
    """Endpoints of keys that are made while serving."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._keys = ApiKeys(engine)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/keys``."""
        return answer({"keys": [self._view(each) for each in self._keys.all()]})

    async def make(self, request: Request) -> Response:
        """``POST /v1/keys``: the key is in this answer and nowhere else."""
        body = await parse(request, KeyBody)
        made, text = await self._keys.make(
            body.scope, name=body.name, valid_s=body.valid_seconds, by=caller_of(request).by
        )
        about(request, target=made.key_id)
        return answer(self._view(made) | {"key": text})

    async def rotate(self, request: Request) -> Response:
        """``POST /v1/keys/{key_id}/rotate``: as ``make``, in the place of another one."""
        raw = await read(request)
        body = decode(raw, RotateBody) if raw else RotateBody()
        made, text = await self._keys.rotate(
            request.path_params["key_id"], overlap_s=body.overlap_seconds, by=caller_of(request).by
        )
        return answer(self._view(made) | {"key": text})

    async def revoke(self, request: Request) -> Response:
        """``POST /v1/keys/{key_id}/revoke``."""
        found = await self._keys.revoke(request.path_params["key_id"], by=caller_of(request).by)
        return answer(self._view(found))

    def _view(self, key: ApiKey) -> dict[str, Any]:
        """One key, as people read it: never the key, and never its hash."""
        used = rfc3339(key.used_day * DAY_MS)
        return {
            "keyId": key.key_id,
            "scope": key.scope,
            "name": key.name or None,
            "state": state_of(key, self._engine.world.now_ms()),
            "madeBy": key.by,
            "made": rfc3339(key.made_ms),
            "expires": rfc3339(key.expires_ms),
            "revoked": rfc3339(key.revoked_ms),
            "lastUsed": used and used[:10],
        }


class AuditRoutes:
    """Endpoints of the audit log."""

    def __init__(self, engine: Engine) -> None:
        self._trail = Trail(engine)

    async def listed(self, request: Request) -> Response:
        """``GET /v1/audit?since=&person=&before=&limit=``: the newest first."""
        limit = whole_number(request, "limit", 100, PAGE_MAX, least=1)
        before = whole_number(request, "before", 0, 2**40)
        since, person = (request.query_params.get(each, "") for each in ("since", "person"))
        found, last = self._trail.newest(
            before=before,
            since_ms=instant(since) if since else 0,
            targets=await self._trail.targets(person) if person else (),
            limit=limit,
        )
        return answer({"entries": [link_view(each) for each in found], "next": last})

    async def verified(self, request: Request) -> Response:
        """``GET /v1/audit/verification?head=``."""
        text = request.query_params.get("head", "")
        try:
            head = bytes.fromhex(text)
        except ValueError:
            head = b""
        if text and len(head) != len(bytes(32)):
            raise BadRequest("head must be 64 hexadecimal digits, as a verification has told them.")
        return answer(proof_view(await self._trail.proven(head or None)))


def link_view(link: AuditLink) -> dict[str, Any]:
    """One entry, as people read it."""
    record = link.record()
    return {
        "place": link.place,
        "at": rfc3339(record.at_ms),
        "actor": record.actor or None,
        "permission": record.permission,
        "act": record.act,
        "target": record.target or None,
        "status": record.status,
        "count": record.count,
        "digest": link.digest.hex(),
    }


def proof_view(proof: Proof) -> dict[str, Any]:
    """What a verification found."""
    return {
        "whole": proof.whole,
        "entries": proof.entries,
        "head": proof.head.hex(),
        "broken": proof.broken,
        "known": proof.known,
    }
