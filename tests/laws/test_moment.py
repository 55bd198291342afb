"""What is learned of hours is a fold over the log: rebuilt, reloaded and caught up, it is the same."""

from __future__ import annotations

import random
from pathlib import Path

from germane.app.engine import Engine
from germane.app.opening import open_engine, save_snapshot
from germane.app.rebuild import rebuild
from germane.domain.event import Event
from germane.domain.moment import ActiveHour
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.predict.model import SharedModel
from germane.profile.rhythm import hours_of
from germane.testing import FakeWorld, a_shop, an_event


def lived(engine: Engine, world: FakeWorld, first: int, last: int) -> None:
    """Visits, late ones among them, pages, and browsers that turn out to be somebody's."""
    for step in range(first, last):
        chance = random.Random(step)
        world.advance(seconds=chance.randrange(20_000))
        now, user = world.now_ms(), f"u{chance.randrange(5)}"
        late = now - chance.randrange(60) * MS_PER_DAY
        zone = chance.choice(["Asia/Kolkata", "Europe/Berlin", ""])
        context = {"timezone": zone} if zone else {}
        events = [
            an_event(user=user, at_ms=late, message_id=f"e{step}", context=context),
            Event(f"p{step}", "page", now, anonymous_id=f"x{chance.randrange(5)}", context=context),
            Event(f"i{step}", "identify", now, user_id=user, anonymous_id=f"x{step % 5}"),
        ]
        engine.accept_now(events[: 3 if step % 20 == 0 else 2])


def weeks(engine: Engine, now_ms: int) -> list[object]:
    """Everybody's."""
    profiles = engine.store.profiles(engine.tenant)
    return [(p.person, engine.model.week(hours_of(p), at_ms=now_ms)) for p in profiles]


def test_rebuilt_reloaded_and_caught_up(tmp_path: Path) -> None:
    """Law 7, for hours: by hash, and by what is answered."""
    shop, world = a_shop(), FakeWorld()
    engine = open_engine(shop, tmp_path, world=world)
    lived(engine, world, 0, 300)
    save_snapshot(engine, tmp_path)
    lived(engine, world, 300, 400)
    now_ms = world.now_ms()
    model = engine.model
    assert isinstance(model, SharedModel)
    assert model.state.moment.lessons > 10
    live, digest = weeks(engine, now_ms), model.digest()
    assert len(live) >= 5
    copy = SharedModel(shop)
    copy.load(model.dump())
    assert copy.digest() == digest
    engine.store.close()

    again = open_engine(shop, tmp_path, world=world)  # the snapshot, and a hundred steps of the log
    assert (again.model.digest(), weeks(again, now_ms)) == (digest, live)
    report = rebuild(again)
    assert report.equal
    assert report.model_after == digest
    again.store.close()


def test_the_digest_covers_hours() -> None:
    """One active hour more is another state."""
    shop, world = a_shop(), FakeWorld()
    one, two = SharedModel(shop), SharedModel(shop)
    for number, model in enumerate((one, two)):
        observation = model.observe(
            Profile("u:u"), (), at_ms=world.now_ms(), lesson=False, active=ActiveHour(number)
        )
        model.fold(1, observation)
    assert one.digest() != two.digest()
