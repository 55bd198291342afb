"""Attribution: by decision id first, by item and window second. Each outcome of an item counts once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.event import Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Exposure, Profile
from germane.domain.settings import OutcomeSpec, SurfaceSpec

Surfaces = Mapping[str, SurfaceSpec]


def attribute(
    profile: Profile, interactions: Sequence[Interaction], surfaces: Surfaces
) -> list[Reward]:
    """Rewards for what a person saw: same item, inside the outcome's window, the latest slate first."""
    rewards: list[Reward] = []
    spent: set[tuple[str, str]] = set()
    for each in interactions:
        for exposure in reversed(profile.exposures):
            surface = surfaces.get(exposure.surface)
            if surface is None or each.item_id not in exposure.items:
                continue
            found = _reward(exposure, each, surface, spent)
            if found is not None:
                rewards.append(found)
                break
    return rewards


def attribute_event(
    profile: Profile, decision: Decision, interactions: Sequence[Interaction], surfaces: Surfaces
) -> list[Reward]:
    """Rewards of an event that names its decision: exact, whether or not an impression was reported."""
    surface = surfaces.get(decision.surface)
    if surface is None:
        return []
    exposure = _exposure_of(profile, decision)
    spent: set[tuple[str, str]] = set()
    found = [
        _reward(exposure, each, surface, spent, rule="id")
        for each in interactions
        if each.item_id in exposure.items
    ]
    return [each for each in found if each is not None]


def attribute_outcome(
    profile: Profile, decision: Decision, outcome: Outcome, surface: SurfaceSpec
) -> Reward | None:
    """The reward of an outcome reported by id; ``None`` if it does not count (again)."""
    spec = next((each for each in surface.outcomes if each.name == outcome.outcome), None)
    exposure = _exposure_of(profile, decision)
    shown = any(each.item_id == outcome.item_id for each in decision.items)
    if spec is None or not shown or not _inside(exposure, spec, outcome.at_ms):
        return None
    if credit_key(outcome.item_id, spec.name) in exposure.credited:
        return None
    value = outcome.value if spec.value_from == "revenue" and outcome.value else spec.value
    return Reward(
        decision.decision_id, surface.name, outcome.item_id, spec.name, value, outcome.at_ms, "id"
    )


def credit(profile: Profile, rewards: Sequence[Reward]) -> Profile:
    """Mark outcomes as counted. An exposure that was never reported is added with what was credited."""
    if not rewards:
        return profile
    keys: dict[str, list[str]] = {}
    for reward in rewards:
        keys.setdefault(reward.decision_id, []).append(credit_key(reward.item_id, reward.outcome))
    exposures = [
        replace(each, credited=(*each.credited, *keys.pop(each.decision_id)))
        if each.decision_id in keys
        else each
        for each in profile.exposures
    ]
    exposures.extend(
        Exposure(
            reward.decision_id,
            reward.surface,
            reward.at_ms,
            (reward.item_id,),
            tuple(keys.pop(reward.decision_id)),
        )
        for reward in rewards
        if reward.decision_id in keys
    )
    return replace(profile, exposures=tuple(exposures))


def credit_key(item_id: str, outcome: str) -> str:
    """How an exposure remembers what was counted."""
    return f"{item_id}|{outcome}"


def _reward(
    exposure: Exposure,
    each: Interaction,
    surface: SurfaceSpec,
    spent: set[tuple[str, str]],
    rule: str = "window",
) -> Reward | None:
    for spec in surface.outcomes:
        key = credit_key(each.item_id, spec.name)
        if spec.signal != each.signal or not _inside(exposure, spec, each.at_ms):
            continue
        if key in exposure.credited or (exposure.decision_id, key) in spent:
            continue
        spent.add((exposure.decision_id, key))
        return Reward(
            exposure.decision_id,
            surface.name,
            each.item_id,
            spec.name,
            _value(spec, each),
            each.at_ms,
            rule,
        )
    return None


def _inside(exposure: Exposure, spec: OutcomeSpec, at_ms: int) -> bool:
    return exposure.at_ms <= at_ms <= exposure.at_ms + spec.window_s * 1000


def _value(spec: OutcomeSpec, each: Interaction) -> float:
    if spec.value_from == "revenue":
        return spec.value * (each.price or 0.0) * each.quantity
    return spec.value


def _exposure_of(profile: Profile, decision: Decision) -> Exposure:
    """As it was reported, or as it must have been if the impression never came."""
    for each in profile.exposures:
        if each.decision_id == decision.decision_id:
            shown = tuple(item.item_id for item in decision.items)
            return replace(each, items=shown, at_ms=min(each.at_ms, decision.at_ms))
    return Exposure(
        decision.decision_id,
        decision.surface,
        decision.at_ms,
        tuple(each.item_id for each in decision.items),
    )
