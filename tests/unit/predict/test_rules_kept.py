"""What rules say of an item is kept, and asked anew where it may be another answer."""

from __future__ import annotations

from typing import Any

import pytest

from germane.domain.decision import Ask, Context
from germane.domain.profile import Profile
from germane.domain.settings import RuleSpec
from germane.predict.model import SharedModel
from germane.testing import a_shop, an_item
from germane.testing.world import START_MS


def model_of(*rules: RuleSpec, **surface: Any) -> SharedModel:
    still = {"diversity_quota": 0.0, "exploration_share": 0.0}
    model = SharedModel(a_shop(surface={"rules": rules, **still, **surface}))
    for number in range(20):
        model.put_item(number, an_item(number))
    return model


def shown(model: SharedModel, **context: Any) -> list[str]:
    surface, ask = model.settings.surfaces["home"], Ask("home", context=Context(**context))
    ranked = model.rank(Profile("u:1"), surface, ask, at_ms=START_MS, seed=1, readiness=0.0)
    return [each.item_id for each in ranked.items]


@pytest.mark.parametrize("kind", ["boost", "include", "exclude"])
def test_an_item_that_changes_is_asked_about_anew(kind: Any) -> None:
    model = model_of(RuleSpec(kind, when='item.brand == "chosen"', factor=1e6), size=19)
    before = shown(model)
    assert shown(model) == before
    model.put_item(21, an_item(7, brand="chosen"))
    after = shown(model)
    if kind == "boost":
        assert after[0] == "i7" != before[0]
    elif kind == "include":
        assert (before, after) == ([], ["i7"])
    else:
        assert "i7" not in after


@pytest.mark.parametrize("kind", ["boost", "exclude"])
def test_a_rule_that_reads_the_context_is_asked_each_time(kind: Any) -> None:
    condition = 'item.id == "i7" && context.device == "phone"'
    model = model_of(RuleSpec(kind, when=condition, factor=1e6), size=19)
    desk, phone = shown(model, device="desk"), shown(model, device="phone")
    if kind == "boost":
        assert phone[0] == "i7" != desk[0]
    else:
        assert ("i7" in phone, len(phone)) == (False, 19)
    assert shown(model, device="desk") == desk


@pytest.mark.parametrize("name", ["context.plan", "context.extra.plan"])
def test_what_a_request_adds_is_read_by_either_name(name: str) -> None:
    """As the request has it, and as all else of the context."""
    model = model_of(RuleSpec("exclude", when=f'item.id == "i7" && {name} == "free"'), size=20)
    assert "i7" not in shown(model, extra={"plan": "free"})
    assert "i7" in shown(model, extra={"plan": "paid"})
    assert "i7" in shown(model)


def test_an_item_that_comes_later_is_boosted() -> None:
    model = model_of(RuleSpec("boost", when='item.brand == "chosen"', factor=1e6))
    shown(model)
    model.put_item(30, an_item(30, brand="chosen"))
    assert shown(model)[0] == "i30"
    model.remove_item(31, "i30")
    assert "i30" not in shown(model)
