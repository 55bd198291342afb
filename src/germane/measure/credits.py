"""How an exposure remembers what was counted for it, and what an interaction is worth."""

from __future__ import annotations

from germane.domain.event import Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.settings import OutcomeSpec

RETURNED = "returned"
"""Rule of a reward that takes one back as a whole."""
PARTLY = "returned in part"
"""Rule of a reward that takes a part of one back: pieces of what was bought are left."""


def credit_key(item_id: str, outcome: str) -> str:
    """``item|outcome``: counted once."""
    return f"{item_id}|{outcome}"


def whole_key(order: int, outcome: str) -> str:
    """``|order|outcome``: a whole order, counted once. No item's: their keys begin with the item."""
    return f"|{order}|{outcome}"


def return_key(item_id: str, outcome: str) -> str:
    """``item|outcome|returned``: taken back once."""
    return f"{item_id}|{outcome}|{RETURNED}"


def key_of(reward: Reward) -> str:
    """What a reward leaves behind in its exposure."""
    if reward.order and not reward.item_id:
        return whole_key(reward.order, reward.outcome)
    make = return_key if reward.rule == RETURNED else credit_key
    return make(reward.item_id, reward.outcome)


def reported_value(spec: OutcomeSpec, outcome: Outcome) -> float:
    """What a reported outcome is worth: the declared value; of revenue, that times the amount.

    Revenue without its amount is refused where it is reported; one that is in the log counts as one unit,
    as an event's does.
    """
    if spec.value_from == "revenue" and outcome.value is not None:
        return spec.value * outcome.value
    return spec.value


def value_of(spec: OutcomeSpec, each: Interaction) -> float:
    """What an interaction is worth: the declared value, or that times price times quantity.

    Revenue whose price neither the event nor the catalogue tells counts as one unit, so that it is not lost
    as a response (``app.prices`` fills in the catalogue's).
    """
    if spec.value_from == "revenue" and each.price is not None:
        return spec.value * each.price * each.quantity
    return spec.value
