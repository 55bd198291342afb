"""Consent that is given a moment after what lets somebody in: they are let in after all, once, in time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.enrolling import key_of
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.campaign import Campaign, Enter, Leave, Step, Wait
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated
from germane.domain.settings import Settings
from germane.testing import FakeWorld, an_event
from germane.testing.builders import an_item
from germane.testing.world import START_MS
from tests.unit.app.test_enrolling import AT_ONCE, SAID, messages, state_of, worked
from tests.unit.app.test_opted_out_messages import letter
from tests.unit.app.test_posting import FakeChannel

HOUR_S = 3_600
PURPOSE = "email_marketing"


@pytest.fixture
def engine(tmp_path: Path, shop: Settings) -> Iterator[Engine]:
    """Nothing holds a message back but consent."""
    shop = replace(shop, delivery=AT_ONCE)
    made = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
    with made.importer() as importer:
        importer.add_items([an_item(n) for n in range(3)])
    yield made
    made.store.close()


def welcome(**changed: object) -> Campaign:
    """One mail at sign-up."""
    campaign = Campaign(
        "welcome", enter=Enter(event="Signed Up"), steps=(Step("mail", "letter"),),
        goal=Leave(event="Order Completed"),
    )  # fmt: skip
    return replace(campaign, **changed)


def audience(condition: str, fresh_s: int = 86_400) -> Campaign:
    """Everybody of whom something holds, an hour before the tests begin."""
    at = datetime.fromtimestamp(START_MS // 1000 - HOUR_S, UTC).isoformat()
    return welcome(enter=Enter(audience=condition, at=at, fresh_s=fresh_s))


def live(engine: Engine, campaign: Campaign) -> None:
    """Written, and live."""
    turned = CampaignTurned(campaign.name, "live", SAID)
    engine.put_moves([ContentPut(letter()), CampaignPut(campaign), turned])


def signs_up(engine: Engine, user: str = "u1") -> None:
    """An address, and the event; no word of consent."""
    traits = {"email": f"{user}@example.org"}
    engine.accept_now(
        [
            an_event("", kind="identify", user=user, traits=traits),
            an_event("Signed Up", user=user, at_ms=engine.world.now_ms()),
        ]
    )


def says(engine: Engine, *, yes: bool = True, person: str = "u:u1", purpose: str = PURPOSE) -> None:
    """Yes or no."""
    engine.put_moves([Stated(person, purpose, yes, "test")])


def later(engine: Engine, seconds: float) -> None:
    engine.world.advance(seconds=seconds)  # type: ignore[attr-defined]


def stands(engine: Engine) -> list[str]:
    """Of the messages, oldest first."""
    return [each.status for each in sorted(messages(engine), key=lambda x: x.created_ms)]


def test_consent_a_few_seconds_after_the_event_that_lets_them_in(engine: Engine) -> None:
    """They are let in after all, and get it once; the log alone tells the same."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    assert stands(engine) == ["skipped"]
    later(engine, 3)
    says(engine)
    worked(engine, channel)
    assert stands(engine) == ["skipped", "sent"]
    assert [each.to for each in channel.sent] == ["u1@example.org"]
    state = state_of(engine, "welcome", "u:u1")
    assert (state.phase, state.entry, state.sent, state.lacked) == ("done", 2, ("mail",), False)
    later(engine, 3)
    says(engine, yes=False)
    says(engine)
    worked(engine, channel, hours=30)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_what_it_is_filled_from_is_the_event_that_let_them_in(engine: Engine) -> None:
    """Not the consent: what the text says of the event holds."""
    live(engine, welcome())
    signs_up(engine)
    worked(engine, FakeChannel())
    cause = state_of(engine, "welcome", "u:u1").cause_seq
    says(engine)
    worked(engine, FakeChannel())
    assert cause > 0
    assert {each.cause_seq for each in messages(engine)} == {cause}


def test_an_audience_whose_time_was_before_the_consent(engine: Engine) -> None:
    """Whoever signs up within a day of it is looked at as they come, and once more as they consent."""
    live(engine, audience("profile.evidence >= 0.0"))
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    assert stands(engine) == ["skipped"]
    later(engine, 1)
    says(engine)
    worked(engine, channel)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_an_audience_that_asks_for_consent_itself(engine: Engine) -> None:
    """Its condition did not hold when it looked; when consent comes it is asked again, and only then."""
    live(engine, audience(f"profile.consent['{PURPOSE}'] == true"))
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    assert (stands(engine), state_of(engine, "welcome", "u:u1").entry) == ([], 0)
    later(engine, 1)
    says(engine)
    worked(engine, channel)
    assert len(channel.sent) == 1
    says(engine, yes=False)
    says(engine)
    worked(engine, channel)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


@pytest.mark.parametrize(
    "condition", ["profile.evidence >= 0.0", f"has(profile.consent.{PURPOSE})"]
)
def test_the_window_is_over(engine: Engine, condition: str) -> None:
    """Consent that comes later than ``enter.fresh`` after it lets nobody in."""
    live(engine, audience(condition, fresh_s=2 * HOUR_S))
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    later(engine, HOUR_S + 1)
    says(engine)
    worked(engine, channel)
    assert channel.sent == []
    assert state_of(engine, "welcome", "u:u1").given_ms == 0


def test_the_clock_looked_too_late(engine: Engine) -> None:
    """The server stood still after the consent: what is old lets nobody in, as everywhere."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    says(engine)
    worked(engine, channel, hours=25)
    assert channel.sent == []
    state = state_of(engine, "welcome", "u:u1")
    assert state.reason is not None
    assert (state.reason.code, state.given_ms, state.lacked) == ("late", 0, False)


def test_the_deadline_counts_from_the_event(engine: Engine) -> None:
    """A message that is of no use any more does not go out because consent came late."""
    campaign = welcome()
    live(engine, replace(campaign, send=replace(campaign.send, deadline_s=HOUR_S)))
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    later(engine, 2 * HOUR_S)
    says(engine)
    worked(engine, channel)
    assert (channel.sent, stands(engine)) == ([], ["skipped", "skipped"])


def test_another_purpose_lets_nobody_in(engine: Engine) -> None:
    """What the message lacked is still lacking."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    says(engine, purpose="cross_site_tracking")
    worked(engine, channel)
    assert (channel.sent, len(messages(engine))) == ([], 1)


def test_withdrawn_again_before_the_clock_looked(engine: Engine) -> None:
    """A yes that stands no more sends nothing: the claim asks for it again."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    says(engine)
    says(engine, yes=False)
    worked(engine, channel)
    assert channel.sent == []


def test_taken_back_by_a_no_and_a_yes_shortly_after(engine: Engine) -> None:
    """Whoever waited, said no and thought better of it is in again, from the moment that let them in."""
    live(engine, welcome(steps=(Step("mail", "letter", wait=Wait(for_s=2 * HOUR_S)),)))
    channel = FakeChannel()
    says(engine)
    signs_up(engine)
    worked(engine, channel)
    says(engine, yes=False)
    assert state_of(engine, "welcome", "u:u1").phase == "done"
    later(engine, HOUR_S)
    says(engine)
    worked(engine, channel)
    state = state_of(engine, "welcome", "u:u1")
    assert (state.phase, state.due_ms) == ("waiting", START_MS + 2 * HOUR_S * 1000)
    worked(engine, channel, hours=1)
    assert len(channel.sent) == 1
    assert rebuild(engine).equal


def test_the_goal_was_reached_meanwhile(engine: Engine) -> None:
    """There is nothing to say any more."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    later(engine, 1)
    engine.accept_now([an_event("Order Completed", user="u1", at_ms=engine.world.now_ms())])
    says(engine)
    worked(engine, channel)
    assert channel.sent == []


def test_the_goal_was_reached_by_an_event_without_an_item(engine: Engine) -> None:
    """Of a campaign about an item, too: an order that names none ends it."""
    about_items = Enter(event="Product Viewed", per="person+item")
    live(engine, welcome(enter=about_items, goal=Leave(event="Subscribed")))
    channel = FakeChannel()
    signs_up(engine)
    engine.accept_now([an_event(user="u1", item="i1", at_ms=engine.world.now_ms())])
    worked(engine, channel)
    assert stands(engine) == ["skipped"]
    later(engine, 1)
    at_ms = engine.world.now_ms()
    engine.accept_now([an_event("Subscribed", user="u1", at_ms=at_ms, properties={})])
    says(engine)
    worked(engine, channel)
    assert channel.sent == []


def test_of_a_dry_campaign_it_is_told(engine: Engine) -> None:
    """What would have gone out, after what would not; and live it begins anew."""
    live(engine, welcome())
    engine.put_moves([CampaignTurned("welcome", "dry", SAID)])
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    later(engine, 1)
    says(engine)
    worked(engine, channel)
    assert (stands(engine), channel.sent) == (["skipped", "dry"], [])


def test_who_waits_for_the_next_step_gets_the_first_one(engine: Engine) -> None:
    """A step that was kept back is not passed over; the next one's wait begins when it went out."""
    steps = (Step("mail", "letter"), Step("more", "letter", wait=Wait(for_s=HOUR_S)))
    live(engine, welcome(steps=steps))
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    assert state_of(engine, "welcome", "u:u1").step == "more"
    later(engine, 1800)
    says(engine)
    worked(engine, channel)
    worked(engine, channel, hours=0.9)
    assert [each.step for each in messages(engine) if each.status == "sent"] == ["mail"]
    worked(engine, channel, hours=0.1)
    assert len(channel.sent) == 2


def test_a_step_went_out_already(engine: Engine) -> None:
    """Nothing begins anew of which something went out."""
    steps = (Step("mail", "letter"), Step("more", "letter", wait=Wait(for_s=HOUR_S)))
    live(engine, welcome(steps=steps))
    channel = FakeChannel()
    says(engine)
    signs_up(engine)
    worked(engine, channel)
    says(engine, yes=False)
    says(engine)
    worked(engine, channel, hours=20)
    assert len(channel.sent) == 1


def test_of_a_campaign_that_is_paused(engine: Engine) -> None:
    """Nobody comes in until it goes on."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    engine.put_moves([CampaignTurned("welcome", "paused", SAID)])
    says(engine)
    worked(engine, channel)
    assert channel.sent == []
    engine.put_moves([CampaignTurned("welcome", "live", SAID)])
    worked(engine, channel, hours=1)
    assert len(channel.sent) == 1


def test_of_a_campaign_that_has_ended(engine: Engine) -> None:
    """There is nothing to come into."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    says(engine)
    engine.put_moves([CampaignTurned("welcome", "ended", SAID)])
    worked(engine, channel)
    assert channel.sent == []


def test_an_edit_between_consent_and_the_clock(engine: Engine) -> None:
    """The clock looks nevertheless, at the new form."""
    live(engine, welcome())
    channel = FakeChannel()
    signs_up(engine)
    worked(engine, channel)
    says(engine)
    live(engine, welcome(title="Welcome"))
    worked(engine, channel)
    assert len(channel.sent) == 1


def test_consent_that_was_given_under_another_id(engine: Engine) -> None:
    """A visitor signs up, and turns out to be somebody who has consented."""
    live(engine, welcome())
    channel = FakeChannel()
    says(engine)
    at_ms = engine.world.now_ms()
    engine.accept_now([an_event("Signed Up", user="", anonymous_id="a1", at_ms=at_ms)])
    worked(engine, channel)
    assert channel.sent == []
    traits = {"email": "u1@example.org"}
    engine.accept_now([an_event("", kind="identify", user="u1", anonymous_id="a1", traits=traits)])
    worked(engine, channel)
    assert [each.to for each in channel.sent] == ["u1@example.org"]
    assert rebuild(engine).equal


def test_a_yes_to_what_was_allowed_lets_nobody_in(engine: Engine) -> None:
    """An audience did not fit somebody who had consented: saying so again is no new moment."""
    live(engine, audience("profile.traits.likes == 'c1'"))
    channel = FakeChannel()
    says(engine)
    signs_up(engine)
    worked(engine, channel)
    told = an_event("", kind="identify", user="u1", traits={"likes": "c1"})
    engine.accept_now([told])
    says(engine)
    worked(engine, channel)
    assert channel.sent == []
    assert engine.entries.get(engine.tenant, "enrolment", key_of("welcome", "u:u1")) is not None
