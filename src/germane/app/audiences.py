"""Whom a campaign would reach, counted over everybody there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from germane.app.accounts import Accounts
from germane.app.engine import Engine
from germane.app.release import address_of
from germane.app.sends import sends_of
from germane.app.strangers import known
from germane.deliver.audience import Member, Preview, preview
from germane.deliver.channels.mailbox import is_address
from germane.deliver.compiled import CLOCK
from germane.deliver.policy import policy_of
from germane.domain.campaign import Campaign, Step
from germane.domain.profile import Profile

ADDRESSES = {"email": "no e-mail address is known", "inapp": "they cannot be reached in the app"}


def in_words(code: str, campaign: Campaign) -> str:
    """What a code of ``deliver.audience.ORDER`` says of the people who are counted under it."""
    return {
        "no_match": "not meant: the condition does not hold of them",
        "late": "its time is over on their clock",
        "suppressed": "the address is not written to: it bounced, complained or unsubscribed",
        "no_address": ADDRESSES.get(campaign.channel, "no address is known"),
        "bad_address": "what is known as their e-mail address is none: nothing can be sent to it",
        "no_consent": f"no consent to {campaign.purpose}",
        "held_out": f"held out ({campaign.holdout_share:.0%}), so that the effect can be measured",
        "capped": "as many messages as the caps allow, for now",
        "reached": "would get it",
    }[code]


def audience(engine: Engine, campaign: Campaign) -> Preview:
    """Counts by reason, as of now."""
    return _counted(engine, campaign, _members(engine, campaign))


def standing(engine: Engine, campaign: Campaign, person: Profile) -> str:
    """Under which reason one person would be counted, as of now: a code of ``deliver.audience.ORDER``."""
    member = _member(engine, campaign, person, Accounts(engine.entries))
    counts = _counted(engine, campaign, [member]).counts
    return next(code for code, count in counts.items() if count)


def _counted(engine: Engine, campaign: Campaign, members: Iterable[Member]) -> Preview:
    made = engine.library.compiled(campaign.name)
    enter = campaign.enter
    source = enter.when if enter.schedule else enter.audience
    condition = made.condition(source, CLOCK) if made is not None and source else None
    step = campaign.steps[0] if campaign.steps else Step("", "")
    return preview(
        campaign,
        condition,
        members,
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
            yield _member(engine, campaign, profile, accounts)
        after = page[-1].person


def _member(engine: Engine, campaign: Campaign, profile: Profile, accounts: Accounts) -> Member:
    address = address_of(profile, campaign.channel)
    barred = engine.moving.suppressed(engine.tenant, campaign.channel, address, campaign.purpose)
    return Member(
        profile,
        bool(address),
        campaign.channel == "email" and not is_address(address),
        barred is not None,
        sends_of(engine.entries, engine.tenant, profile.person),
        profile.account,
        accounts.traits(engine.tenant, profile.account),
    )
