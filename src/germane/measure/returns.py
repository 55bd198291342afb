"""What a refund takes back: the reward of the purchase that it cancels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from germane.domain.event import Interaction
from germane.domain.outcome import Reward
from germane.domain.profile import Exposure, Profile
from germane.domain.settings import OutcomeSpec, SurfaceSpec
from germane.measure.credits import RETURNED, credit_key, key_of, return_key, value_of


def taken_back(
    profile: Profile,
    refund: Interaction,
    cancels: str,
    surfaces: Mapping[str, SurfaceSpec],
    already: Sequence[Reward],
) -> list[Reward]:
    """Negative rewards for the latest credited slate that the refund is about.

    Only as long as the slate is remembered (its longest attribution window), and once. A surface
    that declares an outcome of its own for the refund's signal is left to that.
    """
    for exposure in reversed(profile.exposures):
        surface = surfaces.get(exposure.surface)
        if surface is None or refund.at_ms < exposure.at_ms:
            continue
        if any(spec.signal == refund.signal for spec in surface.outcomes):
            continue
        rewards = [
            _negative(profile, exposure, spec, refund)
            for spec in surface.outcomes
            if spec.signal == cancels and _open(exposure, spec, refund.item_id, already)
        ]
        if rewards:
            return rewards
    return []


def _open(exposure: Exposure, spec: OutcomeSpec, item_id: str, already: Sequence[Reward]) -> bool:
    """Whether the outcome was credited and not taken back yet, before or in this event."""
    returned = return_key(item_id, spec.name)
    if credit_key(item_id, spec.name) not in exposure.credited or returned in exposure.credited:
        return False
    return all(
        each.decision_id != exposure.decision_id or key_of(each) != returned for each in already
    )


def _negative(
    profile: Profile, exposure: Exposure, spec: OutcomeSpec, refund: Interaction
) -> Reward:
    return Reward(
        exposure.decision_id,
        exposure.surface,
        refund.item_id,
        spec.name,
        -_worth(profile, exposure, spec, refund),
        refund.at_ms,
        RETURNED,
    )


def _worth(profile: Profile, exposure: Exposure, spec: OutcomeSpec, refund: Interaction) -> float:
    """What comes back: the refund's own amount, but never more than the purchase was worth."""
    last_ms = min(exposure.at_ms + spec.window_s * 1000, refund.at_ms)
    bought = [
        value_of(spec, each)
        for each in profile.recent
        if each.item_id == refund.item_id
        and each.signal == spec.signal
        and exposure.at_ms <= each.at_ms <= last_ms
    ]
    if not bought:
        return value_of(spec, refund)
    if refund.price is None:
        return bought[0]  # the first one in the window is the one that was credited
    return min(bought[0], value_of(spec, refund), key=abs)
