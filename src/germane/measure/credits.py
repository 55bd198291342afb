"""How an exposure remembers what was counted for it, and what an interaction is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from germane.domain.event import Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Credit
from germane.domain.settings import OutcomeSpec

Balances = dict[tuple[str, str, int], Credit]
"""By item, outcome and order: what was credited to one slate or choice."""
LEAST = 1e-9
"""Revenue below this is none."""
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


def worth_of(spec: OutcomeSpec, lines: Sequence[Interaction]) -> float:
    """What the lines of one item in one event are worth: the sum of revenue, or the declared value once."""
    if spec.value_from == "revenue":
        return sum(value_of(spec, each) for each in lines)
    return spec.value


def bundled(interactions: Iterable[Interaction]) -> list[list[Interaction]]:
    """What one event says of the same item, signal, time and order, together."""
    found: dict[tuple[str, str, int, int], list[Interaction]] = {}
    for each in interactions:
        found.setdefault((each.item_id, each.signal, each.at_ms, each.order), []).append(each)
    return list(found.values())


def balances(
    kept: Iterable[Credit], rewards: Iterable[Reward] = (), *, reported: bool = False
) -> Balances:
    """The balances of a slate or choice after more rewards of it.

    Args:
        kept: As it was.
        rewards: All of the same decision, in their order; those that take back take what is left.
        reported: Whether the new ones were reported by id, without an event.
    """
    found = {_place(each): each for each in kept}
    for each in rewards:
        credit = Credit(
            each.item_id, each.outcome, each.value, each.value, each.at_ms, each.order, reported
        )
        place = _place(credit)
        if not takes_back(each):
            found.setdefault(place, credit)
        elif place in found:
            left = 0.0 if each.rule == RETURNED else found[place].left + each.value
            found[place] = replace(found[place], left=left)
    return found


def takes_back(reward: Reward) -> bool:
    """Whether it takes one back."""
    return reward.rule in (RETURNED, PARTLY)


def _place(credit: Credit) -> tuple[str, str, int]:
    return credit.item_id, credit.outcome, credit.order
