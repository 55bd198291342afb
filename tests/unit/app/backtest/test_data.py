"""Checks of the data, what to collect next, and what traits speak for."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from germane.app.backtest.advice import advice
from germane.app.backtest.derived import settings_of, targets_of
from germane.app.backtest.findings import Answer, Check, Newcomers
from germane.app.backtest.health import checks, facts
from germane.app.backtest.intake import Intake
from germane.app.backtest.spool import Spool
from germane.app.backtest.traits import learned
from germane.domain.event import Event
from germane.domain.item import Item
from germane.measure.bootstrap import Estimate

DAY_MS = 86_400_000
START_MS = 19_700 * DAY_MS
NOTHING = Estimate(0.0, -0.02, 0.02, 500, 100)
ANSWER = Answer(
    "no", NOTHING, NOTHING, NOTHING, "best-sellers", NOTHING, "goes with the last", NOTHING
)
QUIET = Newcomers(0, 0, 0, 0, 0, 0, 100)


def intake_of(spool: Spool, rows: list[tuple[str, str, int]], items: list[Item]) -> Intake:
    settings = settings_of(["Interaction"], orders=False, prices=True, items=items, traits=["role"])
    intake = Intake(settings, targets_of(settings), spool)
    for item in items:
        intake.item(item)
    for number, (user, item_id, at_ms) in enumerate(rows):
        intake.event(
            Event(
                f"m{number}",
                "track",
                START_MS + at_ms,
                name="Interaction",
                user_id=user,
                properties={"product_id": item_id},
            )
        )
    return intake


def test_numbers_of_a_small_past() -> None:
    """Counted by hand: two people, six choices, one robot. What one person chose at one time is one."""
    rows = [("a", f"i{n % 3}", n * DAY_MS + 5) for n in range(5)]
    rows += [("b", "i0", 0), ("b", "i9", 0)]
    rows += [("robot", "i0", 1_000 * n + 7) for n in range(400)]
    with Spool() as spool:
        found = facts(intake_of(spool, rows, [Item("i0", category="x"), Item("i1")]))
    assert found.people == 3
    assert found.times_median == 5
    assert found.enough == 2 / 3
    assert found.once == 1 / 3
    assert found.equal == 2 / 407
    assert found.robots == 1
    assert found.categorised == (2 + 1 + 400) / 407
    assert found.unknown == (1 + 1) / 407
    assert found.half_items == 1
    assert found.priced == 0
    assert found.told == 0


def test_whoever_looked_before_is_not_seen_at_one_time_only() -> None:
    """Times of choosing are one number, times at which somebody is seen another."""
    rows = [("a", "i0", DAY_MS), ("b", "i0", DAY_MS), ("b", "i1", DAY_MS), ("c", "i1", 5)]
    with Spool() as spool:
        intake = intake_of(spool, rows, [Item("i0"), Item("i1")])
        intake.event(Event("look", "track", START_MS, name="Looked", user_id="a"))
        found = facts(intake)
    assert found.times_median == 1
    assert found.once == 2 / 3


def test_checks_and_advice_follow_the_numbers() -> None:
    """What is wrong is marked and asked for; what is right is not."""
    bad = [(f"u{n}", f"i{n % 7}", (n % 3) * DAY_MS) for n in range(60)]
    with Spool() as spool:
        intake = intake_of(spool, bad, [])
        found = facts(intake)
        levels = {each.name: each.level for each in checks(intake, found)}
        told = {each.title for each in advice(intake, found, ANSWER, (), QUIET)}
    assert levels["People with enough history"] == "bad"
    assert levels["Time covered"] == "bad"
    assert levels["Times"] == "warning"
    assert levels["Catalogue"] == "warning"
    assert told >= {"A catalogue with categories", "Exact times", "Who comes back", "Prices"}
    good = [(f"u{n % 9}", f"i{n % 20}", n * DAY_MS // 4 + 977) for n in range(400)]
    items = [Item(f"i{n}", category="x", available_from_ms=1) for n in range(20)]
    with Spool() as spool:
        intake = intake_of(spool, good, items)
        found = replace_priced(facts(intake))
        levels = {each.name: each.level for each in checks(intake, found)}
        told = {each.title for each in advice(intake, found, ANSWER, (), QUIET)}
    assert levels["People with enough history"] == levels["Time covered"] == "good"
    assert levels["Times"] == levels["Categories"] == levels["Unknown items"] == "good"
    assert levels["Dates of items"] == "good"
    assert told == set()


def test_dates_that_are_later_than_events_are_told() -> None:
    """They are not used, so the check is not good: how many, which, and what to correct."""
    rows = [(f"u{n % 9}", f"i{n % 20}", n * DAY_MS // 4) for n in range(400)]
    items = [Item(f"i{n}", category="x", available_from_ms=1) for n in range(20)]
    items[3] = replace(items[3], available_from_ms=START_MS + 30 * DAY_MS)
    items[4] = replace(items[4], available_from_ms=START_MS + DAY_MS)  # with its first event
    items.append(Item("never", category="x", available_from_ms=START_MS + 900 * DAY_MS))
    with Spool() as spool:
        intake = intake_of(spool, rows, items)
        (found,) = (x for x in checks(intake, facts(intake)) if x.name == "Dates of items")
    assert intake.misdated == ["i3"]
    assert (found.level, found.value) == ("warning", "95% of items")
    assert (
        "1 of the items has an available_from that is later than an event that names"
        in found.meaning
    )
    assert "('i3': 2024-01-08 00:00, but an event of 2023-12-09 18:00)" in found.meaning
    assert "--map items.available_from=COLUMN" in found.meaning


def test_ids_that_do_not_fit_are_shown() -> None:
    """One of either side, and how to name the column that is meant."""
    rows = [(f"u{n % 9}", f"i{n % 20}", n * DAY_MS // 4) for n in range(400)]
    with Spool() as spool:
        intake = intake_of(spool, rows, [Item("SKU-0"), Item("i1")])
        (found,) = (x for x in checks(intake, facts(intake)) if x.name == "Unknown items")
    assert (found.level, found.value) == ("bad", "95.0% of choices")
    assert "Chosen: 'i0'; in the catalogue: 'SKU-0'." in found.meaning
    assert "--map items.item_id=COLUMN" in found.meaning


def replace_priced(found: object) -> object:
    return found._replace(priced=1.0, told=1.0)  # type: ignore[attr-defined]


def test_more_data_is_asked_for_when_it_is_not_clear() -> None:
    """With how wide the interval is."""
    rows = [(f"u{n % 9}", f"i{n % 20}", n * DAY_MS // 4 + 977) for n in range(400)]
    with Spool() as spool:
        intake = intake_of(spool, rows, [])
        unclear = replace(ANSWER, verdict="unclear")
        first = advice(intake, facts(intake), unclear, (), QUIET)[0]
    assert "± 2.0 in a hundred" in first.why


def test_traits_point_where_more_of_these_people_turn() -> None:
    """Gardeners turn to plants, and the others do not; a trait that says nothing points nowhere."""
    chance = np.random.default_rng(4)
    items = [Item(f"{kind}-{n}", category=kind) for kind in "abcdef" for n in range(5)]
    items += [Item(f"plant-{n}", category="plant") for n in range(5)]
    rows, said = [], []
    for person in range(120):
        gardener = person % 2 == 0
        said.append((f"p{person}", "gardener" if gardener else "cook", f"m{person % 3}"))
        for n in range(6):
            kind = "plant" if gardener and n < 3 else "abcdef"[int(chance.integers(6))]
            rows.append((f"p{person}", f"{kind}-{int(chance.integers(5))}", 1_000 * n + person))
    with Spool() as spool:
        intake = intake_of(spool, rows, items)
        traits = dict.fromkeys(("role", "month"), intake.settings.traits["role"])
        intake.settings = replace(
            intake.settings,
            traits={name: replace(spec, name=name) for name, spec in traits.items()},
        )
        for user, role, month in said:
            event = Event(
                f"t-{user}", "identify", 0, user_id=user, traits={"role": role, "month": month}
            )
            intake.event(event, timed=False)
        found = learned(intake, START_MS + 10**9)
        early = learned(intake, START_MS)
    assert found["role"].attribute == "category"
    assert found["role"].values["gardener"] == ("plant",)
    assert "plant" not in found["role"].values.get("cook", ())
    assert found["month"].attribute == ""
    assert early["role"].attribute == ""  # nothing from the time that is predicted


def test_rows_of_the_catalogue_are_counted_apart() -> None:
    """They are no rows of events, and spoil no share of those."""
    rows = [("a", f"i{n % 3}", n * DAY_MS + 5) for n in range(5)]
    with Spool() as spool:
        intake = intake_of(spool, rows, [Item("i0", category="x"), Item("i1")])
        intake.noticed.rows = 5
        assert [each.value for each in row_checks(intake)] == ["0 of 5"]
        intake.noticed.item_rows = 3
        intake.noticed.items_rejected["no item id"] = 1
        events, items = row_checks(intake)
    assert (events.value, events.level) == ("0 of 5", "good")
    assert (items.value, items.level, "no item id" in items.meaning) == ("1 of 3", "bad", True)


def row_checks(intake: Intake) -> list[Check]:
    """What is said of rows that could not be used."""
    return [each for each in checks(intake, facts(intake)) if "could not be used" in each.name]
