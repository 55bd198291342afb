"""Whom a campaign had a message for, and whom it had one for and held back: from the ledger.

All count who got as far as a message, whatever became of it: those of the holdout would have met the same caps,
addresses and nights.
"""

from __future__ import annotations

from collections.abc import Generator

from germane.app.engine import Engine
from germane.app.lift.people import HELD_OUT, PERSONALISED, People
from germane.app.outcomes.made import key_of
from germane.deliver import outbox
from germane.domain.campaign import Campaign, held_out
from germane.domain.message import Message

PAGE = 500
HOLDOUT = "holdout"
"""Code of the reason why nothing goes out to whoever is held out."""


def people_of(engine: Engine, campaign: Campaign) -> Generator[int, None, People]:
    """Read its messages; yields how many more were read, returns what was found."""
    found, after = People("campaign", campaign.name, campaign.holdout_share), ""
    entries, tenant = engine.entries, engine.tenant
    while page := entries.page(tenant, "message", topic=campaign.name, after=after, limit=PAGE):
        for each in page:
            message = outbox.read(each)
            if message.person:
                arm = _arm(message, campaign, tenant)
                found.met(key_of(message.person), arm, message.created_ms)
        after = page[-1].key
        yield len(page)
    return found


def _arm(message: Message, campaign: Campaign, tenant: str) -> int:
    """As it was, where that is known; of what was dropped before it came to that, as it would have been."""
    if any(each.code == HOLDOUT for each in message.whys):
        return HELD_OUT
    if message.status in ("queued", "claimed", "sent", "ambiguous", "failed"):
        return PERSONALISED
    return HELD_OUT if held_out(campaign, tenant, message.person) else PERSONALISED
