"""Impressions and outcomes at the edge: what could never count is refused, the receipt tells the rest."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.domain.decision import Ask, Decision
from germane.domain.ids import order_key
from germane.domain.settings import OutcomeSpec
from germane.measure.credits import whole_key
from germane.testing import FakeWorld, a_campaign, an_item, an_order
from tests.unit.api.test_edge import SERVER, refused, send

DAY_MS = 86_400_000


@pytest.fixture
def revenue(tmp_path: Path, world: FakeWorld) -> Iterator[Engine]:
    """A choice surface whose outcome counts revenue, and a grid whose outcome counts purchases."""
    money = (OutcomeSpec("money", "purchase", 2 * 86_400, 1.0, "revenue"),)
    opened = open_engine(a_campaign(outcomes=money), tmp_path / "data", world=world)
    with opened.importer() as importer:
        importer.add_items([an_item(n) for n in range(20)])
    yield opened
    opened.store.close()


def decided(engine: Engine, surface: str) -> Decision:
    """For one known person."""
    (found,), _ = engine.decide("u1", "", "", [Ask(surface)])
    return found


def report(path: str, **said: Any) -> tuple[str, str, dict[str, Any]]:
    """A call."""
    return "POST", f"/v1/{path}", {"json": said, "auth": SERVER}


def rfc(ms: int) -> str:
    """As it is on the wire."""
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def test_revenue_needs_its_value(revenue: Engine) -> None:
    """A value that is missing would count as 1, and the right one would be a duplicate."""
    said = {"decisionId": decided(revenue, "mail").decision_id, "outcome": "money"}
    missing, free = send(revenue, report("outcomes", **said), report("outcomes", **said, value=0))
    error = refused(missing, 400, "decide.value_needed")
    assert error["message"] == "Outcome 'money' of mail counts revenue: it needs `value`."
    assert free.json()["verdict"] == "counted"
    (choice,) = revenue.whose("u1").choices
    assert choice.value == 0.0


def test_the_receipt_tells_the_truth(revenue: Engine, world: FakeWorld) -> None:
    """Counted once, then a duplicate that is not stored."""
    slate = decided(revenue, "home")
    said = {"decisionId": slate.decision_id, "outcome": "purchase"}
    calls = [report("outcomes", **said, itemId=slate.items[0].item_id)] * 2
    one, two = (each.json() for each in send(revenue, *calls))
    assert (one["accepted"], one["duplicates"], one["verdict"]) == (1, 0, "counted")
    assert (two["accepted"], two["duplicates"], two["verdict"]) == (0, 1, "duplicate")
    assert two["offset"] == one["offset"], "what is no news is not in the log"
    assert "not counted again" in two["meaning"]
    assert revenue.stats()["outcomes_total"] == 1


@pytest.mark.parametrize("surface", ["home", "mail"])
def test_after_the_window_the_answer_says_so(
    revenue: Engine, world: FakeWorld, surface: str
) -> None:
    """It is kept, and counts for nothing."""
    made = decided(revenue, surface)
    world.advance(days=30)
    item = made.items[0].item_id if surface == "home" else ""
    name = "purchase" if surface == "home" else "money"
    said = {"decisionId": made.decision_id, "outcome": name, "itemId": item, "value": 3}
    (late,) = send(revenue, report("outcomes", **said))
    assert (late.json()["accepted"], late.json()["verdict"]) == (1, "late")
    assert revenue.stats()["outcomes_total"] == 0


def test_a_report_is_no_older_than_its_decision(revenue: Engine, world: FakeWorld) -> None:
    """Years before: an error. A clock that is two minutes slow: the time of the decision."""
    world.advance(days=1)
    made = decided(revenue, "mail")
    slate = decided(revenue, "home")
    said = {"decisionId": made.decision_id, "outcome": "money", "value": 5}
    seen = {"decisionId": slate.decision_id, "positions": [0]}
    old, slow = "2020-01-01T00:00:00Z", rfc(made.at_ms - 120_000)
    answers = send(
        revenue,
        report("outcomes", **said, timestamp=old),
        report("impressions", **seen, timestamp=old),
        report("outcomes", **said, timestamp=slow),
        report("impressions", **seen, timestamp=slow),
    )
    for each in answers[:2]:
        refused(each, 400, "decide.too_early")
    assert answers[2].json()["verdict"] == "counted"
    assert answers[3].json()["accepted"] == 1
    assert revenue.whose("u1").exposures[0].at_ms == slate.at_ms


def test_positions_that_the_decision_does_not_have(revenue: Engine) -> None:
    """Named; nothing of the report is taken."""
    slate = decided(revenue, "home")
    (answer,) = send(revenue, report("impressions", decisionId=slate.decision_id, positions=[0, 7]))
    error = refused(answer, 400, "decide.not_shown")
    assert error["details"] == {"positions": [7]}
    assert error["hint"] == "It filled the positions 0 to 4."
    assert revenue.stats()["impressions_total"] == 0


def test_an_order_by_report_and_by_event_counts_once(revenue: Engine, world: FakeWorld) -> None:
    """Whichever comes first; and a rebuild finds the same."""
    made = decided(revenue, "mail")
    order = an_order(["i1", "i2"], at_ms=world.now_ms(), order_id="o1")
    said = report(
        "outcomes", decisionId=made.decision_id, outcome="money", value=42.5, orderId="o1"
    )
    (told,) = send(revenue, said)
    assert told.json()["verdict"] == "counted"
    revenue.accept_now([order])
    (choice,) = revenue.whose("u1").choices
    whole = whole_key(order_key("purchase", "o1"), "money")
    assert (choice.value, choice.credited) == (42.5, (whole,))
    revenue.accept_now([an_order(["i3"], at_ms=world.now_ms(), order_id="o2")])
    (choice,) = revenue.whose("u1").choices
    assert choice.credited == (whole, "i3|money")
