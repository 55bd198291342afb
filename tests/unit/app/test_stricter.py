"""A stricter law: what was learned of what may not be kept any more is learned no more."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import catch_up, open_engine
from germane.app.rebuild import rebuild
from germane.domain.settings import PrivacySpec
from germane.predict.model import SharedModel
from germane.testing import FakeWorld, a_shop, an_event, an_item
from germane.testing.canaries import DAY_MS


def learned(engine: Engine) -> int:
    """How many records shared state learns from."""
    return sum(bool(each.derived) for each in engine.store.read(0))


def test_the_log_and_a_rebuild_teach_the_same(tmp_path: Path, world: FakeWorld) -> None:
    """Also what is sealed (law 7)."""
    engine = open_engine(a_shop(), tmp_path, world=world)
    with engine.importer() as importer:
        importer.add_items([an_item(n) for n in range(10)])
    old_ms = world.now_ms() - 150 * DAY_MS
    times = (old_ms, old_ms + 1, world.now_ms())
    engine.accept_now([an_event(user="u1", item=f"i{n}", at_ms=x) for n, x in enumerate(times)])
    assert (engine.seal() > 0, learned(engine)) == (True, 3)
    engine.store.close()
    strict = replace(a_shop(), privacy=PrivacySpec(jurisdiction="gdpr"))
    engine = open_engine(strict, tmp_path, world=world)
    rebuilt = rebuild(engine).model
    assert engine.store.profile(engine.tenant, "u:u1") is None
    assert learned(engine) == 0
    from_log = SharedModel(engine.settings)
    catch_up(from_log, engine.store)
    assert from_log.digest() == rebuilt.digest()
    engine.store.close()
