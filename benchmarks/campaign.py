"""A campaign for 100,000 people: `just bench campaign`.

How long it takes until each of them has a message in the outbox: everybody is looked at, each slot that can
vary is a logged decision with its propensity, the text is rendered, its hour is planned, and all of it is
durable. Then the messages go out by a channel that takes them at once: how many a second the outbox
itself can claim, look at once more, and settle. Setting up the people is not counted. The interpreter is
set up as the server's is; the processor time is of the process that decides, not of the one that renders.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import uvloop
from msgspec.structs import replace
from rich.progress import Progress

from benchmarks.figures import record, write_result
from germane.app.delivery import Delivery
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.cli.serving import tune
from germane.domain.campaign import Campaign, Enter, Step
from germane.domain.content import Content, Slot, Variant
from germane.domain.event import Event
from germane.domain.message import Message, Why
from germane.domain.moves import CampaignPut, CampaignTurned, ContentPut, Stated
from germane.domain.record import Txn
from germane.domain.sending import Outgoing, Result, Sent
from germane.domain.settings import ContentSpec, DeliverySpec
from germane.testing import FakeWorld
from germane.testing.builders import a_shop, an_item
from germane.testing.world import START_MS

COMMAND = "just bench campaign"
PEOPLE = int(os.environ.get("GERMANE_PEOPLE", "100000"))
GROUP = 5_000
ASK_S = 1.0
"""How often the bar asks how many are queued."""
HOST = "https://shop.example"


class Nowhere:
    """Takes everything at once."""

    async def send(self, outgoing: Outgoing) -> Result:
        """Taken."""
        return Sent()

    async def close(self) -> None:
        """Nothing to close."""


def said(text: str, **more: str) -> dict[str, dict[str, str]]:
    """In English."""
    return {"en": {"text": text, **more}}


def content() -> Content:
    """A letter: a subject that varies, an opening from the profile, a button."""
    subjects = (
        Variant("plain", said("News for you"), attributes={"tone": "plain"}),
        Variant("warm", said("Something nice"), attributes={"tone": "warm"}),
    )
    opening = (
        "Dear {{ person.first_name | default: 'you' }}, here is what is new in "
        "{{ interest.category | default: 'the shop' }}."
    )
    return Content(
        "letter",
        "email",
        slots=(
            Slot("subject", "subject", subjects),
            Slot("opening", "text", (Variant("one", said(opening)),)),
            Slot("go", "button", (Variant("one", said("Look", url=HOST)),)),
        ),
    )


def people(engine: Engine, count: int, shown: Progress) -> None:
    """Everybody has an address, a name, a view and consent."""
    task = shown.add_task("people", total=count)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(100)])
        for n in range(count):
            user = f"p{n}"
            traits = {"email": f"{user}@example.org", "firstName": "Ann"}
            importer.add(
                [
                    Event(f"i{n}", "identify", START_MS, user_id=user, traits=traits),
                    Event(
                        f"v{n}",
                        "track",
                        START_MS,
                        name="Product Viewed",
                        user_id=user,
                        properties={"product_id": f"i{n % 100}"},
                    ),
                ]
            )
            if n % 1_000 == 999:
                shown.advance(task, 1_000)
    for start in range(0, count, GROUP):
        whole = Txn()
        for n in range(start, min(start + GROUP, count)):
            whole.absorb(engine.fold_move(Stated(f"u:p{n}", "email_marketing", True, "test")))
        engine.commit(whole)


def written(message: Message) -> Outgoing:
    """What a channel gets that looks at nothing."""
    return Outgoing(message_id=message.message_id, person=message.person, to=message.address)


async def measured(engine: Engine, count: int, shown: Progress) -> dict[str, Any]:
    """Seconds to build, and to send."""
    await engine.start()
    spec = ContentSpec(link_hosts=("shop.example",))
    delivery = Delivery(engine, {"email": Nowhere()}, written, spec=spec)
    why = Why(START_MS, "bench", "live")
    campaign = Campaign(
        "letter",
        enter=Enter(audience="profile.evidence >= 0.0", at="2025-11-24T09:00"),
        steps=(Step("mail", "letter"),),
    )
    await engine.move(
        [ContentPut(content()), CampaignPut(campaign), CampaignTurned("letter", "live", why)]
    )
    task = shown.add_task("building", total=count)
    started, cpu = time.perf_counter(), time.process_time()
    asked = started
    while await delivery.built():
        if time.perf_counter() - asked >= ASK_S:
            asked = time.perf_counter()
            queued = engine.entries.counts(engine.tenant, "message").get(("letter", "queued"), 0)
            shown.update(task, completed=queued)
    built_s, built_cpu_s = time.perf_counter() - started, time.process_time() - cpu
    queued = engine.entries.counts(engine.tenant, "message")["letter", "queued"]
    task = shown.add_task("sending", total=None)
    started, cpu = time.perf_counter(), time.process_time()
    await delivery.idle()
    sent_s, sent_cpu_s = time.perf_counter() - started, time.process_time() - cpu
    sent = engine.entries.counts(engine.tenant, "message")["letter", "sent"]
    await engine.stop()
    assert queued == sent == count, (queued, sent)
    return {
        "people": count,
        "build_s": round(built_s, 1),
        "build_cpu_s": round(built_cpu_s, 1),
        "sends_per_s": round(count / sent_s),
        "send_cpu_s": round(sent_cpu_s, 1),
    }


def run(count: int) -> dict[str, Any]:
    """On a fresh data folder."""
    at_once = DeliverySpec(quiet_hours=None, caps=(), spread_s=0)
    with tempfile.TemporaryDirectory() as folder, Progress() as shown:
        path = Path(folder) / "data"
        engine = open_engine(replace(a_shop(), delivery=at_once), path, world=FakeWorld(START_MS))
        people(engine, count, shown)
        tune()
        found = uvloop.run(measured(engine, count, shown))
        engine.store.close()
        found["database_mb"] = round((path / "germane.db").stat().st_size / 1e6)
    return found


def main() -> None:
    """Run, print, write."""
    result = run(PEOPLE)
    print(json.dumps(result, indent=2))
    write_result("campaign", {"protocol": __doc__, **result})
    if result["people"] >= 100_000:
        record("send.campaign_100k_s", result["build_s"], n=result["people"], command=COMMAND)


if __name__ == "__main__":
    main()
