"""The audit of campaign files: can they be read, do they say content that is there, on a channel that fits."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from germane.config.approvals import no_webhook, only_reminds, stored, unnamed_webhook
from germane.config.audit_delivery import audit_campaigns
from germane.config.campaigns import read_folder
from germane.config.contents import load_content
from germane.config.finding import Finding
from germane.domain.campaign import Campaign
from germane.domain.content import Content
from germane.domain.errors import ConfigInvalid
from germane.domain.near import did_you_mean
from germane.domain.settings import Settings


def audit_folder(
    settings: Settings,
    campaigns: Path,
    contents: Path,
    webhooks: Collection[str] = (),
    reminding: Collection[str] = (),
    *,
    now_ms: int | None = None,
) -> list[Finding]:
    """Findings about all campaigns of a folder; none where there is no such folder.

    Args:
        settings: The declaration that their conditions speak of.
        campaigns: Where the campaign files are.
        contents: Where the content files are.
        webhooks: Names of those that are configured.
        reminding: Names of those among them that no campaign may send by.
        now_ms: For what has a time that may be over; ``None``: that is not looked at.
    """
    read, wrong = read_folder(campaigns, settings)
    unread = [
        Finding(
            "", "campaigns", "error", ": ".join(filter(None, (each.key, each.problem))), each.remedy
        )
        for each in wrong
    ]
    written = _contents(contents)
    found = [finding for made in read.values() for finding in _said(made.campaign, written)]
    for made in read.values():
        found += [*_reminds(made.campaign, webhooks), *_goes_by(made.campaign, webhooks, reminding)]
    return [*unread, *audit_campaigns(read, settings, now_ms), *found]


def _contents(folder: Path) -> dict[str, Content | None]:
    """By name; ``None``: it cannot be read, which the audit of content tells."""
    found: dict[str, Content | None] = {}
    for path in sorted(folder.glob("*.toml")):
        try:
            found[path.stem] = load_content(path)
        except ConfigInvalid:
            found[path.stem] = None
    return found


def _reminds(campaign: Campaign, webhooks: Collection[str]) -> list[Finding]:
    """The webhook that reminds of its approvals is there."""
    policy = stored(campaign.approval)
    if policy is None or not policy.remind_by or policy.remind_by in webhooks:
        return []
    text, remedy = no_webhook(policy.remind_by, webhooks)
    return [Finding("", "campaigns", "error", f"campaigns/{campaign.name}: {text}", remedy)]


def _goes_by(
    campaign: Campaign, webhooks: Collection[str], reminding: Collection[str]
) -> list[Finding]:
    """Each step that goes by webhook names one that is there and for campaigns, or there is only one."""
    open_to = [each for each in webhooks if each not in reminding]
    found = {}
    for step in campaign.steps:
        name = campaign.webhook_of(step)
        if name in reminding:
            found[step.name] = only_reminds(name, open_to)
        elif name and name not in webhooks:
            found[step.name] = no_webhook(name, open_to, "Its messages")
        elif not name and campaign.channel_of(step) == "webhook" and len(open_to) > 1:
            found[step.name] = unnamed_webhook(open_to)
    one = len(campaign.steps) == 1
    return [
        Finding(
            "",
            "campaigns",
            "error",
            f"campaigns/{campaign.name}: {'' if one else f'step {name}: '}{text}",
            remedy,
        )
        for name, (text, remedy) in found.items()
    ]


def _said(campaign: Campaign, contents: dict[str, Content | None]) -> list[Finding]:
    """Content that a campaign names: it is there, and written for its channel."""
    path, found = f"campaigns/{campaign.name}", []
    for step in campaign.steps:
        content, channel = contents.get(step.content), campaign.channel_of(step)
        carried = "webhook" if channel == "crm" else channel
        if step.content not in contents:
            text = f"{path}: there is no content {step.content!r}."
            remedy = did_you_mean(step.content, contents) if contents else ""
            remedy = f"Write content/{step.content}.toml. {remedy}".strip()
            found.append(Finding("", "campaigns", "error", text, remedy))
        elif content is not None and content.channel != carried:
            text = f"{path}: content {step.content!r} is written for {content.channel}, not for {carried}."
            remedy = "Change the channel of one of the two."
            found.append(Finding("", "campaigns", "error", text, remedy))
    return found
