"""In-app messages wait in the inbox until they are answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.inbox import InAppChannel, Waiting
from germane.app.opening import open_engine
from germane.app.postbox import Postbox
from germane.app.rebuild import rebuild
from germane.config.channels import ChannelsSpec, LinksSpec
from germane.domain.campaign import Campaign, Enter, Leave, Step
from germane.domain.content import Content, Slot, Variant
from germane.domain.inbox import Nudge
from germane.domain.links import LinkKeys
from germane.domain.message import Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated, Switched
from germane.domain.purposes import PERSONALISATION
from germane.domain.settings import ContentSpec, Settings
from germane.testing import FakeWorld, an_event
from germane.testing.builders import an_item
from germane.testing.world import START_MS
from tests.unit.app.test_posting import written


@pytest.fixture
def engine(tmp_path: Path, shop: Settings) -> Iterator[Engine]:
    """With a few items."""
    made = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
    with made.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
    yield made
    made.store.close()


def nudge() -> Content:
    """A banner with a button."""
    texts: dict[str, dict[str, Any]] = {
        "title": {"text": "Hello"},
        "more": {"text": "You looked at {{ item.title }}."},
        "go": {"text": "Look again", "url": "https://shop.example/again"},
    }
    kinds = {"title": "heading", "more": "text", "go": "button"}
    return Content(
        "again",
        "inapp",
        form="banner",
        slots=tuple(
            Slot(name, kinds[name], (Variant("one", {"en": said}),))  # type: ignore[arg-type]
            for name, said in texts.items()
        ),
    )


def live(engine: Engine, **changed: Any) -> None:
    """A nudge after a view."""
    campaign = Campaign(
        "look",
        channel="inapp",
        purpose=PERSONALISATION,
        enter=Enter(event="Product Viewed"),
        steps=(Step("nudge", "again"),),
    )
    why = Why(START_MS, "test", "Because.")
    engine.put_moves(
        [
            ContentPut(nudge()),
            CampaignPut(replace(campaign, **changed)),
            CampaignTurned("look", "live", why),
        ]
    )


def worked(engine: Engine) -> list[Nudge]:
    """What waits after everything that is due is done."""

    async def run() -> list[Nudge]:
        spec = ContentSpec(link_hosts=("shop.example",))
        await Delivery(engine, {"inapp": InAppChannel()}, written, spec=spec).idle()
        return list(await Waiting(engine)("u1", ""))

    return asyncio.run(run())


def test_it_waits_until_it_is_answered(engine: Engine) -> None:
    """Seen, it waits still; closed, it does not."""
    live(engine)
    engine.accept_now([an_event(item="i1")])
    (found,) = worked(engine)
    assert (found.form, found.title) == ("banner", "Hello")
    assert found.text == f"You looked at {engine.catalogue['i1'].title}."
    assert [(each.label, each.url) for each in found.buttons] == [
        ("Look again", "https://shop.example/again")
    ]
    about = {"message_id": found.message_id}
    engine.accept_now([an_event("In-App Message Viewed", properties=about)])
    assert len(worked(engine)) == 1
    engine.accept_now([an_event("In-App Message Dismissed", properties=about)])
    assert worked(engine) == []
    assert rebuild(engine).equal


def test_it_leads_to_the_page_that_tells_why(engine: Engine) -> None:
    """A path on this server, also in the stream; where it is configured, an address."""
    live(engine)
    engine.accept_now([an_event(item="i1")])
    (bare,) = worked(engine)
    assert bare.why_url == ""
    for base in ("", "https://go.shop.example"):
        post = Postbox(engine, ChannelsSpec(links=LinksSpec(base_url=base)))
        waiting = Waiting(engine, post.why)
        (found,) = waiting.nudges(engine.profile_of("u:u1"))
        assert found.why_url.startswith(f"{base}/w/")
        link = LinkKeys([engine.key]).open(found.why_url.removeprefix(f"{base}/w/"), "w")
        assert link is not None
        assert (link.message_id, link.person) == (found.message_id, "u:u1")
        ((_, streamed),) = asyncio.run(waiting.waiting("u:u1", ""))  # type: ignore[arg-type]
        assert streamed.content["whyUrl"] == found.why_url


def test_who_opted_out_is_shown_nothing(engine: Engine) -> None:
    """Neither new messages nor those that waited."""
    live(engine, reentry="always")
    engine.accept_now([an_event(item="i1")])
    assert len(worked(engine)) == 1
    engine.put_moves([Stated("u:u1", PERSONALISATION, False, "test")])
    assert worked(engine) == []
    engine.accept_now([an_event(item="i2")])
    assert worked(engine) == []
    assert rebuild(engine).equal


def test_it_is_out_of_date_some_time(engine: Engine) -> None:
    """After the campaign's deadline nobody is shown it."""
    live(engine)
    engine.accept_now([an_event(item="i1")])
    assert len(worked(engine)) == 1
    engine.world.advance(days=3)  # type: ignore[attr-defined]
    assert worked(engine) == []


def test_a_stream_goes_on_where_it_broke(engine: Engine) -> None:
    """What came behind a position, and nothing twice."""
    live(engine, reentry="always")
    engine.accept_now([an_event(item="i1")])
    (first,) = worked(engine)

    async def read() -> tuple[list[str], list[str], bool]:
        waiting = Waiting(engine)
        whole = [position for position, _ in await waiting.waiting("u:u1", "")]
        rest = [position for position, _ in await waiting.waiting("u:u1", whole[0])]
        return whole, rest, await waiting.changed("u:u1", 0.01)

    assert asyncio.run(read()) == ([first.message_id], [], False)


def of_items() -> Campaign:
    """A nudge about each item that was looked at."""
    return Campaign(
        "look",
        channel="inapp",
        purpose=PERSONALISATION,
        enter=Enter(event="Product Viewed", per="person+item"),
        steps=(Step("nudge", "again"),),
        leave=Leave(event="Product Dismissed"),
        goal=Leave(event="Order Completed"),
    )


def dear(engine: Engine) -> None:
    """The nudge about ``i1`` says what it costs, and waits."""
    content = nudge()
    said = Slot(
        "more", "text", (Variant("one", {"en": {"text": "Still here, at {{ item.price }}."}}),)
    )  # type: ignore[arg-type]
    live(
        engine, **{each: getattr(of_items(), each) for each in ("enter", "steps", "leave", "goal")}
    )
    engine.put_moves([ContentPut(replace(content, slots=(content.slots[0], said)))])
    engine.accept_now([an_event(item="i1")])
    (found,) = worked(engine)
    assert found.text.startswith("Still here, at ")


def bring(engine: Engine, **changed: Any) -> None:
    """The catalogue is told something else of ``i1``."""
    with engine.importer() as importer:
        importer.add_items([replace(engine.catalogue["i1"], **changed)])


def happened(engine: Engine, name: str, item: str | None = "i1") -> None:
    """A second later."""
    engine.world.advance(seconds=1)  # type: ignore[attr-defined]
    one = {"product_id": item}
    about = {} if item is None else {"products": [one]} if name == "Order Completed" else one
    engine.accept_now([an_event(name, properties=about, at_ms=engine.world.now_ms())])


def turned(engine: Engine, status: Any) -> None:
    engine.put_moves([CampaignTurned("look", status, Why(START_MS, "test", "Because."))])


def streamed(engine: Engine) -> list[str]:
    """Ids that a stream brings."""
    found = asyncio.run(Waiting(engine).waiting("u:u1", ""))  # type: ignore[arg-type]
    return [position for position, _ in found]


@pytest.mark.parametrize("changed", [{"price": 1.5}, {"in_stock": False}])
def test_what_is_not_true_any_more_is_not_shown(engine: Engine, changed: dict[str, Any]) -> None:
    """Another price, sold out; it comes back with what it said."""
    dear(engine)
    before = engine.catalogue["i1"]
    bring(engine, **changed)
    assert worked(engine) == []
    assert streamed(engine) == []
    bring(engine, price=before.price, in_stock=before.in_stock)
    assert len(worked(engine)) == 1


@pytest.mark.parametrize("item", ["i1", None])
@pytest.mark.parametrize("name", ["Order Completed", "Product Dismissed"])
def test_whoever_reached_the_goal_or_the_exit_is_shown_nothing(
    engine: Engine, name: str, item: str | None
) -> None:
    """Though they were through with the campaign; also where the event names no item."""
    dear(engine)
    happened(engine, name, item)
    assert worked(engine) == []
    assert streamed(engine) == []
    assert rebuild(engine).equal


def test_another_item_closes_nothing(engine: Engine) -> None:
    dear(engine)
    happened(engine, "Order Completed", "i2")
    assert len(worked(engine)) == 1


def test_what_was_reached_is_of_the_time_before(engine: Engine) -> None:
    """Who comes in again is shown the new one."""
    live(engine, reentry="always", goal=Leave(event="Order Completed"))
    engine.accept_now([an_event(item="i1")])
    (first,) = worked(engine)
    happened(engine, "Order Completed")
    assert worked(engine) == []
    happened(engine, "Product Viewed", "i2")
    (second,) = worked(engine)
    assert second.message_id != first.message_id


def test_a_condition_to_leave_is_looked_at_again(engine: Engine) -> None:
    live(engine, leave=Leave(when='has(profile.traits.likes) && profile.traits.likes == "silver"'))
    engine.accept_now([an_event(item="i1")])
    assert len(worked(engine)) == 1
    engine.accept_now([an_event("", kind="identify", traits={"likes": "silver"})])
    assert worked(engine) == []


def test_a_paused_campaign_shows_nothing_until_it_goes_on(engine: Engine) -> None:
    """What was bought meanwhile stays away."""
    dear(engine)
    turned(engine, "paused")
    assert worked(engine) == []
    turned(engine, "live")
    assert len(worked(engine)) == 1
    turned(engine, "paused")
    happened(engine, "Order Completed")
    turned(engine, "live")
    assert worked(engine) == []
    assert rebuild(engine).equal


def test_a_campaign_that_has_ended_shows_nothing(engine: Engine) -> None:
    dear(engine)
    turned(engine, "ended")
    assert worked(engine) == []
    assert streamed(engine) == []


@pytest.mark.parametrize(
    ("scope", "name"), [("all", ""), ("channel", "inapp"), ("campaign", "look")]
)
def test_the_kill_switch_holds_what_waits_to_be_seen(engine: Engine, scope: Any, name: str) -> None:
    """And lets it be seen when it is taken off."""
    dear(engine)
    why = Why(START_MS, "switch", "Stop.")
    engine.put_moves([Switched(scope, name, True, why)])
    assert worked(engine) == []
    assert streamed(engine) == []
    engine.put_moves([Switched(scope, name, False, why)])
    assert len(worked(engine)) == 1


def test_a_visitor_who_logs_in_and_buys_is_shown_nothing(engine: Engine) -> None:
    """The message went to somebody who turned out to be somebody else."""
    live(
        engine, **{each: getattr(of_items(), each) for each in ("enter", "steps", "leave", "goal")}
    )
    engine.accept_now([an_event(user="", anonymous_id="v1", item="i1")])
    worked(engine)
    waiting = Waiting(engine)
    assert len(asyncio.run(waiting("", "v1"))) == 1  # type: ignore[arg-type]
    engine.accept_now([an_event("", kind="identify", user="u1", anonymous_id="v1")])
    assert len(worked(engine)) == 1
    happened(engine, "Order Completed")
    assert worked(engine) == []
    assert rebuild(engine).equal
