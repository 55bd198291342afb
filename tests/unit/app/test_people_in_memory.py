"""However many people come by, so many are kept in memory; it changes nothing that is answered."""

from __future__ import annotations

from germane.app.engine import Engine
from germane.config import load_text
from germane.domain.decision import Ask
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import a_shop, an_event, an_item
from germane.testing.world import FakeWorld

PEOPLE, KEPT = 300, 100


def an_engine(kept: int) -> Engine:
    """One that has met all of them."""
    settings = a_shop(surface={"exploration_share": 0.0})
    engine = Engine(
        settings,
        MemoryStore(),
        SharedModel(settings),
        FakeWorld(),
        key=b"k" * 32,
        people_in_memory=kept,
    )
    with engine.importer() as importer:
        importer.add_items([an_item(number) for number in range(30)])
        importer.add(
            [an_event(user=f"u{n}", item=f"i{n % 30}", message_id=f"m{n}") for n in range(PEOPLE)]
        )
    return engine


def answers(engine: Engine) -> list[list[str]]:
    made = (engine.decide(f"u{n}", "", "", [Ask("home")], record=False)[0] for n in range(PEOPLE))
    return [[each.item_id for each in decisions[0].items] for decisions in made]


def test_memory_is_bounded_and_answers_are_the_same() -> None:
    small, large = an_engine(KEPT), an_engine(10 * PEOPLE)
    assert answers(small) == answers(large)
    assert len(small._memory._profiles._recent) == KEPT
    assert len(large._memory._profiles._recent) >= PEOPLE


def test_it_is_a_setting() -> None:
    assert load_text("[server]\npeople_in_memory = 200\n", {}).runtime.people_in_memory == 200
