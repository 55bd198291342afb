"""By which of several webhooks a message goes: what was judged, what people agreed to, what is still there."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace

from germane.api.approval_view import whole
from germane.app.approving import Approving
from germane.app.channels import Ways
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.operators import Operators
from germane.app.readiness import obstacles
from germane.app.rebuild import rebuild
from germane.domain.campaign import Campaign, Enter, SendSpec, Step
from germane.domain.moves import CampaignPut, ContentPut, Switched
from germane.domain.sending import Channel
from germane.testing import an_event
from tests.unit.app.test_composing import a_content
from tests.unit.app.test_enrolling import SAID, abandoned, engine, known, live, messages
from tests.unit.app.test_posting import FakeChannel, written

__all__ = ["engine"]
"""The fixture: nothing holds a message back."""
HOUR_S, DAY_S = 3_600, 86_400
STOP = Switched("all", "", True, SAID)
GO_ON = Switched("all", "", False, SAID)


def by(webhook: str = "", **changed: Any) -> Campaign:
    """One message after a view."""
    step = Step("one", "picks", channel="webhook", webhook=webhook)
    return abandoned(steps=(step,), enter=Enter(event="Product Viewed"), **changed)


def asked(engine: Engine, campaign: Campaign) -> None:
    """It is live, and somebody came in."""
    live(engine, campaign)
    engine.put_moves([ContentPut(replace(a_content(), channel="webhook"))])
    known(engine)
    engine.accept_now([an_event(item="i1")])


def worked(engine: Engine, ways: dict[str, Channel], *reserved: str, after_s: int = 0) -> None:
    """Everything that is due then is done, by a server with these ways out."""
    engine.world.advance(seconds=after_s)  # type: ignore[attr-defined]
    asyncio.run(Delivery(engine, ways, written, reserved=reserved).idle())


def test_the_only_webhook_is_stopped_by_its_name(engine: Engine) -> None:
    """Although the campaign names none; and it is known by which it went."""
    asked(engine, by())
    push = FakeChannel()
    ways: dict[str, Channel] = {"webhook:push": push, "webhook": push}
    engine.put_moves([Switched("channel", "webhook:push", True, SAID)])
    worked(engine, ways)
    assert push.sent == []
    engine.put_moves([Switched("channel", "webhook:push", False, SAID)])
    worked(engine, ways, after_s=HOUR_S)
    (message,) = messages(engine)
    assert (message.status, message.way, len(push.sent)) == ("sent", "webhook:push", 1)
    assert rebuild(engine).equal


@pytest.mark.parametrize("still_there", [True, False])
def test_what_names_none_any_more_goes_by_the_only_one(engine: Engine, still_there: bool) -> None:
    """The one that was named before is for reminders now, or gone: nothing goes by it."""
    team, push = FakeChannel(), FakeChannel()
    both: dict[str, Channel] = {"webhook:team": team, "webhook:push": push}
    asked(engine, by("team"))
    engine.put_moves([STOP])
    worked(engine, both)
    engine.put_moves([CampaignPut(by()), GO_ON])
    left = both if still_there else {"webhook:push": push}
    worked(engine, left, "webhook:team", after_s=HOUR_S)
    (message,) = messages(engine)
    assert (message.way, len(team.sent), len(push.sent)) == ("webhook:push", 0, 1)
    assert rebuild(engine).equal


def test_a_missing_way_is_waited_for_whatever_came_before(engine: Engine) -> None:
    """Four days of a stop do not count."""
    asked(engine, by("push", send=SendSpec(deadline_s=30 * DAY_S)))
    engine.put_moves([STOP])
    push = FakeChannel()
    worked(engine, {"webhook:push": push})
    engine.put_moves([GO_ON])
    worked(engine, {}, after_s=4 * DAY_S)
    (message,) = messages(engine)
    assert (message.status, message.whys[-1].code) == ("queued", "channel.missing")
    worked(engine, {"webhook:push": push}, after_s=HOUR_S)
    assert len(push.sent) == 1
    worked(engine, {}, after_s=31 * DAY_S)
    assert rebuild(engine).equal


def test_one_that_never_comes_is_waited_for_until_the_deadline(engine: Engine) -> None:
    asked(engine, by("push", send=SendSpec(deadline_s=2 * DAY_S)))
    worked(engine, {})
    worked(engine, {}, after_s=DAY_S)
    assert messages(engine)[0].status == "queued"
    worked(engine, {}, after_s=2 * DAY_S)
    assert messages(engine)[0].status == "expired"


def judged(
    engine: Engine, before: dict[str, Channel], after: dict[str, Channel], *reserved: str
) -> None:
    """What waits is made, all of it is approved, and an hour later it goes out."""

    async def run() -> None:
        await engine.start()
        operators, approving = Operators(engine), Approving(engine)
        await operators.add("ann", ["approver"], by="test")
        await Delivery(engine, before, written).idle()
        engine.put_moves([STOP])
        for each in approving.listed():
            if each.status == "pending":
                await approving.judge(
                    each.approval_id, operators.named("ann"), "approve", each.digest
                )
        engine.put_moves([GO_ON])
        engine.world.advance(seconds=HOUR_S)  # type: ignore[attr-defined]
        await Delivery(engine, after, written, reserved=reserved).idle()
        await engine.stop()

    asyncio.run(run())


def test_what_is_made_of_a_newer_form_goes_as_that_has_it(engine: Engine) -> None:
    """The campaign was edited between the asking and the making; people agreed to the newer form."""
    approval: Any = {"of": "campaign", "approvers": ["role:approver"]}
    asked(engine, by("team", approval=approval))
    newer = by("push", approval=approval)
    engine.put_moves([CampaignPut(newer)])
    team, push = FakeChannel(), FakeChannel()
    ways: dict[str, Channel] = {"webhook:team": team, "webhook:push": push}
    judged(engine, ways, ways)
    (message,) = messages(engine)
    assert (message.status, message.way, message.version) == ("sent", "webhook:push", newer.version)
    assert team.sent == []


def test_what_people_agreed_to_stays_where_it_goes(engine: Engine) -> None:
    """It named no webhook, since there was only one: another one by now is not what they agreed to."""
    asked(engine, by(approval={"of": "each", "approvers": ["role:approver"]}))
    one, two = FakeChannel(), FakeChannel()
    judged(
        engine,
        {"webhook:one": one},
        {"webhook:one": one, "webhook:two": two, "webhook": two},
        "webhook:one",
    )
    (message,) = messages(engine)
    assert (message.status, message.way) == ("queued", "webhook:one")
    assert message.whys[-1].code == "channel.missing"
    assert (one.sent, two.sent) == ([], [])


@pytest.mark.parametrize("of", ["each", "campaign"])
def test_who_is_to_agree_sees_where_it_goes(engine: Engine, of: str) -> None:
    """Of a campaign: by all the ways that its steps take."""
    campaign = by("push", approval={"of": of, "approvers": ["role:approver"]})
    asked(engine, replace(campaign, steps=(*campaign.steps, Step("two", "picks"))))
    worked(engine, {"webhook:push": FakeChannel(), "webhook:chat": FakeChannel()})
    approving = Approving(engine)
    (waits,) = (each for each in approving.listed() if each.status == "pending")
    seen = asyncio.run(whole(waits, engine, approving))
    assert seen["ways"] == (["webhook:push"] if of == "each" else ["webhook:push", "email"])


def test_a_webhook_may_be_called_like_a_channel(engine: Engine) -> None:
    """One for reminders, named email, is in no e-mail's way."""
    live(engine, abandoned())
    campaign = engine.library.campaigns["abandoned"]
    ways = Ways(("email", "webhook:email"), True, reminding=("email",))
    assert obstacles(engine, campaign, ways) == []
