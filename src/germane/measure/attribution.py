"""Attribution: by decision id first, by item and window second. Each outcome of an item counts once.

* By window, an interaction belongs to the latest slate that showed its item and still waits for it.
  Sent again it belongs to the same slate, where it has counted already; it does not move on to an
  earlier one.
* By id, it belongs to the decision that it names, whether or not an impression was reported.
* A signal that takes another one back (a refund) takes back what that one was credited, piece by piece
  and no more than it was, whichever of the two arrives first (``returns``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.event import Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Exposure, Profile
from germane.domain.settings import OutcomeSpec, ProfileSpec, SignalSpec, SurfaceSpec
from germane.measure import returns
from germane.measure.credits import credit_key, key_of, value_of
from germane.measure.reported import Answer, counted, spec_of

Surfaces = Mapping[str, SurfaceSpec]
Signals = Mapping[str, SignalSpec]

_NO_SIGNALS: Signals = {}
_REMEMBERED = ProfileSpec().exposures


def attribute(
    profile: Profile,
    interactions: Sequence[Interaction],
    surfaces: Surfaces,
    signals: Signals = _NO_SIGNALS,
) -> list[Reward]:
    """Rewards for what a person saw: same item, inside the outcome's window, the latest slate first.

    Args:
        profile: The person before these interactions.
        interactions: What one event means.
        surfaces: Their outcomes say what counts.
        signals: Tell which signal takes which one back; without them nothing is taken back.
    """
    rewards: list[Reward] = []
    waits = returns.waiting(profile, signals)
    for place, each in enumerate(interactions):
        rewards += _latest(profile.exposures, each, surfaces, rewards)
        back = returns.backs(profile, interactions[:place], each, signals, waits)
        if back:
            rewards += returns.taken_back(profile, each, back, surfaces, rewards)
    return rewards


def attribute_event(
    profile: Profile,
    decision: Decision,
    interactions: Sequence[Interaction],
    surfaces: Surfaces,
    *,
    limit: int = _REMEMBERED,
) -> list[Reward]:
    """Rewards of an event that names its decision: exact, whether or not an impression was reported.

    ``limit`` is the bound of ``profile.exposures`` (``ProfileSpec.exposures``).
    """
    surface = surfaces.get(decision.surface)
    if surface is None or _forgotten(profile, decision, limit):
        return []
    exposure = _exposure_of(profile, decision)
    rewards: list[Reward] = []
    for each in interactions:
        if each.item_id in exposure.items:
            specs = _waiting(exposure, each, surface, since_ms=decision.at_ms)
            rewards += _rewards(exposure, each, specs, rewards, "id")
    return rewards


def attribute_outcome(
    profile: Profile,
    decision: Decision,
    outcome: Outcome,
    surface: SurfaceSpec,
    *,
    limit: int = _REMEMBERED,
) -> Answer:
    """What becomes of an outcome reported by id. ``limit`` is the bound of ``profile.exposures``."""
    spec = spec_of(surface, outcome)
    exposure = _exposure_of(profile, decision)
    if spec is None or outcome.item_id not in exposure.items:
        return Answer("untaught")
    if _forgotten(profile, decision, limit):
        return Answer("forgotten")
    if credit_key(outcome.item_id, spec.name) in exposure.credited:
        return Answer("duplicate")
    if not _inside(exposure, spec, outcome.at_ms, decision.at_ms):
        return Answer("late")
    return counted(decision, spec, outcome)


def credit(profile: Profile, rewards: Sequence[Reward], *, limit: int = _REMEMBERED) -> Profile:
    """Mark outcomes as counted. An exposure that was never reported is added with what was credited.

    ``limit`` is the bound of ``profile.exposures``; the oldest go first.
    """
    if not rewards:
        return profile
    keys: dict[str, list[str]] = {}
    unreported = {each.decision_id: each for each in rewards}
    for reward in rewards:
        keys.setdefault(reward.decision_id, []).append(key_of(reward))
    exposures = []
    for each in profile.exposures:
        if each.decision_id in keys:
            del unreported[each.decision_id]
            each = _marked(each, keys[each.decision_id])  # noqa: PLW2901
        exposures.append(each)
    for name, reward in unreported.items():
        items = tuple(dict.fromkeys(x.item_id for x in rewards if x.decision_id == name))
        exposures.append(Exposure(name, reward.surface, reward.at_ms, items, tuple(keys[name])))
    if unreported:
        exposures.sort(key=lambda each: (each.at_ms, each.decision_id))
        exposures = exposures[-max(len(profile.exposures), limit) :]
    return replace(profile, exposures=tuple(exposures))


def _latest(
    exposures: Sequence[Exposure], each: Interaction, surfaces: Surfaces, already: list[Reward]
) -> list[Reward]:
    for exposure in reversed(exposures):
        surface = surfaces.get(exposure.surface)
        if surface is None or each.item_id not in exposure.items:
            continue
        specs = _waiting(exposure, each, surface, since_ms=exposure.at_ms)
        if specs:
            return _rewards(exposure, each, specs, already, "window")
    return []


def _waiting(
    exposure: Exposure, each: Interaction, surface: SurfaceSpec, since_ms: int
) -> list[OutcomeSpec]:
    """The outcomes of a surface that an interaction means, inside their windows."""
    return [
        spec
        for spec in surface.outcomes
        if spec.signal == each.signal and _inside(exposure, spec, each.at_ms, since_ms)
    ]


def _rewards(
    exposure: Exposure,
    each: Interaction,
    specs: Sequence[OutcomeSpec],
    already: list[Reward],
    rule: str,
) -> list[Reward]:
    """One for each of the outcomes that has not counted yet, before or in this event."""
    counted = {*exposure.credited}
    counted.update(key_of(x) for x in already if x.decision_id == exposure.decision_id)
    return [
        Reward(
            exposure.decision_id,
            exposure.surface,
            each.item_id,
            spec.name,
            value_of(spec, each),
            each.at_ms,
            rule,
        )
        for spec in specs
        if credit_key(each.item_id, spec.name) not in counted
    ]


def _inside(exposure: Exposure, spec: OutcomeSpec, at_ms: int, since_ms: int) -> bool:
    """Both ends count. The window ends that long after the impression."""
    return since_ms <= at_ms <= max(exposure.at_ms, since_ms) + spec.window_s * 1000


def _exposure_of(profile: Profile, decision: Decision) -> Exposure:
    """As it was reported, or as it must have been if the impression never came; with all its items."""
    shown = tuple(item.item_id for item in decision.items)
    for each in profile.exposures:
        if each.decision_id == decision.decision_id:
            return replace(each, items=shown)
    return Exposure(decision.decision_id, decision.surface, decision.at_ms, shown)


def _forgotten(profile: Profile, decision: Decision, limit: int) -> bool:
    """Whether the exposure may have been dropped for newer ones: what was credited is not known then."""
    kept = profile.exposures
    return (
        len(kept) >= limit
        and decision.at_ms < kept[0].at_ms
        and all(each.decision_id != decision.decision_id for each in kept)
    )


def _marked(exposure: Exposure, keys: Sequence[str]) -> Exposure:
    return replace(exposure, credited=tuple(dict.fromkeys((*exposure.credited, *keys))))
