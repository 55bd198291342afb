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
from germane.app.rebuild import rebuild
from germane.domain.campaign import Campaign, Enter, Step
from germane.domain.content import Content, Slot, Variant
from germane.domain.inbox import Nudge
from germane.domain.message import Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated
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
