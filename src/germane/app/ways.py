"""The ways out that messages of campaigns may take: which of them, now, and what if it is not there."""

from __future__ import annotations

from collections.abc import Collection

from msgspec.structs import replace

from germane.app.library import Library
from germane.app.release import Later, Never
from germane.domain.campaign import WEBHOOK
from germane.domain.message import Message, Why
from germane.domain.profile import Profile
from germane.domain.sending import RETRY_FOR_S

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

    def as_now(self, message: Message) -> Message:
        """A message with the webhook that its campaign names by now. Where people approve it, that stays
        which it was made for: they agreed to that one."""
        campaign = self._library.campaigns.get(message.campaign)
        if campaign is None or message.channel != "webhook" or message.demands:
            return message
        place = campaign.step_at(message.step)
        if place is None or campaign.channel_of(campaign.steps[place]) != "webhook":
            return message
        return replace(message, webhook=campaign.webhook_of(campaign.steps[place]))

    def __call__(self, message: Message, person: Profile, now_ms: int) -> Later | Never | None:
        """A message of a campaign waits for a way that is not there; for days, and then no more."""
        if not message.campaign:
            return None  # to another program: whoever wrote it named its way
        text = self._missing(message.way)
        if not text:
            return None
        why = Why(now_ms, "channel.missing", text)
        if now_ms > (message.asked_ms or message.created_ms) + RETRY_FOR_S * 1000:
            return Never("skipped", why)
        return Later(now_ms + MISSING_S * 1000, why)

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
