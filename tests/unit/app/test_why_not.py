"""What is said of somebody and a campaign: how the newest message stands, and what holds it up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.why_not import why_not
from germane.domain.campaign import Enter
from germane.domain.message import Message, Why
from germane.domain.moves import (
    CampaignPut,
    CampaignTurned,
    Claimed,
    ContentPut,
    Planned,
    Settled,
    Stated,
    Switched,
)
from germane.domain.settings import Settings
from germane.testing import FakeWorld, an_event
from germane.testing.world import START_MS
from tests.unit.app.test_composing import a_campaign, a_content
from tests.unit.app.test_posting import a_message, planned

SWITCHED = Why(START_MS, "switch", "A wrong price")


@pytest.fixture
def engine(tmp_path: Path, shop: Settings) -> Iterator[Engine]:
    made = open_engine(shop, tmp_path / "data", world=FakeWorld(START_MS))
    told = {"email": "u1@x.example"}
    made.accept_now([an_event("", kind="identify", user="u1", traits=told)])
    made.put_moves(
        [
            ContentPut(a_content()),
            CampaignPut(a_campaign()),
            CampaignTurned("weekly", "live", Why(START_MS, "test", "Because.")),
            Stated("u:u1", "email_marketing", True, "test"),
        ]
    )
    yield made
    made.store.close()


def answer(engine: Engine) -> str:
    """Of u1 and the campaign."""
    found = why_not(engine, "u1", "weekly")
    assert found is not None
    return str(found["answer"])


def about(*codes: str) -> tuple[Why, ...]:
    """Reasons."""
    return tuple(Why(START_MS, code, f"About {code}") for code in codes)


def waiting(*codes: str, **changed: object) -> Planned:
    """A message that waits, with these reasons."""
    message: Message = a_message(whys=about(*codes), version="", **changed)
    return planned(message)


@pytest.mark.parametrize(
    ("codes", "says"),
    [
        (("first_moment",), "waits to go out. About first_moment."),
        (("zone_unknown", "capped", "spread"), "waits to go out. About capped. About spread."),
        (("quiet_hours", "send.put_off"), "waits to go out. About send.put_off."),
    ],
)
def test_a_message_that_waits(engine: Engine, codes: tuple[str, ...], says: str) -> None:
    """Why not sooner; that sending is stopped; that it would not go out as things stand."""
    engine.put_moves([waiting(*codes)])
    assert answer(engine) == f"The newest message {says}"
    engine.put_moves([Switched("channel", "webhook:push", True, SWITCHED)])
    assert "Sending is stopped" not in answer(engine)
    engine.put_moves([Switched("channel", "email", True, SWITCHED)])
    assert answer(engine).endswith(" Sending is stopped: A wrong price.")
    engine.put_moves([Stated("u:u1", "email_marketing", False, "test")])
    assert "As things stand it will not go out: they said no to email_marketing." in answer(engine)


def test_a_message_that_waits_for_approval(engine: Engine) -> None:
    """Whatever its last reason tells."""
    engine.put_moves([waiting("first_moment", status="approval", demands=("some",))])
    assert answer(engine).startswith(
        "The newest message waits for approval (`germane approvals list`). About first_moment."
    )


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ("sent", "is sent."),
        ("failed", "could not be delivered."),
        ("ambiguous", "(`germane messages resolve`)."),
    ],
)
def test_a_message_that_is_settled(engine: Engine, status: str, says: str) -> None:
    """And whether there could be another."""
    message = waiting("at_once")
    engine.put_moves(
        [
            message,
            Claimed(message.message.message_id, "u1@x.example", SWITCHED),
            Settled(message.message.message_id, status, Why(START_MS, "x", "It was taken: 250 OK")),  # type: ignore[arg-type]
            CampaignTurned("weekly", "paused", Why(START_MS, "test", "Because.")),
        ]
    )
    assert f"{says} It was taken: 250 OK. The campaign is paused." in answer(engine)
    engine.put_moves([Stated("u:u1", "email_marketing", False, "test")])
    assert "Another would not go out: they said no to email_marketing." in answer(engine)


def test_nothing_was_asked_for(engine: Engine) -> None:
    """It says what would be in the way."""
    assert answer(engine) == "Nothing has let them in."
    engine.put_moves([Switched("all", "", True, SWITCHED)])
    assert answer(engine) == "Nothing has let them in. Sending is stopped: A wrong price."
    found = why_not(engine, "u1", "nothing")
    assert found is not None
    assert found["answer"] == "There is no campaign 'nothing' any more."


def test_a_campaign_that_counts_by_account(engine: Engine) -> None:
    """Its enrolment is listed once, for whoever let the account in and for the others; who has no account is
    told so."""
    campaign = replace(a_campaign(), enter=Enter("Product Viewed", count=2, per="account"))
    engine.put_moves([CampaignPut(campaign)])
    for user in ("u1", "u2"):
        engine.accept_now([an_event("", kind="group", user=user, group_id="acme")])
    assert answer(engine) == "Nothing has let them in."
    engine.accept_now([an_event(user="u1", at_ms=START_MS)])
    for user in ("u1", "u2"):
        found = why_not(engine, user, "weekly")
        assert found is not None
        assert [each["subject"] for each in found["enrolments"]] == ["account:acme"]
    engine.accept_now([an_event(user="alone")])
    found = why_not(engine, "alone", "weekly")
    assert found is not None
    assert found["answer"].startswith(
        "The campaign counts by account, and they belong to none. And nothing would go out:"
    )
