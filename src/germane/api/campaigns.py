"""Content and campaigns: written, looked at, turned on and off."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from germane.api import wire
from germane.api.body import answer, parse
from germane.api.callers import Caller, caller_of
from germane.app.audiences import audience, in_words
from germane.app.channels import Ways
from germane.app.dropping import drop_waiting
from germane.app.engine import Engine
from germane.app.ledgers import enrolment_counts, message_counts
from germane.app.misnamed import Misnamed
from germane.app.outcomes import figures, gathered
from germane.app.readiness import missing_content, obstacles, users_of
from germane.config.campaign_written import as_table
from germane.config.campaigns import read_campaign
from germane.config.contents import from_json, to_json
from germane.domain.campaign import Campaign
from germane.domain.content import Content
from germane.domain.errors import (
    BadRequest,
    CannotSend,
    ContentInUse,
    ContentInvalid,
    Forbidden,
)
from germane.domain.message import Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentGone, ContentPut
from germane.generate.naming import wrong_names


class ContentBody(msgspec.Struct, rename="camel"):
    """A content item, as in its file: the reference of content files tells all names."""

    channel: str = "email"
    title: str = ""
    author: str = ""
    slots: list[dict[str, Any]] = []


class CampaignBody(msgspec.Struct):
    """A campaign, as in its file: the reference of campaign files tells all names."""

    title: str = ""
    author: str = ""
    channel: str = "email"
    content: str = ""
    enter: dict[str, Any] = {}


class Turn(wire.Wire):
    """How a campaign stands."""

    status: Literal["dry", "live", "paused", "ended"]
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class Campaigns:
    """Endpoints of content and campaigns. What an operator writes, with their token or in whose name the key
    is used, is known as theirs."""

    def __init__(self, engine: Engine, misnamed: Misnamed, ways: Ways | None = None) -> None:
        """``misnamed``: knows the purposes that there are. ``ways``: out that are configured; ``None``: not
        known, so not looked at."""
        self._engine = engine
        self._misnamed = misnamed
        self._ways = ways

    # -- content ---------------------------------------------------------------------------------

    async def contents(self, request: Request) -> Response:
        """``GET /v1/content``."""
        found = sorted(self._engine.library.contents.values(), key=lambda each: each.content_id)
        return answer({"content": [content_in_brief(each) for each in found]})

    async def content(self, request: Request) -> Response:
        """``GET /v1/content/{id}``."""
        return answer(content_view(self._content(request)))

    async def put_content(self, request: Request) -> Response:
        """``PUT /v1/content/{id}``: as in a content file."""
        caller = caller_of(request)
        body = await parse(request, dict[str, Any])
        try:
            content = from_json(body, request.path_params["content_id"])
        except ContentInvalid as error:
            raise BadRequest(error.message, hint=error.hint, **error.details) from None
        self._check_names(content)
        await self._engine.move([ContentPut(content, caller.name)])
        known = self._engine.library.contents[content.content_id]
        return answer({"success": True, **content_in_brief(known)})

    async def outcomes(self, request: Request) -> Response:
        """``GET /v1/content/{id}/outcomes``: what each variant brought, and the writer's against a person's.
        Other requests are answered meanwhile."""
        reading = gathered(self._engine, self._content(request))
        while True:
            try:
                next(reading)
            except StopIteration as ended:
                found = await asyncio.to_thread(figures, ended.value)
                return answer(found.view())
            await asyncio.sleep(0)

    async def delete_content(self, request: Request) -> Response:
        """``DELETE /v1/content/{id}``."""
        content = self._content(request)
        users = users_of(self._engine, content.content_id)
        if users:
            raise ContentInUse(
                f"Content {content.content_id} is said by {', '.join(users)}.", campaigns=users
            )
        await self._engine.move([ContentGone(content.content_id)])
        return answer({"success": True})

    def _check_names(self, content: Content) -> None:
        """Raises BadRequest where the ``when`` of a variant names what there is not."""
        for slot in content.slots:
            for variant in slot.variants:
                for wrong in wrong_names(content, slot, variant, self._engine.settings):
                    where = f"{slot.name}.{variant.id}.when"
                    raise BadRequest(f"{where}: {wrong.text}", hint=wrong.remedy)

    def _content(self, request: Request) -> Content:
        return self._engine.library.content(request.path_params["content_id"])

    # -- campaigns -------------------------------------------------------------------------------

    async def campaigns(self, request: Request) -> Response:
        """``GET /v1/campaigns``."""
        sent = message_counts(self._engine)
        found = sorted(self._engine.library.campaigns.values(), key=lambda each: each.name)
        return answer({"campaigns": [in_brief(each, sent.get(each.name, {})) for each in found]})

    async def campaign(self, request: Request) -> Response:
        """``GET /v1/campaigns/{name}``."""
        found = self._campaign(request)
        view = self._standing(found.name)
        view["enrolments"] = enrolment_counts(self._engine).get(found.name, {})
        view["definition"] = as_table(found)
        view["obstacles"] = self._obstacles(found)
        return answer(view)

    async def put_campaign(self, request: Request) -> Response:
        """``PUT /v1/campaigns/{name}``: as in a campaign file. A new one is dry."""
        caller = caller_of(request)
        body = await parse(request, dict[str, Any])
        name = request.path_params["campaign"]
        made = read_campaign(name, body, self._engine.settings)
        check_demand(caller, self._engine.library.campaigns.get(name), made.campaign)
        found = self._of_new_form(made.campaign)
        unknown = missing_content(made.campaign, self._engine)
        await self._engine.move([CampaignPut(made.campaign, caller.name)])
        view = {**self._standing(name), "missingContent": unknown, "obstacles": found}
        warnings = [each._asdict() for each in self._misnamed.in_campaign(made.campaign)]
        return answer({"success": True, **view, "warnings": warnings})

    async def turn(self, request: Request) -> Response:
        """``POST /v1/campaigns/{name}/status``. What waits in one that ends, or is dry again, is taken back
        when it is answered."""
        campaign = self._campaign(request)
        body = await parse(request, Turn)
        if body.status == "live":
            self._refuse(campaign)
        why = Why(self._engine.world.now_ms(), "turned", body.reason or "By the API.")
        await self._engine.move([CampaignTurned(campaign.name, body.status, why)])
        await drop_waiting(self._engine, campaign.name)
        return answer({"success": True, **self._standing(campaign.name)})

    async def preview(self, request: Request) -> Response:
        """``GET /v1/campaigns/{name}/audience``: whom it would reach now, and why not the others."""
        campaign = self._campaign(request)
        found = await audience(self._engine, campaign)
        return answer(
            {
                "campaign": campaign.name,
                "people": found.people,
                "matches": found.matches,
                "counts": found.counts,
                "words": {code: in_words(code, campaign) for code in found.counts},
                "notKnown": found.unknown,
                "ofAnotherType": found.untold,
                "whyOfAnotherType": found.why_untold,
                "sample": list(found.sample) if "people.read" in caller_of(request).allowed else [],
            }
        )

    def _standing(self, name: str) -> dict[str, Any]:
        counts = message_counts(self._engine).get(name, {})
        return in_brief(self._engine.library.campaigns[name], counts)

    def _campaign(self, request: Request) -> Campaign:
        return self._engine.library.campaign(request.path_params["campaign"])

    def _obstacles(self, campaign: Campaign) -> list[dict[str, str]]:
        found = obstacles(self._engine, campaign, self._ways)
        return [{"text": each.text, "remedy": each.remedy} for each in found]

    def _refuse(self, campaign: Campaign) -> None:
        """Raises CannotSend where nothing could go out."""
        found = self._obstacles(campaign)
        if found:
            raise cannot_send(f"{campaign.name} cannot go live", found)

    def _of_new_form(self, campaign: Campaign) -> list[dict[str, str]]:
        """What would keep a campaign from sending. Raises CannotSend where it is live: what goes out now
        would stop going out."""
        known = self._engine.library.campaigns.get(campaign.name)
        status = known.status if known is not None else "dry"
        found = self._obstacles(replace(campaign, status=status))
        if found and status == "live":
            raise cannot_send(f"{campaign.name} is live, and could not send like this", found)
        return found


def cannot_send(what: str, found: list[dict[str, str]]) -> CannotSend:
    """With everything that is in the way."""
    return CannotSend(
        f"{what}: {' '.join(each['text'] for each in found)}",
        hint=" ".join(each["remedy"] for each in found),
        obstacles=found,
    )


def check_demand(caller: Caller, before: Campaign | None, after: Campaign) -> None:
    """Raises Forbidden where somebody would change whose approval a campaign needs, and may not: else who
    writes one could do without."""
    if caller.operator is None or "admin" in caller.operator.roles or before is None:
        return
    if _demand(before) != _demand(after):
        raise Forbidden(
            f"{caller.name} may not change [approval], whether it is transactional, or the channels of "
            f"{after.name}: they decide who must approve it.",
            hint="It takes the role admin, or the server key in nobody's name.",
        )


def _demand(campaign: Campaign) -> tuple[Any, bool, set[str]]:
    channels = {campaign.channel_of(each) for each in campaign.steps}
    return campaign.approval, campaign.transactional, {campaign.channel, *channels}


def content_in_brief(content: Content) -> dict[str, Any]:
    """What a list says of it."""
    return {
        "contentId": content.content_id,
        "version": content.version,
        "channel": content.channel,
        "title": content.title,
        "author": content.author or None,
        "putBy": content.put_by or None,
        "slots": [each.name for each in content.slots],
        "unapproved": sum(not v.approved for each in content.slots for v in each.variants),
    }


def content_view(content: Content) -> dict[str, Any]:
    """All of it."""
    return {**content_in_brief(content), "definition": to_json(content)}


def in_brief(campaign: Campaign, messages: dict[str, int]) -> dict[str, Any]:
    """What a list says of a campaign."""
    return {
        "campaign": campaign.name,
        "title": campaign.title,
        "author": campaign.author or None,
        "putBy": campaign.put_by or None,
        "status": campaign.status,
        "version": campaign.version,
        "channel": campaign.channel,
        "purpose": campaign.purpose,
        "entersBy": campaign.enter.kind,
        "steps": [each.name for each in campaign.steps],
        "contents": list(dict.fromkeys(each.content for each in campaign.steps)),
        "messages": messages,
    }
