"""Whom a campaign would reach, counted over everybody there is."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from germane.app.accounts import Accounts
from germane.app.engine import Engine
from germane.app.enrolling import key_of
from germane.app.pace import Pace
from germane.app.release import address_of
from germane.app.sends import sends_of
from germane.app.strangers import known
from germane.deliver.audience import Count, Member, Preview
from germane.deliver.channels.mailbox import is_address
from germane.deliver.compiled import CLOCK
from germane.deliver.counting import may_enter
from germane.deliver.policy import policy_of
from germane.domain.campaign import Campaign, Step
from germane.domain.enrolment import Enrolment
from germane.domain.profile import Profile
from germane.privacy.ledger import yes_ms
from germane.profile.interests import placed

ADDRESSES = {"email": "no e-mail address is known", "inapp": "they cannot be reached in the app"}
_decode = msgspec.msgpack.Decoder(Enrolment).decode


def in_words(code: str, campaign: Campaign) -> str:
    """What a code of ``deliver.audience.ORDER`` says of the people who are counted under it."""
    return {
        "no_match": "not meant: the condition does not hold of them",
        "late": "its time is over on their clock",
        "was_in": "in it already, or were: they do not come in again",
        "suppressed": "the address is not written to: it bounced, complained or unsubscribed",
        "no_address": ADDRESSES.get(campaign.channel, "no address is known"),
        "bad_address": "what is known as their e-mail address is none: nothing can be sent to it",
        "no_consent": f"no consent to {campaign.purpose}",
        "held_out": f"held out ({campaign.holdout_share:.0%}), so that the effect can be measured",
        "capped": "as many messages as the caps allow, for now",
        "reached": "would get it",
    }[code]


async def audience(engine: Engine, campaign: Campaign) -> Preview:
    """Counts by reason, as of now. Others are served meanwhile."""
    count, accounts, pace = _count(engine, campaign), Accounts(engine.entries), Pace()
    now_ms, after = engine.world.now_ms(), ""
    while page := engine.store.profiles(engine.tenant, after=after):
        people = [each for each in page if known(each, engine.settings, now_ms) is not None]
        if campaign.enter.per == "person":
            keys = {key_of(campaign.name, each.person): each.person for each in people}
            engine.entries.prepare(engine.tenant, "enrolment", keys)
        for each in people:
            count.add(_member(engine, campaign, each, accounts))
            await pace.breathe()
        after = page[-1].person
    return count.found()


def standing(engine: Engine, campaign: Campaign, person: Profile) -> str:
    """Under which reason one person would be counted, as of now: a code of ``deliver.audience.ORDER``."""
    count = _count(engine, campaign)
    count.add(_member(engine, campaign, person, Accounts(engine.entries)))
    return next(code for code, number in count.found().counts.items() if number)


def _count(engine: Engine, campaign: Campaign) -> Count:
    made = engine.library.compiled(campaign.name)
    enter = campaign.enter
    source = enter.when if enter.schedule else enter.audience
    condition = made.condition(source, CLOCK) if made is not None and source else None
    step = campaign.steps[0] if campaign.steps else Step("", "")
    return Count(
        campaign,
        condition,
        policy_of(campaign, step, engine.settings.delivery),
        engine.settings,
        tenant=engine.tenant,
        now_ms=engine.world.now_ms(),
    )


def _member(engine: Engine, campaign: Campaign, profile: Profile, accounts: Accounts) -> Member:
    address = address_of(profile, campaign.channel)
    agreed_ms = yes_ms(profile, campaign.purpose)
    barred = engine.moving.suppressed(
        engine.tenant, campaign.channel, address, campaign.purpose, agreed_ms
    )
    return Member(
        placed(profile, engine.item, engine.settings),
        bool(address),
        campaign.channel == "email" and not is_address(address),
        _was_in(engine, campaign, profile.person),
        barred is not None,
        sends_of(engine.entries, engine.tenant, profile.person),
        profile.account,
        accounts.traits(engine.tenant, profile.account),
    )


def _was_in(engine: Engine, campaign: Campaign, person: str) -> bool:
    """Whether they do not come in as of now because they are in it, or were. What happened while it was dry
    keeps nobody out."""
    if campaign.enter.per != "person":
        return False
    entry = engine.entries.get(engine.tenant, "enrolment", key_of(campaign.name, person))
    if entry is None:
        return False
    state = _decode(entry.body)
    running = replace(campaign, status="live")
    return not state.dry and may_enter(running, state, engine.world.now_ms()) is not None
