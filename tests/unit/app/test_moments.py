"""The best of the next hours, as the engine says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.domain.event import Event
from germane.domain.hours import HOUR_MS
from germane.domain.months import MS_PER_DAY
from germane.predict.model import SharedModel
from germane.storage.memory import MemoryStore
from germane.testing import FakeWorld, a_shop
from germane.testing.world import START_MS

MIDNIGHT = START_MS - 10 * HOUR_MS
"""2025-11-24, a Monday."""


def visits(user: str, hour: int, days: int, zone: str = "Europe/Berlin") -> list[Event]:
    """A page on each of the last days, at an hour UTC."""
    return [
        Event(
            f"{user}-{day}",
            "page",
            MIDNIGHT - day * MS_PER_DAY + hour * HOUR_MS,
            user_id=user,
            context={"timezone": zone},
        )
        for day in range(1, days + 1)
    ]


def a_day_shop() -> Engine:
    """Twenty people who come at 08:00 in Berlin, one who comes at 22:00, one who has just come."""
    settings = replace(a_shop(), timezone="Europe/Berlin")
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"k")
    for number in range(20):
        engine.accept_now(visits(f"u{number}", 7, 20))
    engine.accept_now(visits("owl", 21, 60))
    engine.accept_now(visits("new", 3, 1))
    return engine


def asked(engine: Engine, who: str, hours: int = 72, top: int = 3) -> dict[str, Any]:
    """Somebody's moment."""
    found = engine.moment(who, hours=hours, top=top)
    assert found is not None
    return found


def test_the_owl_and_the_stranger() -> None:
    """One's own hours where they are known, everyone's where not; each with its reasons."""
    engine = a_day_shop()
    owl, new = asked(engine, "owl"), asked(engine, "new")
    assert owl["best"][0]["hour"].endswith("22:00")
    assert owl["meaning"] == "Known well enough: these are mostly this person's own hours."
    reason = owl["best"][0]["reasons"][0]
    assert reason["code"] == "own_hours"
    assert reason["text"] == (
        "There around 22:00 on working days in 42 of the latest 60 active hours."
    )
    assert new["best"][0]["hour"].endswith("08:00")
    assert new["meaning"] == "Not enough is known yet: these are mostly everyone's hours."
    assert [each["code"] for each in new["best"][0]["reasons"]] == ["everyones_hours"]
    assert new["evidence"]["activeHours"] == 1


@pytest.mark.parametrize(("hours", "top"), [(1, 1), (1, 5), (2, 2), (72, 3), (336, 336)])
def test_shares_and_times(hours: int, top: int) -> None:
    """Shares are of the asked hours, best first; times are whole hours that are still to come."""
    found = asked(a_day_shop(), "owl", hours, top)
    best = found["best"]
    assert len(best) == min(hours, top)
    assert [each["share"] for each in best] == sorted((x["share"] for x in best), reverse=True)
    assert sum(each["share"] for each in best) <= 1 + 5e-5 * hours
    if top >= hours:
        assert sum(each["share"] for each in best) == pytest.approx(1, abs=5e-5 * hours)
    for each in best:
        at = datetime.fromisoformat(each["at"])
        assert (at.minute, at.second) == (0, 0)
        assert at >= datetime.fromtimestamp(START_MS / 1000, UTC)
        parts = [reason["contribution"] for reason in each["reasons"]]
        assert parts == sorted(parts, reverse=True)
    window = found["bestWindow"]
    assert window["from"] >= found["from"]
    assert window["to"] <= found["to"]
    assert 0 < window["share"] <= 1.0001


def test_the_local_hour_is_the_persons_own() -> None:
    """22:00 in Berlin is 21:00 UTC in November; another one's evening is elsewhere."""
    engine = a_day_shop()
    engine.accept_now(visits("tokyo", 12, 60, "Asia/Tokyo"))
    owl, tokyo = asked(engine, "owl"), asked(engine, "tokyo")
    assert (owl["timezone"], tokyo["timezone"]) == ("Europe/Berlin", "Asia/Tokyo")
    assert owl["best"][0]["at"].endswith("T21:00:00.000Z")
    assert tokyo["best"][0]["hour"].endswith("21:00")
    assert tokyo["best"][0]["at"].endswith("T12:00:00.000Z")


def test_the_page_of_a_person() -> None:
    """The rhythm says the best hours, what was seen, and how much to trust it."""
    engine = a_day_shop()
    owl, new = engine.person("owl"), engine.person("new")
    assert owl is not None
    assert new is not None
    assert owl["rhythm"]["activeHours"] == 60
    assert owl["rhythm"]["best"][0]["hour"].endswith("22:00")
    assert owl["rhythm"]["trust"] > 0.5 > new["rhythm"]["trust"] > 0
    assert new["rhythm"]["best"][0]["hour"].endswith("08:00")
    assert new["rhythm"]["meaning"].startswith("Not enough is known yet")


def test_nobody_known() -> None:
    """Without any hours of anybody nothing is claimed; an unknown person is no person."""
    settings = a_shop()
    engine = Engine(settings, MemoryStore(), SharedModel(settings), FakeWorld(), key=b"k")
    engine.accept_now([Event("i", "identify", START_MS, user_id="u", traits={"likes": "c1"})])
    found = engine.person("u")
    assert found is not None
    assert found["rhythm"]["meaning"] == "No hours are known yet, of anybody."
    assert found["rhythm"]["best"] == []
    assert asked(engine, "u")["best"][0]["timesAverage"] == 1.0
    assert engine.moment("nobody", hours=1, top=1) is None


def test_beside_a_server_only_own_hours_are_at_hand() -> None:
    """A command that only reads has no shared model: it says so, and claims no best hours."""
    whole = a_day_shop()
    settings = whole.settings
    reader = Engine(settings, whole.store, SharedModel(settings), FakeWorld(), key=b"k")
    found = reader.person("owl")
    assert found is not None
    assert found["rhythm"]["activeHours"] == 60
    assert found["rhythm"]["meaning"].startswith("Only this person's own hours are at hand")
    assert found["rhythm"]["best"] == []


def test_two_years_later_it_is_forgotten() -> None:
    """A read long after the last event sees nothing that is too old."""
    engine = a_day_shop()
    engine.world = FakeWorld(START_MS + 800 * MS_PER_DAY)
    found = asked(engine, "owl")
    assert found["evidence"]["activeHours"] == 0
    assert found["evidence"]["trust"] == 0
