"""What is said of a choice is true of what was allowed."""

from __future__ import annotations

from random import Random

import pytest

from germane.domain.decision import Ask, Reason
from germane.domain.outcome import Trial
from germane.domain.profile import Profile
from germane.predict.bandit.choosing import Chooser, seen_by_rules
from germane.predict.filters import Filters
from germane.predict.rules import Rules
from germane.testing import a_campaign
from germane.testing.world import START_MS

LATER_MS = START_MS + 9 * 86_400_000
RATES = {"mens": (0.5, 0.5), "womens": (0.05, 0.6), "": (0.02, 0.02)}
"""Action -> how often it is answered by people of whom little is known, and much."""


@pytest.fixture(scope="module")
def chooser() -> Chooser:
    """Much was learned: men's e-mail is the best single choice, and acting per person brings more."""
    shop = a_campaign(features=("known",))
    found, chance = Chooser(shop.surfaces["mail"], shop), Random(2)
    for n in range(3_000):
        action, known = chance.choice([*RATES]), chance.choice([0, 1])
        at_ms, x = START_MS + n * 60_000, (2.0 * known,)
        trial = Trial("mail", action, at_ms, found.features.layout, x, made=True, how="exploring")
        found.arms.learn(trial)
        if chance.random() < RATES[action][known]:
            layout = found.features.layout
            found.arms.learn(Trial("mail", action, at_ms, layout, x, made=False, reward=1.0))
    return found


def said(chooser: Chooser, *exclude: str) -> dict[str, Reason]:
    """Code -> reason, of a choice without these actions."""
    rules = Rules(seen_by_rules(chooser.surface), ())
    ask, filters = Ask("mail", exclude=exclude), Filters()
    person = Profile("u:1")
    ranked = chooser.choose(person, ask, rules, filters, at_ms=LATER_MS, seed=5, readiness=0.0)
    assert ranked.choice is not None
    return {each.code: each for each in ranked.choice.reasons}


def test_the_best_of_all_is_called_so_only_where_it_is_allowed(chooser: Chooser) -> None:
    """Else it is the best of those that are."""
    best = said(chooser)["best_for_everyone"].text
    assert best.startswith("Best single choice so far: Men's e-mail")
    second = said(chooser, "mens")["best_for_everyone"].text
    assert second.startswith("Best single choice of those allowed here so far: Women's e-mail")


def test_where_one_action_is_allowed_it_is_held_against_no_other(chooser: Chooser) -> None:
    """Nothing is *the nearest* to itself."""
    assert "proven_per_person" not in said(chooser), (
        "acting per person is proven, and told by person"
    )
    only = said(chooser, "mens", "womens")["not_proven_per_person"].text
    assert only == "No other action is allowed here."
    assert "nearest" in said(chooser)["not_proven_per_person"].text
