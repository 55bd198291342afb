"""Attribution: by decision id first, by item and window second. Each outcome of an item counts once.

* By window, an interaction belongs to the latest slate that showed its item and still waits for it.
  Sent again it belongs to the same slate, where it has counted already; it does not move on to an
  earlier one.
* By id, it belongs to the decision that it names, whether or not an impression was reported.
* An item of an order counts once for all slates: whichever of its report and its event comes first.
* A signal that takes another one back (a refund) takes back what that one was credited, piece by piece
  and no more than it was, whichever of the two arrives first (``returns``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.event import Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import Exposure, Profile
from germane.domain.settings import OutcomeSpec, ProfileSpec, SignalSpec, SurfaceSpec
from germane.measure import returns
from germane.measure.credits import balances, bundled, credit_key, key_of, takes_back, worth_of
from germane.measure.reported import Answer, counted, order_of, spec_of

Surfaces = Mapping[str, SurfaceSpec]
Signals = Mapping[str, SignalSpec]

_NO_SIGNALS: Signals = {}
_UNKNOWN: Mapping[str, int] = {}


class Kept(NamedTuple):
    """Which exposures a profile keeps."""

    limit: int = ProfileSpec().exposures
    """At most so many (``ProfileSpec.exposures``)."""
    since_ms: int = 0
    """Those that were seen before may be dropped: their longest attribution window is over."""


KEPT = Kept()


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
    for lines in bundled(interactions):
        rewards += _latest(profile.exposures, lines, surfaces)
    return [
        *rewards,
        *_returns(profile, profile.exposures, interactions, surfaces, signals, rewards),
    ]


def attribute_event(
    profile: Profile,
    decision: Decision,
    interactions: Sequence[Interaction],
    surfaces: Surfaces,
    signals: Signals = _NO_SIGNALS,
    *,
    kept: Kept = KEPT,
) -> list[Reward]:
    """Rewards of an event that names its decision: exact, whether or not an impression was reported.

    What takes back takes from whichever slate was credited, as where no decision is named.
    """
    surface, rewards = surfaces.get(decision.surface), []
    exposure = _exposure_of(profile, decision)
    if surface is not None and not _forgotten(profile, decision, kept):
        for lines in bundled(interactions):
            if lines[0].item_id in exposure.items:
                specs = _waiting(exposure, lines[0], surface, since_ms=decision.at_ms)
                rewards += _rewards(exposure, lines, specs, "id", profile.exposures)
    others = [each for each in profile.exposures if each.decision_id != decision.decision_id]
    shown = sorted((*others, exposure), key=lambda each: (each.at_ms, each.decision_id))
    return [*rewards, *_returns(profile, shown, interactions, surfaces, signals, rewards)]


def attribute_outcome(
    profile: Profile,
    decision: Decision,
    outcome: Outcome,
    surface: SurfaceSpec,
    *,
    kept: Kept = KEPT,
) -> Answer:
    """What becomes of an outcome reported by id."""
    spec = spec_of(surface, outcome)
    exposure = _exposure_of(profile, decision)
    if spec is None or outcome.item_id not in exposure.items:
        return Answer("untaught")
    if credit_key(outcome.item_id, spec.name) in exposure.credited:
        return Answer("duplicate")
    if _counts_elsewhere(profile.exposures, outcome.item_id, spec, order_of(spec, outcome)):
        return Answer("duplicate")
    if not _inside(exposure, spec, outcome.at_ms, decision.at_ms):
        return Answer("late")
    if _forgotten(profile, decision, kept):
        return Answer("forgotten")
    return counted(decision, spec, outcome)


def credit(
    profile: Profile,
    rewards: Sequence[Reward],
    decided_ms: Mapping[str, int] = _UNKNOWN,
    *,
    reported: bool = False,
    limit: int = KEPT.limit,
) -> Profile:
    """Mark outcomes as counted. An exposure that was never reported is added with what was credited.

    Args:
        profile: The person before.
        rewards: Of slates only.
        decided_ms: When each decision that is named was made: there its windows begin.
        reported: Whether they were reported by id, without an event.
        limit: The bound of ``profile.exposures``; the oldest go first.
    """
    if not rewards:
        return profile
    by_id: dict[str, list[Reward]] = {}
    for each in rewards:
        by_id.setdefault(each.decision_id, []).append(each)
    exposures = [
        _marked(shown, by_id.pop(shown.decision_id, ()), reported) for shown in profile.exposures
    ]
    for name, mine in by_id.items():
        if all(map(takes_back, mine)):
            continue  # a merge has dropped what they were taken from
        items = tuple(dict.fromkeys(each.item_id for each in mine))
        at_ms = decided_ms.get(name, mine[0].at_ms)
        exposures.append(_marked(Exposure(name, mine[0].surface, at_ms, items), mine, reported))
    if by_id:
        exposures.sort(key=lambda each: (each.at_ms, each.decision_id))
        exposures = exposures[-max(len(profile.exposures), limit) :]
    return replace(profile, exposures=tuple(exposures))


def _returns(
    profile: Profile,
    shown: Sequence[Exposure],
    interactions: Sequence[Interaction],
    surfaces: Surfaces,
    signals: Signals,
    rewards: Sequence[Reward],
) -> list[Reward]:
    """What one event takes back, of these rewards of the same event, too."""
    found: list[Reward] = []
    waits, earlier = returns.waiting(profile, signals), list[Interaction]()
    for lines in bundled(interactions):
        for back in returns.backs(profile, earlier, lines, signals, waits):
            found += returns.taken_back(profile, back, shown, surfaces, [*rewards, *found])
        earlier += lines
    return found


def _latest(
    exposures: Sequence[Exposure], lines: Sequence[Interaction], surfaces: Surfaces
) -> list[Reward]:
    each = lines[0]
    for exposure in reversed(exposures):
        surface = surfaces.get(exposure.surface)
        if surface is None or each.item_id not in exposure.items:
            continue
        specs = _waiting(exposure, each, surface, since_ms=exposure.at_ms)
        if specs:
            return _rewards(exposure, lines, specs, "window", exposures)
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
    lines: Sequence[Interaction],
    specs: Sequence[OutcomeSpec],
    rule: str,
    every: Sequence[Exposure],
) -> list[Reward]:
    """One for each of the outcomes that has not counted before, for all lines of the item together.

    ``every``: all slates that are kept: an order that counts for another one does not count for this one.
    """
    each = lines[0]
    return [
        Reward(
            exposure.decision_id,
            exposure.surface,
            each.item_id,
            spec.name,
            worth_of(spec, lines),
            each.at_ms,
            rule,
            each.order,
        )
        for spec in specs
        if credit_key(each.item_id, spec.name) not in exposure.credited
        and not _counts_elsewhere(every, each.item_id, spec, each.order)
    ]


def _counts_elsewhere(
    every: Sequence[Exposure], item_id: str, spec: OutcomeSpec, order: int
) -> bool:
    """Whether an item of an order was credited for this outcome, to any slate. What names no order is not
    known again."""
    place = item_id, spec.name, order
    return bool(order) and any(
        (each.item_id, each.outcome, each.order) == place
        for exposure in every
        for each in exposure.credits
    )


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


def _forgotten(profile: Profile, decision: Decision, kept: Kept) -> bool:
    """Whether the exposure may have been dropped, for newer ones or for its age: what was credited is
    not known then."""
    exposures = profile.exposures
    if any(each.decision_id == decision.decision_id for each in exposures):
        return False
    return decision.at_ms < kept.since_ms or (
        len(exposures) >= kept.limit and decision.at_ms < exposures[0].at_ms
    )


def _marked(exposure: Exposure, rewards: Sequence[Reward], reported: bool) -> Exposure:
    if not rewards:
        return exposure
    keys = dict.fromkeys((*exposure.credited, *map(key_of, rewards)))
    counts = balances(exposure.credits, rewards, reported=reported)
    return replace(exposure, credited=tuple(keys), credits=tuple(counts.values()))
