"""What waits in a campaign goes with it, and does not come back when it is live again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.api.inside import Inside
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.app.sends import sends_of
from germane.domain.message import Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut
from germane.domain.settings import Settings
from germane.testing import FakeWorld
from germane.testing.world import START_MS
from tests.unit.app.test_composing import a_campaign, a_content
from tests.unit.app.test_posting import FakeChannel, a_message, planned, written

BECAUSE = Why(START_MS, "test", "Because.")
COUNT = 5


@pytest.fixture
def engine(tmp_path: Path, shop: Settings) -> Iterator[Engine]:
    """A live campaign in which some messages wait for tomorrow, one of them for approval."""
    made = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
    made.put_moves([ContentPut(a_content()), CampaignPut(a_campaign())])
    made.put_moves([CampaignTurned("weekly", "live", BECAUSE)])
    due_ms = START_MS + 86_400_000
    for number in range(1, COUNT + 1):
        message = a_message(number, due_ms=due_ms, version="")
        if number == 1:
            message = replace(message, status="approval", demands=("some",))
        made.put_moves([planned(message)])
    yield made
    made.store.close()


def turned(engine: Engine, status: str) -> None:
    """By the API."""
    done, said = Inside(engine).ask("POST", "/v1/campaigns/weekly/status", {"status": status})
    assert done == 200, said


def statuses(engine: Engine) -> set[tuple[str, str]]:
    """How its messages stand, and why."""
    found = engine.entries.page(engine.tenant, "message", topic="weekly")
    assert len(found) == COUNT
    read = [engine.moving.message(engine.tenant, each.key) for each in found]
    return {(x.status, x.whys[-1].code if x.whys else "") for x in read if x is not None}


@pytest.mark.parametrize("status", ["ended", "dry"])
def test_what_waits_goes_with_it(engine: Engine, status: str) -> None:
    """At once: it holds no place under a cap, and is not there when the campaign is live again."""
    assert sends_of(engine.entries, engine.tenant, "u:u2")
    turned(engine, status)
    assert statuses(engine) == {("cancelled", f"campaign.{status}")}
    assert not sends_of(engine.entries, engine.tenant, "u:u2")
    engine.put_moves([CampaignTurned("weekly", "live", BECAUSE)])
    assert statuses(engine) == {("cancelled", f"campaign.{status}")}
    assert rebuild(engine).equal


def test_what_is_held_stays(engine: Engine) -> None:
    """A pause takes nothing away."""
    turned(engine, "paused")
    turned(engine, "live")
    assert statuses(engine) == {("queued", ""), ("approval", "")}


def test_what_the_last_process_left(engine: Engine) -> None:
    """It died between the turn and the end of this: the next start goes on with it."""
    engine.put_moves([CampaignTurned("weekly", "ended", BECAUSE)])

    async def serve() -> None:
        await engine.start()
        delivery = Delivery(engine, {"email": FakeChannel()}, written)
        delivery.start()
        while {each for each, _ in statuses(engine)} != {"cancelled"}:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await delivery.stop()
        await engine.stop()

    asyncio.run(asyncio.wait_for(serve(), 20))
    assert statuses(engine) == {("cancelled", "campaign.ended")}
