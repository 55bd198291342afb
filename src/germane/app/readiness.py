"""What stands in the way of a campaign that is to go live, found out before anybody waits for it."""

from __future__ import annotations

import msgspec

from germane.app.approvable import unmeetable
from germane.app.channels import Ways
from germane.app.engine import Engine
from germane.config.approvals import no_webhook, only_reminds, stored, unnamed_webhook
from germane.deliver import never
from germane.domain.campaign import WEBHOOK, Campaign, way_out
from germane.domain.content import Content

ALWAYS = ("inapp",)
"""Channels that need no configuration: the person comes and fetches."""


class Obstacle(msgspec.Struct, frozen=True):
    """One reason why nothing could go out."""

    text: str
    remedy: str


NO_UNSUBSCRIBE = Obstacle(
    "An e-mail needs an address to unsubscribe, and this server does not know its own.",
    'Set base_url under [links], such as "https://mail.shop.example", and start the server again.',
)


def obstacles(engine: Engine, campaign: Campaign, ways: Ways | None = None) -> list[Obstacle]:
    """Everything that keeps a campaign from sending.

    Args:
        engine: What knows the content.
        campaign: The campaign.
        ways: Those out that are configured; ``None``: not known here, so not looked at.
    """
    found = []
    for step in campaign.steps:
        content = engine.library.contents.get(step.content)
        channel = campaign.channel_of(step)
        way = way_out(channel, campaign.webhook_of(step))
        if content is None:
            found.append(
                Obstacle(
                    f"There is no content {step.content!r}.",
                    f"Write content/{step.content}.toml and run `germane content push`.",
                )
            )
        else:
            found += _of_content(content, channel)
        if ways is not None and not _goes(way, ways):
            found.append(_no_way(way, ways))
        elif ways is not None and channel == "email" and not campaign.transactional:
            found += [] if ways.links else [NO_UNSUBSCRIBE]
    if ways is not None:
        found += _of_reminders(campaign, ways)
    found += _never(engine, campaign)
    found += [Obstacle(*each) for each in unmeetable(engine, campaign, amounts=False)]
    known = engine.library.campaigns.get(campaign.name)
    same = known is not None and known.version == campaign.version
    if same and engine.library.compiled(campaign.name) is None:
        found.append(
            Obstacle(
                "A condition of it cannot be read any more: the configuration has changed.",
                "`germane check` says which one; mend it and run `germane campaign push`.",
            )
        )
    return list(dict.fromkeys(found))


def _goes(way: str, ways: Ways) -> bool:
    """Whether a campaign may send by it."""
    return way in (*ALWAYS, *ways.channels) and way not in _reminding(ways)


def _reminding(ways: Ways) -> set[str]:
    """Ways out that no campaign may take."""
    return {WEBHOOK + each for each in ways.reminding}


def _no_way(way: str, ways: Ways) -> Obstacle:
    """A channel that is not there; or a webhook that is not named, or not for campaigns."""
    found = [each.removeprefix(WEBHOOK) for each in ways.channels if each.startswith(WEBHOOK)]
    names = sorted({*found} - {*ways.reminding})
    name = way.removeprefix(WEBHOOK)
    if way in _reminding(ways):
        return Obstacle(*only_reminds(name, names))
    if way.startswith(WEBHOOK):
        return Obstacle(*no_webhook(name, names, "Its messages"))
    if way == "webhook" and len(names) > 1:
        return Obstacle(*unnamed_webhook(names))
    table = "webhook.NAME" if way == "webhook" else way
    return Obstacle(
        f"No channel {way!r} is configured.",
        f"Add [channels.{table}] to the configuration, and start the server again.",
    )


def _of_reminders(campaign: Campaign, ways: Ways) -> list[Obstacle]:
    policy = stored(campaign.approval)
    names = [each.removeprefix(WEBHOOK) for each in ways.channels if each.startswith(WEBHOOK)]
    if policy is None or not policy.remind_by or policy.remind_by in names:
        return []
    return [Obstacle(*no_webhook(policy.remind_by, names))]


def _never(engine: Engine, campaign: Campaign) -> list[Obstacle]:
    """Times that are over, or never come. Who is in a campaign that was live goes on, whatever its audience's
    time: it may be paused and go on."""
    found = list(never.all_closed(campaign, engine.settings.delivery))
    past = never.over(campaign, engine.world.now_ms())
    if past is not None and campaign.status in ("dry", "ended"):
        found.append(past)
    return [Obstacle(each.text[0].upper() + each.text[1:], each.remedy) for each in found]


def missing_content(campaign: Campaign, engine: Engine) -> list[str]:
    """Content that a campaign names and that is not there."""
    known = engine.library.contents
    return sorted({step.content for step in campaign.steps if step.content not in known})


def users_of(engine: Engine, content_id: str) -> list[str]:
    """Campaigns that say a content item and have not ended."""
    return sorted(
        each.name
        for each in engine.library.campaigns.values()
        if each.status != "ended" and any(step.content == content_id for step in each.steps)
    )


def _of_content(content: Content, channel: str) -> list[Obstacle]:
    found = []
    carried = "webhook" if channel == "crm" else channel
    if content.channel != carried:
        found.append(
            Obstacle(
                f"Content {content.content_id!r} is written for {content.channel}, and would go by {channel}.",
                f'Write channel = "{carried}" in the content, or another channel in the campaign.',
            )
        )
    found += [
        Obstacle(
            f"Nothing is approved in slot {slot.name!r} of content {content.content_id!r}.",
            f"Read it, set approved = true in content/{content.content_id}.toml, and push it.",
        )
        for slot in content.slots
        if slot.required and slot.variants and not slot.open
    ]
    return found
