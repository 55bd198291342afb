"""What is at stake in a message, in numbers: approval may be demanded above an amount."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from germane.domain.content import Claim
from germane.domain.decision import Decision

EXPECTED = "expected"
"""The amount that a message is expected to bring: of its choices together, less their costs."""


def amounts_of(claims: Iterable[Claim], decisions: Sequence[Decision]) -> dict[str, float]:
    """Amounts by name: each number that is said of an item (``price``, ``discount``, an attribute), the
    highest where several are; and what its choices are expected to bring (``expected``)."""
    found: dict[str, float] = {}
    for each in claims:
        if isinstance(each.value, int | float) and not isinstance(each.value, bool):
            found[each.field] = max(float(each.value), found.get(each.field, float("-inf")))
    means = [
        arm.mean
        for each in decisions
        if each.choice is not None
        for arm in each.choice.arms
        if arm.action == each.choice.action
    ]
    return found | ({EXPECTED: sum(means)} if means else {})
