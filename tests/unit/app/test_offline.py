"""Who somebody is offline and online is linked where they agreed to that, and nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.event import Event
from germane.domain.moves import Stated
from germane.domain.purposes import OFFLINE
from germane.domain.settings import PrivacySpec
from germane.testing import FakeWorld, a_shop, an_event
from germane.testing.world import START_MS

SHOP = replace(a_shop(), privacy=PrivacySpec(offline_ids=("card:",)))
LINKS: list[dict[str, Any]] = [
    {"kind": "alias", "user": "ann", "anonymous_id": "", "previous_id": "card:7"},
    {"kind": "alias", "user": "card:7", "anonymous_id": "", "previous_id": "ann"},
    {"kind": "identify", "user": "ann", "anonymous_id": "card:7"},
    {"kind": "identify", "user": "card:7", "anonymous_id": "web"},
]


def opened(folder: Path) -> Engine:
    """Somebody at the till, and somebody on the site."""
    engine = open_engine(SHOP, folder / "data", world=FakeWorld())
    engine.accept_now(
        [
            an_event(user="card:7", item="i1"),
            an_event(user="", anonymous_id="card:7", item="i1"),
            an_event(user="ann", item="i2"),
            an_event(user="", anonymous_id="web", item="i2"),
        ]
    )
    return engine


def consented(engine: Engine, link: dict[str, Any], *, granted: bool) -> None:
    engine.put_moves([Stated(f"u:{link['user']}", OFFLINE, granted, "form", salt="s")])


def people(engine: Engine) -> set[str]:
    return {each.person for each in engine.profiles()}


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_without_a_yes_they_stay_two(tmp_path: Path, link: dict[str, Any]) -> None:
    """The event is heard without the link; it is refused by name, and no byte of the log links the two."""
    engine = opened(tmp_path)
    before = people(engine)
    engine.accept_now([an_event("", traits={"likes": "c1"}, message_id="m", **link)])
    assert people(engine) == before
    assert engine.refused[f"{link['kind']} of an offline id"] == 1
    assert {each.item_id for each in engine.whose("ann").recent} == {"i2"}
    assert {each.item_id for each in engine.whose("card:7").recent} == {"i1"}
    kept = [each for each in engine.store.read(4) if b"card:7" in each.body]
    assert all(b"ann" not in each.body and b"web" not in each.body for each in kept)
    kind = link["kind"]
    assert ("likes" in engine.whose(link["user"]).traits) == (kind == "identify")
    assert rebuild(engine).equal
    engine.store.close()


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_after_a_yes_they_are_one(tmp_path: Path, link: dict[str, Any]) -> None:
    """The next time that it is said; a no before it is not enough."""
    engine = opened(tmp_path)
    consented(engine, link, granted=False)
    engine.accept_now([an_event("", message_id="m1", **link)])
    assert len(engine.whose(link["user"]).recent) == 1
    consented(engine, link, granted=True)
    engine.accept_now([an_event("", message_id="m2", **link)])
    assert {each.item_id for each in engine.whose(link["user"]).recent} == {"i1", "i2"}
    assert rebuild(engine).equal
    engine.store.close()


def test_a_no_of_the_other_side_counts(tmp_path: Path) -> None:
    """The stricter of both."""
    engine, link = opened(tmp_path), LINKS[0]
    consented(engine, link, granted=True)
    engine.put_moves([Stated("u:card:7", OFFLINE, False, "till", salt="s")])
    engine.accept_now([an_event("", message_id="m", **link)])
    assert {each.item_id for each in engine.whose("ann").recent} == {"i2"}
    engine.store.close()


def test_ids_of_one_kind_are_linked_as_ever(tmp_path: Path) -> None:
    """Two cards of one person, and a visitor who signs in."""
    engine = opened(tmp_path)
    cards = an_event("", kind="alias", user="card:8", anonymous_id="", previous_id="card:7")
    engine.accept_now([cards, an_event("", kind="identify", user="ann", anonymous_id="web")])
    assert {each.item_id for each in engine.whose("card:8").recent} == {"i1"}
    assert len(engine.whose("ann").recent) == 2
    assert engine.refused.total() == 0
    engine.store.close()


def test_a_no_inside_of_a_refused_link_is_heard(tmp_path: Path) -> None:
    """As in every event."""
    engine = opened(tmp_path)
    context = {"consent": {"categoryPreferences": {}}}
    engine.accept_now(
        [Event("m", "alias", START_MS, user_id="ann", previous_id="card:7", context=context)]
    )
    assert engine.whose("ann").consent["personalisation"] is False
    assert engine.whose("card:7").consent == {}
    engine.store.close()
