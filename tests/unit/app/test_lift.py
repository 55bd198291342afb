"""What personalisation brings, from decisions and orders to the answer in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.deciding import HOLDOUT_SALT
from germane.app.engine import Engine
from germane.app.lift import Told, figures, gathered, held_out_of, steps_of
from germane.app.opening import open_engine
from germane.domain.campaign import Leave
from germane.domain.decision import Ask, Decision
from germane.domain.event import Event
from germane.domain.ids import share_of
from germane.domain.moves import AnyMove, CampaignPut, CampaignTurned
from germane.measure.holdout import Lift
from germane.testing import FakeWorld, a_shop, an_item, an_order
from tests.unit.app.outcomes.test_outcomes import WHY, a_mail, a_run, composed
from tests.unit.app.test_composing import live

PEOPLE, DAYS = 400, 7


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    made = opened(tmp_path, 0.5)
    yield made
    made.store.close()


def opened(folder: Path, share: float) -> Engine:
    """A shop with a holdout."""
    settings = a_shop(surface={"holdout_share": share})
    engine = open_engine(settings, folder, world=FakeWorld())
    if not engine.catalogue:
        with engine.importer() as importer:
            importer.add_items([an_item(n) for n in range(30)])
    return engine


def decided(engine: Engine, user: str) -> Decision:
    """The home page is made for somebody."""
    (decision,), _ = engine.decide(user, "", "", [Ask("home")])
    return decision


def bought(decision: Decision, engine: Engine, user: str, **product: Any) -> Event:
    """They buy the first thing of it, and say where they saw it."""
    line = {"product_id": decision.items[0].item_id, "price": 10.0, "quantity": 2} | product
    properties = {"order_id": f"o-{user}", "decision_id": decision.decision_id, "products": [line]}
    return an_order([], user=user, at_ms=engine.world.now_ms(), properties=properties)


def lived(engine: Engine, people: range, *, personalised: float, held_out: float) -> None:
    """All of them are shown the page; some buy, more in one arm than in the other."""
    chance = Random(4)
    for number in people:
        user = f"p{number}"
        decision = decided(engine, user)
        rate = held_out if decision.arm == "broadcast" else personalised
        if chance.random() < rate:
            engine.accept_now([bought(decision, engine, user)])
        engine.world.advance(seconds=60)  # type: ignore[attr-defined]


def found(engine: Engine, days: int = DAYS, *, of: str = "home") -> Told:
    """As it is told."""
    reading, steps = gathered(engine, [of], days), 0
    while True:
        try:
            steps += next(reading)
        except StopIteration as ended:
            assert steps == steps_of(engine, [of])
            (surface,) = figures(ended.value, now_ms=engine.world.now_ms())
            return surface


def of(told: Told, measure: str) -> Lift:
    """One measure."""
    return next(each.lift for each in told.measures if each.measure == measure)


def later(engine: Engine, days: int) -> None:
    """Time goes by."""
    engine.world.advance(days=days)  # type: ignore[attr-defined]


def test_what_personalisation_brings(engine: Engine) -> None:
    """Counted from the log, by person; said with its interval."""
    lived(engine, range(PEOPLE), personalised=0.6, held_out=0.2)
    later(engine, DAYS)
    told = found(engine)
    answered, revenue = of(told, "answered"), of(told, "revenue")
    assert (told.people, told.waiting, told.earlier, told.of_both) == (PEOPLE, 0, 0, 0)
    assert answered.personalised.people + answered.holdout.people == PEOPLE
    assert answered.verdict == revenue.verdict == of(told, "bought").verdict == "more"
    assert answered.personalised.mean == pytest.approx(0.6, abs=0.1)
    assert revenue.holdout.mean == pytest.approx(20 * answered.holdout.mean)
    assert told.answer.startswith("Personalisation of home brings more (answered it: ")
    assert "% of the holdout, +" in told.answer


def test_where_nothing_is_brought_nothing_is_said(engine: Engine) -> None:
    """Arms that do alike."""
    lived(engine, range(PEOPLE), personalised=0.4, held_out=0.4)
    later(engine, DAYS)
    told = found(engine)
    assert of(told, "answered").verdict == "unknown"
    assert told.answer.startswith(
        "It cannot be told yet whether personalisation of home brings more"
    )


def test_whoever_is_new_does_not_count_yet(engine: Engine) -> None:
    """Until their days are over; and it is said when the first ones do."""
    lived(engine, range(50), personalised=0.6, held_out=0.2)
    told = found(engine)
    assert (told.people, told.waiting, told.measures) == (50, 50, [])
    assert told.answer.startswith("Too early to tell of home: the first people count on 20")
    later(engine, DAYS)
    lived(engine, range(50, 60), personalised=0.6, held_out=0.2)
    told = found(engine)
    assert (told.people, told.waiting) == (60, 10)
    assert told.answer.startswith("Too few people to tell of home yet")


def test_only_what_is_done_in_time_counts(engine: Engine) -> None:
    """From the first decision on, and for so many days; also what the surface did not show."""
    user = next(each for each in map(str, range(99)) if arm_of(engine, each) == "personalised")
    before = an_order(["i1"], user=user, at_ms=engine.world.now_ms() - 1)
    engine.accept_now([before])
    decision = decided(engine, user)
    engine.accept_now([an_order(["i9"], user=user, at_ms=engine.world.now_ms())])
    later(engine, 2)
    engine.accept_now([bought(decision, engine, user)])
    later(engine, DAYS)
    engine.accept_now([an_order(["i3"], user=user, at_ms=engine.world.now_ms())])
    later(engine, DAYS)
    told = found(engine)
    assert of(told, "revenue").personalised.mean == pytest.approx(9.5 + 20.0)
    assert of(told, "value").personalised.mean == pytest.approx(1.0)
    assert found(engine, 1).measures[0].lift.personalised.mean == 1.0  # bought, the day they came


def test_what_is_given_back_brings_nothing(engine: Engine) -> None:
    """The money is gone; they bought all the same."""
    user = "p1"
    decision = decided(engine, user)
    order = bought(decision, engine, user, quantity=1)
    engine.accept_now([order])
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    back = replace(order, name="Order Refunded", message_id="back", at_ms=engine.world.now_ms())
    engine.accept_now([back])
    later(engine, DAYS)
    lift = of(found(engine), "bought")
    assert lift.personalised.answers + lift.holdout.answers == 1
    assert "revenue" not in {each.measure for each in found(engine).measures}


def arm_of(engine: Engine, user: str) -> str:
    """Which one they are of."""
    place = share_of(engine.tenant, f"u:{user}", HOLDOUT_SALT)
    share = engine.settings.surfaces["home"].holdout_share
    return "broadcast" if place < share else "personalised"


def test_who_was_there_before_the_holdout_does_not_count(tmp_path: Path) -> None:
    """They are other people than those who come now, and nearly all of them of one arm."""
    engine = opened(tmp_path, 0.1)
    lived(engine, range(100), personalised=0.5, held_out=0.5)
    engine.store.close()
    engine = opened(tmp_path, 0.5)
    engine.world.advance(days=1)  # type: ignore[attr-defined]
    lived(engine, range(50, 200), personalised=0.5, held_out=0.5)
    later(engine, DAYS)
    told = found(engine)
    engine.store.close()
    assert told.people == 200
    assert 95 <= told.earlier <= 100  # all but whoever came after the last that tells
    assert f"{told.earlier:,} of 200 people do not count" in told.notes[0]
    assert not told.split_is_off


def test_who_turns_out_to_be_somebody_else_stays_where_they_began(engine: Engine) -> None:
    """A visitor of one arm signs in as somebody of the other: not left out, and said."""
    user = next(each for each in map(str, range(99)) if arm_of(engine, each) == "broadcast")
    visitor = next(
        each
        for each in map(str, range(99))
        if share_of(engine.tenant, f"a:{each}", HOLDOUT_SALT) >= 0.5
    )
    engine.decide("", visitor, "", [Ask("home")])
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    now_ms = engine.world.now_ms()
    signs_in = Event("in", "identify", now_ms, user_id=user, anonymous_id=visitor)
    engine.accept_now([signs_in, an_order(["i1"], user=user, at_ms=now_ms)])
    assert decided(engine, user).arm == "broadcast"
    later(engine, DAYS)
    told = found(engine)
    lift = of(told, "bought")
    assert (told.people, told.earlier, told.of_both) == (1, 0, 1)
    assert (lift.personalised.answers, lift.holdout.answers) == (1, 0)
    assert told.notes[0].startswith("Of both arms: 1, since two people turned out to be one")


def test_a_surface_that_nobody_answers_says_so(engine: Engine) -> None:
    """It runs blind: what people bought is told all the same."""
    for number in range(20):
        decided(engine, f"p{number}")
    engine.world.advance(seconds=60)  # type: ignore[attr-defined]
    engine.accept_now([an_order(["i29"], user="p1", at_ms=engine.world.now_ms())])
    later(engine, DAYS)
    told = found(engine)
    assert [each.measure for each in told.measures] == ["bought", "revenue"]
    assert "No outcome of home has come back" in told.notes[0]


def test_an_arm_that_loses_people_is_seen(engine: Engine) -> None:
    """No comparison can be believed then."""
    for number in range(400):
        if arm_of(engine, f"p{number}") == "personalised" or number % 4 == 0:
            decided(engine, f"p{number}")
    later(engine, DAYS)
    told = found(engine)
    assert told.split_is_off
    assert told.answer.startswith("What is said of home cannot be trusted")
    assert "treats the arms differently" in told.notes[0]


def test_nobody_yet(engine: Engine) -> None:
    """An empty log says what it is."""
    told = found(engine)
    assert (told.people, told.measures, told.notes) == (0, [], [])
    assert told.answer == "Nothing was decided for anybody by home yet."


# -- campaigns -----------------------------------------------------------------------------------


def mailed(engine: Engine, users: list[str], *, with_mail: float, without: float) -> None:
    """Each has a message or would have had; some order the day after."""
    chance, messages = Random(3), composed(engine, users)
    assert {each.status for each in messages} == {"queued", "skipped"}
    later(engine, 1)
    bought = [
        each.person[2:]
        for each in messages
        if chance.random() < (with_mail if each.status == "queued" else without)
    ]
    now_ms = engine.world.now_ms()
    engine.accept_now([an_order(["i1"], user=each, at_ms=now_ms) for each in bought])


def test_what_a_campaign_brings(engine: Engine) -> None:
    """Against those for whom it would have had a message: by its goal, and by all that they bought."""
    live(engine, a_mail(), a_run(holdout_share=0.5))
    mailed(engine, [f"p{n}" for n in range(300)], with_mail=0.7, without=0.3)
    assert found(engine, of="weekly").answer.startswith(
        "Too early to tell of weekly: the first people"
    )
    later(engine, DAYS)
    told = found(engine, of="weekly")
    goal = of(told, "goal")
    assert (told.kind, told.people, told.earlier, told.goal_unread) == ("campaign", 300, 0, False)
    assert goal.personalised.people + goal.holdout.people == 300
    assert goal.personalised.mean == pytest.approx(0.7, abs=0.1)
    assert goal == of(told, "bought")
    assert of(told, "revenue").personalised.mean == pytest.approx(9.5 * goal.personalised.mean)
    assert told.answer.startswith("Weekly brings more (reached its goal: ")
    assert told.notes == []


def test_a_campaign_with_another_holdout_begins_anew(engine: Engine) -> None:
    """And so does one that was dry: nobody had anything of it then. A pause changes nothing."""
    live(engine, a_mail(), a_run(holdout_share=0.5))
    mailed(engine, [f"p{n}" for n in range(50)], with_mail=0.5, without=0.5)
    later(engine, DAYS)
    turns: list[AnyMove] = [CampaignTurned("weekly", each, WHY) for each in ("paused", "live")]  # type: ignore[arg-type]
    engine.put_moves(turns)
    assert found(engine, of="weekly").earlier == 0
    engine.put_moves([CampaignPut(a_run(holdout_share=0.4))])
    told = found(engine, of="weekly")
    assert (told.people, told.earlier, told.measures) == (50, 50, [])
    assert told.answer.startswith("Nobody new has come to weekly since its holdout is what it is")


def test_a_goal_that_no_event_tells(engine: Engine) -> None:
    """Is not counted, and that is said; what people bought is."""
    live(
        engine,
        a_mail(),
        replace(a_run(holdout_share=0.5), goal=Leave(when="profile.evidence > 90")),
    )
    mailed(engine, [f"p{n}" for n in range(40)], with_mail=1.0, without=0.0)
    later(engine, DAYS)
    told = found(engine, of="weekly")
    assert [each.measure for each in told.measures] == ["bought", "revenue"]
    assert told.notes[0].startswith("The goal of weekly is not counted")


def test_what_everybody_gets_has_no_holdout(engine: Engine) -> None:
    """Nobody is held out of what is transactional, whatever its file says."""
    live(engine, a_mail(), a_run(holdout_share=0.5, purpose="transactional"))
    assert dict(held_out_of(engine))["weekly"] == 0.0
    assert [name for name, share in held_out_of(engine) if share] == ["home"]
