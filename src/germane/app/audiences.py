"""Whom a campaign would reach, counted over everybody there is."""

from __future__ import annotations

from collections.abc import Iterator

from germane.app.accounts import Accounts
from germane.app.engine import Engine
from germane.app.release import address_of
from germane.app.sends import sends_of
from germane.app.strangers import known
from germane.deliver.audience import Member, Preview, preview
from germane.deliver.compiled import CLOCK
from germane.deliver.policy import policy_of
from germane.domain.campaign import Campaign, Step


def audience(engine: Engine, campaign: Campaign) -> Preview:
    """Counts by reason, as of now."""
    made = engine.library.compiled(campaign.name)
    source = campaign.enter.audience
    condition = made.condition(source, CLOCK) if made is not None and source else None
    step = campaign.steps[0] if campaign.steps else Step("", "")
    return preview(
        campaign,
        condition,
        _members(engine, campaign),
        policy_of(campaign, step, engine.settings.delivery),
        engine.settings,
        tenant=engine.tenant,
        now_ms=engine.world.now_ms(),
    )


def _members(engine: Engine, campaign: Campaign) -> Iterator[Member]:
    accounts = Accounts(engine.entries)
    now_ms, after = engine.world.now_ms(), ""
    while page := engine.store.profiles(engine.tenant, after=after):
        for profile in page:
            if known(profile, engine.settings, now_ms) is None:
                continue
            address = address_of(profile, campaign.channel)
            barred = engine.moving.suppressed(
                engine.tenant, campaign.channel, address, campaign.purpose
            )
            yield Member(
                profile,
                bool(address),
                barred is not None,
                sends_of(engine.entries, engine.tenant, profile.person),
                profile.account,
                accounts.traits(engine.tenant, profile.account),
            )
        after = page[-1].person
