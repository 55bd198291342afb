"""Many messages at once: rendered by a process of its own, and the same as when they are not."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app.composing import Composer
from germane.app.engine import Engine
from germane.app.making import Making
from germane.app.opening import open_engine
from germane.app.press import APART, FULL, Press
from germane.domain.campaign import Step
from germane.domain.content import Slot, Variant
from germane.domain.message import Message
from germane.domain.moves import CampaignPut, ContentPut
from germane.domain.settings import DeliverySpec, Settings
from germane.testing import FakeWorld, an_event
from germane.testing.builders import an_item
from germane.testing.world import START_MS
from tests.unit.app.test_composing import (
    a_campaign,
    a_content,
    a_draft,
    asked_for,
    live,
    said,
)

LIMIT = 20
MANY = 3 * LIMIT
AT_ONCE = DeliverySpec(quiet_hours=None, caps=(), spread_s=0)


def an_engine(folder: Path, shop: Settings) -> Engine:
    """With many who wait for a message, each with a name of their own."""
    engine = open_engine(replace(shop, delivery=AT_ONCE), folder, world=FakeWorld(START_MS))
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
        for n in range(MANY):
            traits = {"firstName": f"Änn{n}", "age": n}
            importer.add([an_event("", kind="identify", user=f"u{n}", traits=traits)])
    hello = Slot("hello", "text", (Variant("one", said("Dear {{ person.first_name }}!")),))
    content = a_content()
    live(engine, replace(content, slots=(*content.slots, hello)), a_campaign())
    for n in range(MANY):
        asked_for(engine, a_draft(f"u{n}", item=f"i{n % 10}"))
    return engine


def made(engine: Engine, meanwhile: Callable[[Making], None] = lambda _: None) -> int:
    """Rounds until there is nothing to do: the first is made here, two on the press. ``meanwhile``: what
    happens while the second is there."""

    async def run() -> int:
        await engine.start()
        making = Making(engine, Composer(engine))
        rounds = 0
        try:
            while await making.round(LIMIT):
                rounds += 1
                if rounds == FULL:
                    meanwhile(making)
        finally:
            making.close()
            await engine.stop()
        return rounds

    return asyncio.run(run())


def messages(engine: Engine) -> list[Message]:
    """All of them."""
    from germane.deliver import outbox

    found = engine.entries.page(engine.tenant, "message", limit=1000)
    return [outbox.read(each) for each in found]


def drafts(engine: Engine) -> int:
    """How many are still asked for."""
    return len(engine.entries.page(engine.tenant, "draft", limit=1000))


def press_of(making: Making) -> Press:
    """Where they are rendered."""
    return making._press


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever this machine has."""
    monkeypatch.setattr(os, "cpu_count", lambda: 2)


@pytest.mark.usefixtures("two_processors")
def test_rendered_apart_they_are_the_same(
    tmp_path: Path, shop: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Digest, choices, claims, everything; and a process of its own has done it."""
    asked: list[int] = []
    real = Press._asked

    def counting(self: Press, data: bytes) -> bytes:
        asked.append(len(data))
        return real(self, data)

    monkeypatch.setattr(Press, "_asked", counting)
    apart, here = (an_engine(tmp_path / name, shop) for name in ("apart", "here"))
    made(apart)
    assert len(asked) == 2
    monkeypatch.setattr(Press, "worthwhile", lambda *_: False)
    made(here)
    assert len(asked) == 2
    found = messages(apart)
    assert len(found) == MANY
    assert {each.status for each in found} == {"queued"}
    assert [(x.person, x.digest, x.chosen, x.amounts) for x in found] == [
        (x.person, x.digest, x.chosen, x.amounts) for x in messages(here)
    ]
    assert len({each.digest for each in found}) == MANY
    assert drafts(apart) == drafts(here) == 0
    apart.store.close()
    here.store.close()


@pytest.mark.usefixtures("two_processors")
def test_what_changed_meanwhile_is_made_anew(tmp_path: Path, shop: Settings) -> None:
    """New words for the content, while the old ones are on the press: nobody gets the old ones."""
    engine = an_engine(tmp_path / "data", shop)
    fresh = a_content(slots=(Slot("subject", "subject", (Variant("new", said("New words")),)),
                             Slot("body", "text", (Variant("one", said("Hello.")),))))  # fmt: skip
    made(engine, lambda _: engine.put_moves([ContentPut(fresh)]))
    found = messages(engine)
    assert len(found) == MANY
    assert sum(each.chosen["subject"] == "new" for each in found) == MANY - LIMIT
    engine.store.close()


@pytest.mark.usefixtures("two_processors")
def test_who_is_not_asked_for_any_more_gets_nothing(tmp_path: Path, shop: Settings) -> None:
    """The campaign loses the step while they are on the press."""
    engine = an_engine(tmp_path / "data", shop)
    other = a_campaign(steps=(Step("other", "picks"),))
    made(engine, lambda _: engine.put_moves([CampaignPut(other)]))
    found = messages(engine)
    gone = [(each.status, each.whys[-1].code) == ("skipped", "campaign.gone") for each in found]
    assert sum(gone) == MANY - LIMIT
    assert len(found) == MANY
    engine.store.close()


@pytest.mark.usefixtures("two_processors")
def test_if_the_process_dies_this_one_goes_on(tmp_path: Path, shop: Settings) -> None:
    """All of them are made, once."""
    engine = an_engine(tmp_path / "data", shop)

    def kill(making: Making) -> None:
        child = press_of(making)._child or press_of(making)._started()
        os.kill(child.pid, signal.SIGKILL)

    made(engine, kill)
    assert len(messages(engine)) == MANY
    assert drafts(engine) == 0
    engine.store.close()


def test_a_few_are_not_worth_a_process(tmp_path: Path, shop: Settings) -> None:
    """One full round is not; nor few, while it runs."""
    engine = an_engine(tmp_path / "data", shop)
    press = Press(Composer(engine).start)
    assert not press.worthwhile(1000, FULL - 1)
    press._started()
    assert not press.worthwhile(APART - 1, 0)
    press.close()
    engine.store.close()
