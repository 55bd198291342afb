"""A decision known only by its signed id, because the node died before its record was durable."""

from __future__ import annotations

from germane.app.decision_id import verify
from germane.domain.decision import Decision, SlateItem


def stub_decision(decision_id: str, key: bytes) -> Decision | None:
    """What the id says; ``None`` when it is not signed by us. Features and propensities are gone."""
    said = verify(decision_id, key)
    if said is None:
        return None
    items = tuple(
        SlateItem(item_id, position, 0.0, 1.0, "relevant", {})
        for position, item_id in enumerate(said.items)
    )
    return Decision(
        decision_id=decision_id,
        person="",
        surface=said.surface,
        arm=said.arm,
        at_ms=said.at_s * 1000,
        expires_ms=said.at_s * 1000,
        seed=said.seed,
        model_version=said.model_version,
        personal_seq=0,
        shared_seq=0,
        readiness=0.0,
        items=items,
    )
