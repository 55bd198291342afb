"""``germane person`` says what somebody took out."""

from __future__ import annotations

from germane.cli.asking import muted_lines
from germane.domain.muting import Muted, Objection, item_key
from germane.domain.profile import Profile
from germane.profile.view import view
from germane.testing import a_shop, an_item
from germane.testing.world import START_MS

DAY_MS = 86_400_000


def test_a_sentence_each() -> None:
    """Items, actions, values and reasons; what is over is not said."""
    later, before = START_MS + DAY_MS, START_MS - DAY_MS
    muted = Muted(
        items={"i1": later, item_key("news", "mail"): later, "i2": before},
        values={"category": {"c1": later, "c2": before}},
        sources={
            "interests": Objection(later, "You are interested in c1"),
            "price": Objection(before, "In your usual price range"),
        },
    )
    items = {"i1": an_item(1)}
    found = view(Profile("u:ann", muted=muted), a_shop(), items.get, START_MS)["muted"]
    assert muted_lines(found) == [
        "Wants to see less of: c1 (until 2025-11-25)",
        "Does not want to see: Item 1 (until 2025-11-25)",
        "Does not want to see: news (until 2025-11-25)",
        "Wants nothing chosen by what you are interested in (until 2025-11-25)",
    ]
    assert [each["choiceOf"] for each in found["items"]] == [None, "mail"]
