"""Reasons for a choice, in words, with the figures they rest on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from germane.domain.decision import Reason, Standing
from germane.domain.settings import ActionSpec
from germane.domain.speaking import NEUTRAL
from germane.predict.bandit.policy import ENOUGH_RESPONSES, Gate, Plan
from germane.predict.bandit.posterior import Floats

NAMED = 2
"""Features named beside a personal choice."""


def title(action: ActionSpec) -> str:
    """What to call an action."""
    return action.title or action.id or "doing nothing"


def default(action: ActionSpec) -> tuple[Reason, ...]:
    """For a choice that nothing learned went into."""
    return (Reason("default", f"The default of this surface: {title(action)}.", 0.0),)


def reasons(
    plan: Plan,
    gate: Gate,
    taken: int,
    actions: tuple[ActionSpec, ...],
    arms: tuple[Standing, ...],
    constant: Standing,
    features: tuple[str, ...],
    parts: Floats,
    may_say: Callable[[str], bool],
) -> tuple[Reason, ...]:
    """Why this action: what is best for everyone, whether acting per person is proven, what was explored.

    Args:
        plan: What the policy does.
        gate: Whether acting per person is proven as a whole.
        taken: The action that was drawn.
        actions: All of them.
        arms: How each stands for this person.
        constant: How the best single choice stands for everyone.
        features: Their names.
        parts: What each adds to the gain of the best over the constant, shape (features,).
        may_say: Whether a feature may be named.
    """
    of_all = plan.constant == gate.constant
    found = [everyone(actions[plan.constant], constant, of_all=of_all)]
    found.append(_person(plan, actions, arms) if gate.open else whole(gate))
    if plan.best != plan.constant:
        found += features_said(features, parts.tolist(), may_say)
    if taken != plan.best:
        text = (
            f"Taken to learn: {arms[taken].propensity:.1%} of such decisions take "
            f"{title(actions[taken])}, {arms[plan.best].propensity:.1%} take {title(actions[plan.best])}."
        )
        found.append(Reason("exploring", text, 0.0))
    return tuple(found)


def everyone(action: ActionSpec, arm: Standing, *, of_all: bool = True) -> Reason:
    """What the best single choice is, and from how much that is known.

    ``of_all``: whether it is the best of all; else of those that a decision may take.
    """
    among = "" if of_all else " of those allowed here"
    if arm.decisions < 1:
        text = (
            f"Nothing is known yet of what the actions bring; {title(action)} comes first{among}."
        )
    else:
        text = (
            f"Best single choice{among} so far: {title(action)}, {arm.mean:.4g} a decision "
            f"({arm.low:.4g} to {arm.high:.4g}), from {arm.decisions:,.0f} decisions "
            f"with {arm.responses:,.0f} responses."
        )
    return Reason("best_for_everyone", text, arm.mean)


def whole(gate: Gate) -> Reason:
    """Whether acting per person can be told from the best single choice."""
    if not gate.differs:
        text = "Nobody is known for whom another action would be expected to do better."
        return Reason("not_proven_per_person", text, 0.0)
    text = (
        f"Acting per person would give {gate.differs:.0%} of people another action and is expected to "
        f"bring {gate.gain:.4g} more a decision, at least {gate.low:.4g} (95 % sure): "
    )
    if gate.open:
        return Reason("proven_per_person", text + "that is proven, and done.", gate.gain)
    text += "it cannot be told from the best single choice, which everyone gets."
    return Reason("not_proven_per_person", text, 0.0)


def _person(plan: Plan, actions: tuple[ActionSpec, ...], arms: tuple[Standing, ...]) -> Reason:
    best, constant = actions[plan.nearest], actions[plan.constant]
    if plan.best != plan.constant:
        text = (
            f"For this person {title(best)} is expected to bring {plan.gain:.4g} more than "
            f"{title(constant)}, and at least {plan.lower:.4g} (95 % sure)."
        )
        return Reason("better_for_this_person", text, plan.gain)
    if plan.nearest == plan.constant:
        return Reason("not_proven_per_person", "No other action is allowed here.", 0.0)
    few = min(arms[plan.nearest].responses, arms[plan.constant].responses) < ENOUGH_RESPONSES
    why = (
        f"fewer than {ENOUGH_RESPONSES:.0f} responses are known"
        if few
        else f"the nearest, {title(best)}, might bring {-min(plan.lower, 0.0):.4g} less"
    )
    text = (
        f"Acting differently for this person is not proven to be better ({why}): "
        "the best single choice is used."
    )
    return Reason("not_proven_per_person", text, 0.0)


def features_said(
    features: Sequence[str], parts: Sequence[float], may_say: Callable[[str], bool]
) -> list[Reason]:
    """The features that speak most for a personal choice; those that may not be named are told as one."""
    order = sorted(range(len(features)), key=lambda n: -parts[n])[:NAMED]
    speaking = [(features[n], float(parts[n])) for n in order if parts[n] > 0]
    found = [_feature(name, part) for name, part in speaking if may_say(name)]
    muted = sum(part for name, part in speaking if not may_say(name))
    return [*found, Reason("neutral", f"{NEUTRAL}.", muted)] if muted else found


def _feature(name: str, part: float) -> Reason:
    return Reason("feature", f"Speaks for it: {name}.", part)
