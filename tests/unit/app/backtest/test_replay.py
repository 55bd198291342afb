"""Predicted before it is learned, and judged honestly."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.backtest import Findings, Intake, NothingToPredict, backtest
from germane.app.backtest import replay as replaying
from germane.app.backtest.derived import settings_of, targets_of
from germane.app.backtest.plan import Plan, plan, surface_of
from germane.app.backtest.replay import Replay
from germane.app.backtest.spool import Spool
from germane.domain.event import Event
from germane.domain.item import Item
from germane.domain.settings import TrainingSpec
from germane.testing import choices

NO_TREES = TrainingSpec(enabled=False)


def taken_in(events: Iterable[Event], spool: Spool, items: Iterable[Item] = ()) -> Intake:
    items = list(items)
    settings = settings_of(["Interaction"], orders=False, prices=False, items=items, traits=[])
    intake = Intake(settings, targets_of(settings), spool)
    for item in items:
        intake.item(item)
    for event in events:
        intake.event(event)
    return intake


def planned(intake: Intake, *, sample: int | None = 0, learn_first: float = 0.5) -> Plan:
    return plan(
        intake.spool,
        intake.targets,
        NO_TREES,
        learn_first=learn_first,
        sample=sample,
        already="auto",
    )


def found_in(events: Iterable[Event], *, sample: int = 0) -> Findings:
    with Spool() as spool:
        intake = taken_in(events, spool)
        surface = surface_of(intake.settings, None, intake)
        return backtest(intake, surface, planned(intake, sample=sample), derived=True)


def event(number: int, user: str, item: str, at: int) -> Event:
    return Event(
        f"m{number}",
        "track",
        1_700_000_000_000 + at * 1000,
        name="Interaction",
        user_id=user,
        properties={"product_id": item},
    )


@pytest.fixture(scope="module")
def by_popularity() -> Findings:
    """People without any taste of their own."""
    return found_in(choices(taste=0.0, people=150, events=6_000), sample=60)


@pytest.fixture(scope="module")
def by_taste() -> Findings:
    """Half of what they choose is of their own eight items."""
    return found_in(choices(taste=0.5, people=150, events=6_000), sample=60)


def test_it_says_no_where_nothing_is_personal(by_popularity: Findings) -> None:
    """Popularity alone decides: one list for everyone is as good, and the report says so."""
    answer = by_popularity.answer
    assert answer.verdict == "no"
    assert answer.difference.value < 0.01
    assert answer.personal.n > 1_000
    assert by_popularity.crossing is None


def test_it_says_yes_where_people_have_tastes(by_taste: Findings) -> None:
    """Clearly better, and the more so the more is known."""
    answer = by_taste.answer
    assert answer.verdict == "yes"
    assert answer.difference.low > 0.1
    assert by_taste.crossing is not None
    known = {step.label: step.difference.value for step in by_taste.steps}
    assert known["20+"] > known.get("5–9", 0.0)
    repeat = next(each for each in by_taste.sources if each.name == "repeat")
    assert repeat.lost.low > 0.03


def test_nothing_of_a_moment_is_known_when_it_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two pasts that differ only in what is chosen last: the lists that are predicted there are equal."""

    def lists(last: list[str]) -> list[tuple[str, list[str]]]:
        end_s = 10_000_000
        events = list(choices(taste=0.5, people=20, items=30, events=400))
        events += [event(n, f"person-{n}", item, end_s) for n, item in enumerate(last)]
        asked: list[tuple[str, list[str]]] = []
        put = replaying._Row._put

        def kept(row: Any, name: str, slate: list[str], *, split: bool = False) -> None:
            asked.append((name, slate))
            put(row, name, slate, split=split)

        with Spool() as spool, monkeypatch.context() as patch:
            intake = taken_in(events, spool)
            what = dataclasses.replace(
                planned(intake), split_ms=1_700_000_000_000 + end_s * 1000, already="show"
            )
            patch.setattr(replaying._Row, "_put", kept)
            replay = Replay(intake, surface_of(intake.settings, None, intake), what)
            replay.run(lambda _: None)
        assert len(replay.sheet) == len(last)
        return asked

    one = lists(["item-1", "item-1", "item-1", "item-2"])
    two = lists(["item-3", "item-4", "item-9", "item-9"])
    assert {name for name, _ in one} >= {"personal", "best-sellers", "alone/sequence", "quota/15"}
    assert one == two


def test_an_item_without_a_date_cannot_be_known_before_its_first_event() -> None:
    """With a date it is there from then on; one that is never chosen was there all the time."""
    events = [event(1, "u1", "plain", 0), event(2, "u1", "dated", 200_000)]
    day = 1_700_000_000_000
    with Spool() as spool:
        items = [
            Item("dated", available_from_ms=day + 5_000),
            Item("late", available_from_ms=day + 10**9),
            Item("never"),
        ]
        intake = taken_in([*events, event(3, "u2", "late", 400_000)], spool, items)
        found = {
            each.item.item_id: (each.at_ms - day, each.late)
            for each in intake.entries(day, day + 400_000_000)
        }
    assert found["plain"] == (0, True)
    assert found["dated"] == (5_000, False)
    assert found["late"] == (400_000_000, True)
    assert found["never"][0] < 0
    assert not found["never"][1]


def test_what_the_first_month_has_already_is_not_called_new() -> None:
    """Its age is not known; what comes later is new when it comes."""
    days = 86_400
    events = [event(n, "u1", f"i{n}", n * 10 * days) for n in range(20)]
    with Spool() as spool:
        intake = taken_in(events, spool)
        begin, end = int(spool.at_ms.min()), int(spool.at_ms.max())
        found = {each.item.item_id: each.item.created_ms for each in intake.entries(begin, end)}
    assert all(found[f"i{n}"] < begin - 300 * days * 1000 for n in range(3))
    assert all(found[f"i{n}"] == begin + n * 10 * days * 1000 for n in range(3, 20))


def test_events_come_by_time_whatever_the_order_of_the_file() -> None:
    """Those of one time together, in the order of the file."""
    with Spool() as spool:
        taken_in(
            [event(1, "a", "x", 5), event(2, "b", "y", 1), event(3, "c", "z", 5)],
            spool,
        )
        found = [(at % 10**6, [each.message_id for each in group]) for at, group in spool.groups()]
    assert found == [(1000, ["m2"]), (5000, ["m1", "m3"])]


def test_what_came_twice_counts_once() -> None:
    """By the message id."""
    with Spool() as spool:
        intake = taken_in([event(1, "a", "x", 1), event(1, "a", "x", 1)], spool)
        assert len(spool) == 1
        assert intake.noticed.duplicates == 1


def test_stopped_on_the_way_it_says_how_far_it_came() -> None:
    """With what was reached; too early it is an error."""
    events = list(choices(taste=0.5, people=30, events=600))
    done: list[int] = []
    with Spool() as spool:
        intake = taken_in(events, spool)
        surface, what = surface_of(intake.settings, None, intake), planned(intake)
        found = backtest(
            intake,
            surface,
            what,
            derived=True,
            progress=done.append,
            stop=lambda: len(done) >= 400,
        )
        assert found.sample.stopped_ms is not None
        assert found.sample.events_done == 400
        assert found.sample.occasions == 100
        with pytest.raises(NothingToPredict):
            backtest(intake, surface, what, derived=True, stop=lambda: True)


def test_a_sample_is_of_people() -> None:
    """So many, the same every time; all of them are learned."""
    events = list(choices(taste=0.5, people=60, events=900))
    with Spool() as spool:
        intake = taken_in(events, spool)
        some, again = planned(intake, sample=10), planned(intake, sample=10)
        everyone = planned(intake)
    assert len(some.people) == 10
    assert some == again
    assert some.people < everyone.people
    assert some.occasions < everyone.occasions


@pytest.mark.parametrize(
    "events",
    [[], [event(1, "a", "x", 1)], [event(n, f"u{n}", "x", 1) for n in range(5)]],
)
def test_too_little_is_an_error(events: list[Event]) -> None:
    """Nothing, one event, one time."""
    with Spool() as spool:
        intake = taken_in(events, spool)
        with pytest.raises(NothingToPredict):
            planned(intake)


def test_what_people_never_choose_again_is_left_out() -> None:
    """Everyone takes each item once at most: the data tell that lists of what they had are of no use."""
    events = [
        event(100 * user + n, f"u{user}", f"i{(user * 7 + n * 3) % 60}", 40 * n + user)
        for n in range(20)
        for user in range(40)
    ]
    with Spool() as spool:
        intake = taken_in(events, spool)
        replay = Replay(intake, surface_of(intake.settings, None, intake), planned(intake))
        replay.run(lambda _: None)
    assert replay.leave_out
    assert len(replay.sheet) == 400


def test_who_has_not_come_back_yet_says_nothing_of_repeats() -> None:
    """Hardly any repeats in all, since nearly everyone is new; of those who come back, half repeat."""
    events = [event(n, f"new-{n}", f"i{n % 50}", n) for n in range(4_000)]
    events += [
        event(10_000 + 10 * user + n, f"back-{user}", f"i{user % 50 + n % 2}", 500 * n + user)
        for user in range(40)
        for n in range(4)
    ]
    with Spool() as spool:
        intake = taken_in(events, spool)
        replay = Replay(
            intake, surface_of(intake.settings, None, intake), planned(intake, sample=5)
        )
        replay.run(lambda _: None)
    assert not replay.leave_out


def test_settings_are_derived_by_usual_names() -> None:
    """Purchases are choices, views are interest, refunds take back; attributes come from the items."""
    items = [
        Item(
            f"i{n}",
            category=f"c{n % 3}",
            brand="b",
            attributes={"colour": f"x{n % 4}", "note": f"{n}"},
        )
        for n in range(40)
    ]
    found = settings_of(
        ["page_view", "add_to_cart", "purchase", "refund"],
        orders=True,
        prices=True,
        items=items,
        traits=["role"],
    )
    weights = {each.event: (each.weight, each.repeat) for each in found.signals.values()}
    assert weights == {
        "page_view": (1.0, False),
        "add_to_cart": (3.0, False),
        "purchase": (5.0, True),
        "refund": (-1.0, False),
    }
    assert targets_of(found) == {"purchase"}
    assert set(found.attributes) == {"category", "brand", "colour"}
    assert found.diversity_attribute == "category"
    assert replace(found.traits["role"]).attribute == ""
