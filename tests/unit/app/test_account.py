"""The account that a person acts for is part of the question."""

from __future__ import annotations

from germane.app import Engine
from germane.domain.decision import Ask
from germane.testing import an_event


def test_the_account_is_logged_and_can_be_asked_for_in_filters(engine: Engine) -> None:
    """As asked; when nothing is said, the one that the profile knows."""
    ask = Ask("home", filter='context.account == "acme"')
    (theirs,), _ = engine.decide("u1", "", "acme", [ask])
    assert theirs.ask.context.account == "acme"
    assert theirs.items
    (nobodys,), _ = engine.decide("u1", "", "", [ask])
    assert (nobodys.ask.context.account, nobodys.items) == ("", ())
    engine.accept_now([an_event(kind="group", name="", group_id="acme", properties={})])
    (known,), _ = engine.decide("u1", "", "", [ask])
    assert known.ask.context.account == "acme"
    assert known.items
