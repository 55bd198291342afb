"""Messages and what holds them back: outbox, kill switch, consent, why not."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Literal, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from germane.api import wire
from germane.api.body import answer, decode, parse, read
from germane.api.ops import whole_number
from germane.app.channels import Ways
from germane.app.engine import Engine
from germane.app.ledgers import message_view
from germane.app.sends import messages_of, messages_with
from germane.app.why_not import why_not
from germane.app.writing import rendered_of
from germane.domain.campaign import WEBHOOK, Channel
from germane.domain.errors import BadRequest, NotFound, UnknownPerson, WrongMove
from germane.domain.ledger import beyond
from germane.domain.message import STATUSES, Message, Why
from germane.domain.moves import Held, Switched
from germane.domain.near import did_you_mean

MOST = 1_000
CHANNELS = get_args(Channel)


class Doubt(wire.Wire):
    """What is known of a message of which nobody knew whether it went out."""

    arrived: bool
    """Whether it did; if not, it is sent again."""
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Reason(wire.Wire):
    """Why something is done; it may be left out."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Kill(wire.Wire):
    """The kill switch."""

    scope: Literal["all", "channel", "campaign"]
    on: bool
    name: Annotated[str, msgspec.Meta(max_length=64)] = ""
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Messages:
    """Endpoints of the outbox and the kill switch."""

    def __init__(self, engine: Engine, ways: Ways | None = None) -> None:
        """``ways``: out that are configured; ``None``: not known, so not looked at."""
        self._ways = ways
        self._engine = engine

    async def page(self, request: Request) -> Response:
        """``GET /v1/messages?campaign=&status=&person=&after=&limit=``: the newest first; ``after`` is the
        last id of the page before."""
        limit = whole_number(request, "limit", 100, MOST, least=1)
        return answer({"messages": [message_view(each) for each in self._found(request, limit)]})

    async def one(self, request: Request) -> Response:
        """``GET /v1/messages/{id}``: with its text."""
        message = self._message(request)
        view = message_view(message)
        try:
            rendered = rendered_of(self._engine, message)
        except LookupError:
            return answer(view | {"rendered": None})
        return answer(view | {"rendered": msgspec.to_builtins(rendered)})

    async def resolve(self, request: Request) -> Response:
        """``POST /v1/messages/{id}/resolve``: whether an ambiguous one arrived."""
        message, body = self._message(request), await parse(request, Doubt)
        if message.status != "ambiguous":
            raise WrongMove(f"It is {message.status}: there is no doubt to resolve.")
        now_ms = self._engine.world.now_ms()
        if body.arrived:
            why = Why(now_ms, "doubt.arrived", body.reason or "A person says that it arrived.")
            move = Held(message.message_id, "sent", 0, why)
        else:
            why = Why(now_ms, "doubt.again", body.reason or "A person says: send it again.")
            move = Held(message.message_id, "queued", now_ms, why)
        await self._engine.move([move])
        return answer({"success": True, **message_view(self._message(request))})

    async def cancel(self, request: Request) -> Response:
        """``POST /v1/messages/{id}/cancel``: one that waits will not go out."""
        message = self._message(request)
        raw = await read(request)
        body = decode(raw, Reason) if raw else Reason()
        if message.status not in ("queued", "approval"):
            raise WrongMove(f"It is {message.status}: only what waits can be cancelled.")
        why = Why(self._engine.world.now_ms(), "cancelled", body.reason or "By the API.")
        await self._engine.move([Held(message.message_id, "cancelled", 0, why)])
        return answer({"success": True, **message_view(self._message(request))})

    async def why_not(self, request: Request) -> Response:
        """``GET /v1/why-not?person=&campaign=``."""
        person, campaign = (request.query_params.get(x, "") for x in ("person", "campaign"))
        if not person or not campaign:
            raise BadRequest("person and campaign are needed.")
        found = why_not(self._engine, person, campaign)
        if found is None:
            raise UnknownPerson(f"Nothing is known about {person!r}.")
        if not found["messages"] and not found["enrolments"]:
            self._engine.library.campaign(campaign)
        return answer(found)

    async def switches(self, request: Request) -> Response:
        """``GET /v1/switch``: which are on."""
        return answer({"on": self._engine.moving.switches(self._engine.tenant)})

    async def switch(self, request: Request) -> Response:
        """``POST /v1/switch``: stop sending, or go on. When this is answered nothing begins any more."""
        body = await parse(request, Kill)
        if (body.scope == "all") == bool(body.name):
            raise BadRequest(
                "A switch of all has no name; one of a channel or campaign has.",
                hint='For example {"scope": "channel", "name": "email", "on": true}.',
            )
        switches = self._engine.moving.switches(self._engine.tenant)
        if body.on or not any((x["scope"], x["name"]) == (body.scope, body.name) for x in switches):
            self._known(body)
        why = Why(self._engine.world.now_ms(), "switch", body.reason or "By the API.")
        await self._engine.move([Switched(body.scope, body.name, body.on, why)])
        return answer({"success": True, "on": self._engine.moving.switches(self._engine.tenant)})

    def _known(self, body: Kill) -> None:
        """A switch of something that is not there would stop nothing, and nobody would notice."""
        if body.scope == "campaign":
            self._engine.library.campaign(body.name)
        if body.scope != "channel" or body.name in CHANNELS:
            return
        named = [each for each in self._ways.channels if ":" in each] if self._ways else [body.name]
        if not body.name.startswith(WEBHOOK) or body.name not in named:
            there = sorted({*CHANNELS, *(each for each in named if each.startswith(WEBHOOK))})
            raise BadRequest(
                f"There is no channel {body.name!r}.", hint=did_you_mean(body.name, there)
            )

    def _known_campaign(self, name: str) -> None:
        """Raises UnknownCampaign, but of one that has messages, although it is gone."""
        engine = self._engine
        counts = engine.entries.counts(engine.tenant, "message")
        if not any(topic == name for topic, _ in counts):
            engine.library.campaign(name)

    def _found(self, request: Request, limit: int) -> list[Message]:
        ask, engine = request.query_params, self._engine
        status, campaign, after = (ask.get(x, "") for x in ("status", "campaign", "after"))
        if status and status not in STATUSES:
            raise BadRequest(f"There is no status {status!r}.", hint=did_you_mean(status, STATUSES))
        if campaign:
            self._known_campaign(campaign)
        if not ask.get("person"):
            return messages_with(engine, campaign, status, after=after, limit=limit)
        person = engine.person_key(ask["person"])
        if person is None:
            raise UnknownPerson()
        mine = messages_of(engine.entries, engine.tenant, person)
        wanted = (
            each
            for each in mine
            if campaign in ("", each.campaign)
            and status in ("", each.status)
            and beyond(each.message_id, after, newest=True)
        )
        return list(islice(wanted, limit))

    def _message(self, request: Request) -> Message:
        found = self._engine.moving.message(self._engine.tenant, request.path_params["message_id"])
        if found is None:
            raise NotFound(
                "There is no such message.",
                hint="GET /v1/messages, or `germane messages list`, has their ids.",
            )
        return found
