"""What stands in the way of a campaign; what is said of somebody who got no message."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app.approvable import unmeetable
from germane.app.audiences import audience
from germane.app.channels import Ways
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.readiness import missing_content, obstacles, users_of
from germane.app.sends import messages_with
from germane.app.why_not import why_not
from germane.domain.approval import ApprovalPolicy
from germane.domain.campaign import Campaign, Enter, SendSpec, Step
from germane.domain.message import Why
from germane.domain.moves import Appointed, CampaignPut, CampaignTurned, ContentPut, Stated
from germane.domain.operator import Operator
from germane.domain.settings import Settings
from germane.profile.words import rfc3339
from germane.testing import FakeWorld, an_event, an_item
from germane.testing.world import START_MS
from tests.unit.app.test_composing import a_content
from tests.unit.app.test_posting import written

OPEN = Ways(("email",), links=True)
SAID = Why(START_MS, "test", "Because.")


@pytest.fixture
def engine(tmp_path: Path, shop: Settings) -> Iterator[Engine]:
    made = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
    with made.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
    yield made
    made.store.close()


def a_campaign(engine: Engine, **changed: object) -> Campaign:
    """Known to the engine, dry."""
    made = Campaign("news", enter=Enter(event="Product Viewed"), steps=(Step("mail", "picks"),))
    made = replace(made, **changed)
    engine.put_moves([CampaignPut(made)])
    return made


def texts(engine: Engine, campaign: Campaign, ways: Ways | None = OPEN) -> list[str]:
    """What stands in the way."""
    return [each.text for each in obstacles(engine, campaign, ways)]


def test_content(engine: Engine) -> None:
    """Not there; of another channel; with nothing approved in a slot that must be filled."""
    campaign = a_campaign(engine)
    assert texts(engine, campaign) == ["There is no content 'picks'."]
    assert missing_content(campaign, engine) == ["picks"]
    content = a_content()
    engine.put_moves([ContentPut(content)])
    assert texts(engine, campaign) == []
    assert users_of(engine, "picks") == ["news"]
    (other,) = texts(engine, a_campaign(engine, channel="inapp"))
    assert "written for email, and would go by inapp" in other
    drafts = tuple(replace(each, approved=False) for each in content.slots[0].variants)
    unapproved = replace(content.slots[0], variants=drafts, required=True)
    engine.put_moves([ContentPut(replace(content, slots=(unapproved, *content.slots[1:])))])
    (waits,) = texts(engine, campaign)
    assert "Nothing is approved in slot" in waits
    engine.put_moves([CampaignTurned("news", "ended", SAID)])
    assert users_of(engine, "picks") == []


def test_times_that_never_come(engine: Engine) -> None:
    """An audience whose time is over; a window in the quiet hours; a deadline that comes too soon."""
    engine.put_moves([ContentPut(a_content())])
    past = Enter(audience="profile.known", at="2020-01-01T09:00")
    campaign = a_campaign(engine, enter=past)
    (over,) = obstacles(engine, campaign, OPEN)
    assert over.text.startswith("The time of its audience, 2020-01-01T09:00, is over")
    assert "enter.at" in over.remedy
    assert texts(engine, replace(campaign, status="paused")) == []
    night = a_campaign(engine, send=SendSpec(window=(23 * 60, 5 * 60)))
    (shut,) = texts(engine, night)
    assert "lies in the quiet hours" in shut
    early = Enter(schedule="0 9 * * mon")
    short = a_campaign(engine, enter=early, send=SendSpec(window=(1080, 1140), deadline_s=3_600))
    (late,) = texts(engine, short)
    assert "worth sending for 1 hour" in late
    assert texts(engine, replace(short, send=SendSpec(window=(1080, 1140)))) == []


def test_ways_out(engine: Engine) -> None:
    """A channel nobody configured; an e-mail that nobody could unsubscribe from."""
    engine.put_moves([ContentPut(a_content())])
    campaign = a_campaign(engine)
    assert texts(engine, campaign, Ways((), links=True)) == ["No channel 'email' is configured."]
    (no_links,) = texts(engine, campaign, Ways(("email",), links=False))
    assert "needs an address to unsubscribe" in no_links
    receipt = a_campaign(engine, purpose="transactional", priority="transactional")
    assert texts(engine, receipt, Ways(("email",), links=False)) == []
    assert texts(engine, campaign, None) == []


def test_one_of_several_webhooks(engine: Engine) -> None:
    """Named it goes by that one; where it is not named, is not there, or is for reminders alone, that is
    said with its remedy."""
    engine.put_moves([ContentPut(replace(a_content(), channel="webhook"))])
    campaign = a_campaign(engine, channel="webhook")
    two = Ways(("webhook:push", "webhook:chat", "webhook:team"), True, reminding=("team",))
    (unnamed,) = obstacles(engine, campaign, two)
    assert "does not say by which: there are chat, push." in unnamed.text
    assert 'webhook = "chat"' in unnamed.remedy
    assert texts(engine, a_campaign(engine, channel="webhook", webhook="push"), two) == []
    step = Step("mail", "picks", channel="webhook", webhook="chat")
    assert texts(engine, a_campaign(engine, steps=(step,)), two) == []
    (gone,) = obstacles(engine, a_campaign(engine, channel="webhook", webhook="psuh"), two)
    assert "Its messages would go by webhook 'psuh', and none is called so." in gone.text
    assert "Did you mean 'push'?" in gone.remedy
    (team,) = obstacles(engine, a_campaign(engine, channel="webhook", webhook="team"), two)
    assert "for reminders of approvals alone" in team.text
    (none,) = obstacles(engine, campaign, Ways(("webhook:team",), True, reminding=("team",)))
    assert "[channels.webhook.NAME]" in none.remedy
    assert texts(engine, campaign, Ways(("webhook:push", "webhook"), True)) == []


def test_a_condition_that_cannot_be_read_any_more(engine: Engine) -> None:
    """The declaration has changed since."""
    engine.put_moves([ContentPut(a_content())])
    broken = a_campaign(engine, enter=Enter(event="Product Viewed", when="profile.gone > 1"))
    assert any("cannot be read any more" in each for each in texts(engine, broken))


def test_why_nobody_let_them_in(engine: Engine) -> None:
    """What is known of somebody without a message: what counted, and what would speak against it."""
    engine.put_moves([ContentPut(a_content())])
    a_campaign(engine, enter=Enter(event="Product Viewed", count=3, within_s=3600))
    engine.accept_now([an_event(item="i1"), an_event(item="i2")])
    found = why_not(engine, "u1", "news")
    assert found is not None
    assert "What counts happened 2 of 3 times." in found["answer"]
    assert found["standing"] == "no_address"
    assert "no e-mail address is known" in found["answer"]
    for bad in ("not-an-address", "<u9@x>", "a@x, b@x", "a@x.example\r\nBcc: b@x.example"):
        engine.accept_now([an_event("", kind="identify", user="u1", traits={"email": bad})])
        found = why_not(engine, "u1", "news")
        assert found is not None
        assert found["standing"] == "bad_address", bad
    engine.accept_now([an_event("", kind="identify", user="u1", traits={"email": "u@x.example"})])
    found = why_not(engine, "u1", "news")
    assert found is not None
    assert "And nothing would go out: no consent to email_marketing." in found["answer"]
    engine.put_moves([Stated("u:u1", "email_marketing", True, "test")])
    found = why_not(engine, "u1", "news")
    assert found is not None
    assert found["standing"] == "reached"
    assert "nothing would go out" not in found["answer"]


def test_a_schedule_reaches_whom_its_condition_fits(engine: Engine) -> None:
    """The preview counts as the clock lets in; and so is it said of one."""
    engine.put_moves([ContentPut(a_content())])
    enter = Enter(schedule="0 7 * * mon", when="profile.counts.view.d30 >= 2")
    campaign = a_campaign(engine, enter=enter, purpose="transactional")
    for user, views in (("u1", 1), ("u2", 2)):
        told = {"email": f"{user}@x.example"}
        engine.accept_now([an_event("", kind="identify", user=user, traits=told)])
        engine.accept_now([an_event(user=user, item=f"i{each}") for each in range(views)])
    found = asyncio.run(audience(engine, campaign))
    assert (found.counts["reached"], found.counts["no_match"]) == (1, 1)
    assert found.sample == ("u:u2",)
    one = why_not(engine, "u1", "news")
    assert one is not None
    assert one["standing"] == "no_match"
    assert "the condition does not hold of them." in one["answer"]
    Delivery(engine, {}, written).tick()
    two = why_not(engine, "u2", "news")
    assert two is not None
    assert "They are not in it. Their time comes Mon " in two["answer"]


def test_who_was_in_an_audience_is_not_reached_again(engine: Engine) -> None:
    """What a dry run did keeps nobody out; and an event that may come again lets in again."""
    engine.put_moves([ContentPut(a_content())])
    enter = Enter(audience="profile.known", at=rfc3339(START_MS) or "")
    campaign = a_campaign(engine, enter=enter, purpose="transactional")
    for user in ("u1", "u2"):
        told = {"email": f"{user}@x.example"}
        engine.accept_now([an_event("", kind="identify", user=user, traits=told)])

    def counts(campaign: Campaign) -> tuple[int, int]:
        found = asyncio.run(audience(engine, campaign)).counts
        return found["reached"], found["was_in"]

    Delivery(engine, {}, written).tick()
    assert len(messages_with(engine, "news", "making")) == 2
    assert counts(campaign) == (2, 0)
    engine.put_moves([CampaignTurned("news", "live", SAID)])
    Delivery(engine, {}, written).tick()
    engine.accept_now([an_event("", kind="identify", user="u3", traits={"email": "u3@x.example"})])
    assert counts(engine.library.campaigns["news"])[1] == 2
    assert counts(replace(campaign, status="paused"))[1] == 2
    assert counts(replace(campaign, enter=replace(enter, per="account")))[1] == 0


def test_messages_of_a_status_whatever_their_campaign(engine: Engine) -> None:
    """The newest first; those that are being made, too."""
    engine.put_moves([ContentPut(a_content())])
    for name in ("news", "more"):
        a_campaign(engine, name=name)
        engine.put_moves([CampaignTurned(name, "live", SAID)])
    for user in ("u1", "u2"):
        engine.accept_now([an_event(user=user, item="i1")])
        engine.world.advance(seconds=1)  # type: ignore[attr-defined]
    found = messages_with(engine, "", "making")
    assert len(found) == 4
    assert [each.message_id for each in found] == sorted(
        (each.message_id for each in found), reverse=True
    )
    assert {each.campaign for each in messages_with(engine, "news", "making")} == {"news"}
    assert messages_with(engine, "", "sent") == []
    assert len(messages_with(engine, "", "making", limit=1)) == 1


def test_the_webhook_of_reminders(engine: Engine) -> None:
    """One that is not configured would never be told."""
    engine.put_moves([ContentPut(a_content()), Appointed(Operator("ann", ("admin",)), "test")])
    campaign = a_campaign(engine, approval={"remind_by": "team"})
    text = "Reminders would go by webhook 'team', and none is called so."
    assert texts(engine, campaign) == [text]
    assert texts(engine, campaign, Ways(("email", "webhook:team"), links=True)) == []
    assert texts(engine, campaign, None) == []


def test_approvals_that_nobody_could_give(engine: Engine) -> None:
    """Who is named and not there, is disabled, or wrote it; fewer than the quorum. Each with its remedy."""
    engine.put_moves([ContentPut(a_content())])
    campaign = a_campaign(engine, approval={"approvers": ["dave"]})
    (nobody,) = obstacles(engine, campaign, OPEN)
    said = "It needs approval by dave, and nobody could give it. There is no operator dave."
    assert nobody.text == said
    assert nobody.remedy == "Run `germane operator add dave --role approver`."
    engine.put_moves([Appointed(Operator("ann", ("approver",)), "test")])
    three = {"approvers": ["ann", "dave", "role:admin"], "quorum": 3}
    (few,) = obstacles(engine, a_campaign(engine, approval=three), OPEN)
    assert few.text.startswith(
        "It needs approval by 3 of ann, dave or role:admin, and only ann could"
    )
    assert few.text.endswith("There is no operator dave. Nobody has the role admin.")
    assert "--role admin` or ask for a smaller quorum." in few.remedy
    assert texts(engine, a_campaign(engine, approval={"quorum": 1})) == []
    own = a_campaign(engine, approval={"quorum": 1}, author="ann")
    (wrote,) = texts(engine, own)
    assert "ann wrote it, so that somebody else must approve it." in wrote
    assert texts(engine, a_campaign(engine, approval={"four_eyes": False}, author="ann")) == []
    engine.put_moves([Appointed(Operator("ann", ("approver",), disabled=True), "test")])
    (gone,) = obstacles(engine, a_campaign(engine, approval={"approvers": ["ann"]}), OPEN)
    assert "ann is disabled." in gone.text
    assert gone.remedy == "Run `germane operator enable ann`."


def test_approvals_above_what_anybody_may_give(engine: Engine) -> None:
    """A check tells of them; messages below the amount go out, so they are in nobody's way."""
    engine.put_moves([ContentPut(a_content())])
    engine.put_moves([Appointed(Operator("ann", ("approver",), limit=50.0), "test")])
    over = {"amount": "price", "over": 100.0}
    campaign = a_campaign(engine, approval=over)
    assert texts(engine, campaign) == []
    ((bound, remedy),) = unmeetable(engine, campaign)
    assert "ann may approve up to 50, and it is asked above 100." in bound
    assert remedy
    assert unmeetable(engine, a_campaign(engine, approval={**over, "over": 20.0})) == []
    ((_, remedy),) = unmeetable(
        engine, a_campaign(engine, approval={**over, "limits": ["approver=50"]})
    )
    assert remedy == "Name others in approvers, or raise a limit."
    ((_, remedy),) = unmeetable(
        engine, a_campaign(engine, approval={**over, "limits": ["approver=50", "admin=900"]})
    )
    assert remedy == "Run `germane operator add NAME --role admin`."


def test_approvals_that_the_project_demands(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What ``[delivery.approval]`` demands counts, of the channel of each step; of transactional mail not."""
    engine.put_moves([ContentPut(a_content())])
    monkeypatch.setitem(engine.settings.approvals, "email", ApprovalPolicy(of="campaign"))
    (nobody,) = texts(engine, a_campaign(engine))
    assert nobody.endswith("Nobody has the role approver. Nobody has the role admin.")
    receipt = a_campaign(engine, purpose="transactional", priority="transactional")
    assert texts(engine, receipt) == []
