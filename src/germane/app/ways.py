"""The ways out that messages of campaigns may take: which of them, now, and what if it is not there."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from germane.app.library import Library
from germane.app.release import Later
from germane.domain.campaign import WEBHOOK, Campaign
from germane.domain.message import Message, Why
from germane.domain.profile import Profile

MISSING_S = 900
"""A message whose way out is not there is looked at again after so many seconds."""


class WaysOut:
    """Of one server: a change of the configuration comes with its next start."""

    def __init__(
        self, library: Library, channels: Collection[str], reserved: Collection[str] = ()
    ) -> None:
        """``channels``: what there is, by name; ``reserved``: those of them that no campaign may use."""
        self._library = library
        self._channels = channels
        self._reserved = reserved
        free = [x for x in channels if x.startswith(WEBHOOK) and x not in reserved]
        self._only = free[0].removeprefix(WEBHOOK) if len(free) == 1 else ""

    def named(self, campaign: Campaign, message: Message) -> Message:
        """A message with the name of the webhook that a form of its campaign sends it by, also where the
        campaign names none because there is only one: so it is known by what it went, whatever comes."""
        place = campaign.step_at(message.step)
        if message.channel != "webhook" or place is None:
            return message
        step = campaign.steps[place]
        if campaign.channel_of(step) != "webhook":
            return message
        return replace(message, webhook=campaign.webhook_of(step) or self._only)

    def as_now(self, message: Message) -> Message:
        """A message with the webhook that its campaign names by now. Where people approve it, that stays
        which it was made for: they agreed to that one."""
        campaign = self._library.campaigns.get(message.campaign)
        return message if campaign is None or message.demands else self.named(campaign, message)

    def __call__(self, message: Message, person: Profile, now_ms: int) -> Later | None:
        """A message of a campaign waits for a way that is not there, as long as it is of use at all."""
        if not message.campaign:
            return None  # to another program: whoever wrote it named its way
        text = self._missing(message.way)
        if not text:
            return None
        return Later(now_ms + MISSING_S * 1000, Why(now_ms, "channel.missing", text))

    def _missing(self, way: str) -> str:
        """What is wrong with it; empty: nothing."""
        if way in self._reserved:
            name = way.removeprefix(WEBHOOK)
            return f"The webhook {name!r} is for reminders of approvals alone."
        if way in self._channels:
            return ""
        if way == "webhook" and any(each.startswith(WEBHOOK) for each in self._channels):
            return "It goes by webhook, and its campaign does not say by which."
        return f"There is no channel {way!r}."
