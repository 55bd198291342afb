"""Routes of content, campaigns and messages."""

from __future__ import annotations

from germane.api import campaigns, messages
from germane.api.campaigns import Campaigns
from germane.api.endpoint import Endpoint
from germane.api.messages import MOST, Messages
from germane.app.channels import Ways
from germane.app.engine import Engine
from germane.app.misnamed import Misnamed


def delivery(engine: Engine, misnamed: Misnamed, ways: Ways | None = None) -> list[Endpoint]:
    """All of them. ``ways``: those out that are configured; ``None``: not known."""
    on = Campaigns(engine, misnamed, ways)
    return [*_content(on), *_campaigns(on), *_messages(Messages(engine, ways))]


def _content(on: Campaigns) -> list[Endpoint]:
    tag, one = "Content", "/v1/content/{content_id}"
    return [
        Endpoint("GET", "/v1/content", on.contents, "What is written", tag, "content.read"),
        Endpoint("GET", one, on.content, "One content item", tag, "content.read", also=(404,)),
        Endpoint(
            "GET",
            one + "/outcomes",
            on.outcomes,
            "What each variant brought, and the writer's texts against a person's",
            tag,
            "reports.read",
            also=(404,),
        ),
        Endpoint(
            "PUT",
            one,
            on.put_content,
            "Write a content item, as in its file",
            tag,
            "content.write",
            body=campaigns.ContentBody,
        ),
        Endpoint(
            "DELETE",
            one,
            on.delete_content,
            "Take a content item away",
            tag,
            "content.write",
            also=(404,),
        ),
    ]


def _campaigns(on: Campaigns) -> list[Endpoint]:
    tag, one = "Campaigns", "/v1/campaigns/{campaign}"
    return [
        Endpoint(
            "GET", "/v1/campaigns", on.campaigns, "Campaigns, and what they have sent", tag, "campaigns.read"
        ),
        Endpoint("GET", one, on.campaign, "One campaign", tag, "campaigns.read", also=(404,)),
        Endpoint(
            "PUT", one, on.put_campaign, "Write a campaign, as in its file; a new one is dry", tag,
            "campaigns.write", body=campaigns.CampaignBody,
        ),
        Endpoint(
            "GET", one + "/audience", on.preview,
            "Whom it would reach now, and why not the others", tag, "campaigns.read", also=(404,),
        ),
        Endpoint(
            "POST", one + "/status", on.turn, "Let a campaign go live, pause it, end it", tag, "campaigns.run",
            body=campaigns.Turn, also=(404,),
        ),
    ]  # fmt: skip


def _messages(on: Messages) -> list[Endpoint]:
    tag, one = "Messages", "/v1/messages/{message_id}"
    return [
        Endpoint(
            "GET", "/v1/messages", on.page, "The outbox", tag, "people.read",
            query=(("limit", 1, MOST),), texts=("campaign", "status", "person", "after"), also=(404,),
        ),
        Endpoint(
            "GET", one, on.one, "One message, with its text and its reasons", tag, "people.read", also=(404,)
        ),
        Endpoint(
            "POST", one + "/resolve", on.resolve,
            "Say whether a message arrived of which nobody knew", tag, "campaigns.run", body=messages.Doubt,
            also=(404,),
        ),
        Endpoint(
            "POST", one + "/cancel", on.cancel, "A message that waits will not go out", tag, "campaigns.run",
            body=messages.Reason, also=(404,),
        ),
        Endpoint(
            "GET", "/v1/why-not", on.why_not, "Why somebody has, or has not, had a campaign's message",
            tag, "people.read", texts=("person", "campaign"), also=(404,),
        ),
        Endpoint("GET", "/v1/switch", on.switches, "Kill switches that are on", tag, "campaigns.read"),
        Endpoint(
            "POST", "/v1/switch", on.switch, "Stop sending, or go on", tag, "campaigns.run", body=messages.Kill,
            also=(404,),
        ),
    ]  # fmt: skip
