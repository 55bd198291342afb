"""Which choice an interaction rewards: by decision id first, by surface and window second.

A choice (an offer, an e-mail, or none of them) may be answered by anything the person does, so it is the
outcome that matters, not the item:

* By window, an interaction belongs to the latest choice of a surface before it whose window is open.
* By id, it belongs to the choice that it names, and to no other of that surface.
* An outcome that is counted counts once a choice; revenue counts each item of each order once, of what
  names no order each item once, however it comes: as an event, or reported by id.
* Revenue that is reported by id for a whole order (without an item) counts the order once: named with its
  order id, the order's own event does not count again on this surface; without one, it is all that
  counts for this choice.
* A signal that takes another one back takes back what that one was credited (``returns``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from germane.domain.decision import Decision
from germane.domain.event import Interaction
from germane.domain.outcome import Outcome, Reward
from germane.domain.profile import OpenChoice, Profile
from germane.domain.settings import OutcomeSpec, SignalSpec, SurfaceSpec
from germane.measure import returns
from germane.measure.credits import (
    balances,
    bundled,
    credit_key,
    key_of,
    takes_back,
    whole_key,
    worth_of,
)
from germane.measure.reported import Answer, counted, order_of, spec_of

Surfaces = Mapping[str, SurfaceSpec]
Signals = Mapping[str, SignalSpec]

KEYS = 64
"""Outcomes counted for one choice, at most: an order of more items counts its first ones."""
REMEMBERED = 16
"""Rewarded choices of a surface that a profile remembers (profile.chosen.CREDITED)."""


def attribute(
    profile: Profile,
    interactions: Sequence[Interaction],
    surfaces: Surfaces,
    signals: Signals,
    named: Decision | None = None,
) -> list[Reward]:
    """Rewards of choices for what one event means.

    Args:
        profile: The person before it.
        interactions: What it means.
        surfaces: Their outcomes say what counts.
        signals: Tell which signal takes which one back.
        named: The choice that the event names, if it does.
    """
    rewards: list[Reward] = []
    by_surface = _by_surface(profile, surfaces)
    every = dict(by_surface)
    if named is not None and (kept := _kept(profile, named)):
        others = [x for x in by_surface.get(named.surface, ()) if x.decision_id != kept.decision_id]
        every[named.surface] = sorted([*others, kept], key=lambda x: x.at_ms, reverse=True)
    if named is not None:
        by_surface[named.surface] = [kept] if kept else []
    waits = returns.waiting(profile, signals) if every else set()
    for name, choices in every.items():
        surface = surfaces.get(name)
        if surface is None or surface.kind != "choice":
            continue
        rule = "id" if named is not None and named.surface == name else "window"
        earlier: list[Interaction] = []
        for lines in bundled(interactions):
            if not _told(profile, surface, lines[0]):
                rewards += _rewards(by_surface[name], lines, surface, rewards, rule)
            for back in returns.backs(profile, earlier, lines, signals, waits):
                rewards += returns.taken_back(profile, back, choices[::-1], surfaces, rewards)
            earlier += lines
    return rewards


def taken_back(
    profile: Profile, back: returns.Back, surfaces: Surfaces, already: Sequence[Reward]
) -> list[Reward]:
    """Negative rewards for the choices of each surface that were credited with what comes back.

    Args:
        profile: The person, with the choices that it may be.
        back: What comes back.
        surfaces: Their outcomes say what counts.
        already: Rewards that the person is not credited with yet.
    """
    rewards: list[Reward] = []
    for kept in _by_surface(profile, surfaces).values():
        rewards += returns.taken_back(profile, back, kept[::-1], surfaces, already)
    return rewards


def attribute_outcome(
    profile: Profile, decision: Decision, outcome: Outcome, surface: SurfaceSpec
) -> Answer:
    """What becomes of an outcome reported by id."""
    spec = spec_of(surface, outcome)
    if spec is None or decision.choice is None or decision.choice.how == "default":
        return Answer("untaught")
    choice = _kept(profile, decision)
    if choice is None:
        return Answer("forgotten")
    if _reported_before(profile, choice, spec, outcome):
        return Answer("duplicate")
    if not _inside(choice, spec, outcome.at_ms):
        return Answer("late")
    return counted(decision, spec, outcome)


def credit(
    profile: Profile,
    rewards: Sequence[Reward],
    made_ms: Mapping[str, int],
    *,
    reported: bool = False,
) -> Profile:
    """Mark outcomes as counted, and add their value.

    Args:
        profile: The person before.
        rewards: Of choices only.
        made_ms: When each decision that is named was made; one that is not kept is added.
        reported: Whether they were reported by id, without an event.
    """
    if not rewards:
        return profile
    by_id = {each.decision_id: each for each in profile.choices}
    for each in rewards:
        choice = by_id.get(each.decision_id)
        if choice is None and takes_back(each):
            continue  # a merge has dropped what it was taken from
        if choice is None:
            made = made_ms.get(each.decision_id, each.at_ms)
            choice = OpenChoice(each.decision_id, each.surface, made)
        by_id[each.decision_id] = replace(
            choice,
            credited=tuple(dict.fromkeys((*choice.credited, key_of(each)))),
            value=choice.value + each.value,
            credits=tuple(balances(choice.credits, [each], reported=reported).values()),
        )
    kept = sorted(by_id.values(), key=lambda each: (each.at_ms, each.decision_id))
    return replace(profile, choices=tuple(kept))


def before(profile: Profile, decision_id: str) -> float:
    """What a choice was credited with so far."""
    return next((x.value for x in profile.choices if x.decision_id == decision_id), 0.0)


def _by_surface(profile: Profile, surfaces: Surfaces) -> dict[str, list[OpenChoice]]:
    """Latest first."""
    found: dict[str, list[OpenChoice]] = {}
    for each in reversed(profile.choices):
        surface = surfaces.get(each.surface)
        if surface is not None and surface.kind == "choice":
            found.setdefault(each.surface, []).append(each)
    return found


def _kept(profile: Profile, decision: Decision) -> OpenChoice | None:
    """As the profile has it, or as it must be if it was never rewarded; ``None`` where that is not known
    any more, or where nothing may be learned from it."""
    for each in profile.choices:
        if each.decision_id == decision.decision_id:
            return each
    if decision.choice is None or decision.choice.how == "default":
        return None
    credited = [x.at_ms for x in profile.choices if x.credited and x.surface == decision.surface]
    if len(credited) >= REMEMBERED and decision.at_ms <= min(credited):
        return None
    return OpenChoice(decision.decision_id, decision.surface, decision.at_ms)


def _rewards(
    choices: Sequence[OpenChoice],
    lines: Sequence[Interaction],
    surface: SurfaceSpec,
    already: Sequence[Reward],
    rule: str,
) -> list[Reward]:
    """Of the latest choice before the interaction, where it waits for one of its outcomes."""
    each = lines[0]
    choice = next((x for x in choices if x.at_ms <= each.at_ms), None)
    if choice is None:
        return []
    found: list[Reward] = []
    for spec in surface.outcomes:
        if spec.signal != each.signal or not _inside(choice, spec, each.at_ms):
            continue
        if not _counted(choice, spec, each.item_id, each.order, (*already, *found)):
            found.append(
                Reward(
                    choice.decision_id,
                    surface.name,
                    each.item_id,
                    spec.name,
                    worth_of(spec, lines),
                    each.at_ms,
                    rule,
                    each.order,
                )
            )
    return found


def _counted(
    choice: OpenChoice, spec: OutcomeSpec, item_id: str, order: int, already: Sequence[Reward]
) -> bool:
    """Whether it would count a second time: by item and order for revenue, at all for what is counted."""
    mine = [each for each in already if each.decision_id == choice.decision_id]
    keys = {*choice.credited, *map(key_of, mine)}
    account = balances(choice.credits, mine).values()
    if max(len(keys), len(account)) >= KEYS:
        return True
    if spec.value_from != "revenue":
        return any(key.endswith(credit_key("", spec.name)) for key in keys)
    if credit_key("", spec.name) in keys:
        return True
    if credit_key(item_id, spec.name) not in keys:
        return False
    orders = {x.order for x in account if (x.item_id, x.outcome) == (item_id, spec.name)}
    return not order or not orders or not orders.isdisjoint((0, order))


def _reported_before(
    profile: Profile, choice: OpenChoice, spec: OutcomeSpec, outcome: Outcome
) -> bool:
    """Whether it, or the order that it reports, was counted already."""
    order = order_of(spec, outcome)
    if order in profile.known_orders:
        return True  # the order's own event came first
    if spec.value_from != "revenue" or outcome.item_id:
        return _counted(choice, spec, outcome.item_id, order, ())
    if not order:  # all that this choice brought: nothing must have counted
        return any(key.endswith(credit_key("", spec.name)) for key in choice.credited)
    keys = {credit_key("", spec.name), whole_key(order, spec.name)}
    return len(choice.credited) >= KEYS or not keys.isdisjoint(choice.credited)


def _told(profile: Profile, surface: SurfaceSpec, each: Interaction) -> bool:
    """Whether the order that this belongs to was reported as a whole, for any choice of the surface."""
    if not each.order:
        return False
    keys = {
        whole_key(each.order, spec.name) for spec in surface.outcomes if spec.signal == each.signal
    }
    return any(
        x.surface == surface.name and not keys.isdisjoint(x.credited) for x in profile.choices
    )


def _inside(choice: OpenChoice, spec: OutcomeSpec, at_ms: int) -> bool:
    """Both ends count."""
    return choice.at_ms <= at_ms <= choice.at_ms + spec.window_s * 1000
