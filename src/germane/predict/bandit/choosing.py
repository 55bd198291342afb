"""The choice surfaces: what they have learned, and what they choose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import msgspec
import numpy as np
from msgspec.structs import replace

from germane.domain.decision import Actions, Ask, Choice, SlateItem, Slot, Standing
from germane.domain.errors import BadFilter
from germane.domain.item import Item
from germane.domain.outcome import Trial
from germane.domain.ports import Ranked
from germane.domain.profile import Profile
from germane.domain.settings import ActionSpec, Settings, SurfaceSpec
from germane.domain.speaking import Speech
from germane.predict.bandit import policy, words
from germane.predict.bandit.arms import Arms
from germane.predict.bandit.features import Features
from germane.predict.bandit.posterior import Posterior, posterior
from germane.predict.filters import Filters, fields_of
from germane.predict.rules import Rules, spared

ACTION_FIELDS = ("id", "type", "title", "attributes")
TYPE = "action"
"""Type of an action where rules and filters look at it as an item."""
_Z95 = 1.959964


def actions_of(surface: SurfaceSpec) -> tuple[ActionSpec, ...]:
    """All that a choice surface may do, *do nothing* (an empty id) last."""
    return (*surface.actions, ActionSpec("")) if surface.nothing else surface.actions


def as_item(action: ActionSpec) -> Item:
    """An action as rules, filters and answers see it."""
    return Item(action.id, type=TYPE, title=action.title, attributes=dict(action.attributes))


def check_action_fields(source: str, surface: SurfaceSpec) -> None:
    """Whether a filter speaks of what actions have: it would rule all of them out in silence.

    Raises:
        BadFilter: it names a field that no action of the surface has.
    """
    known = {*ACTION_FIELDS, *(name for each in surface.actions for name in each.attributes)}
    for name in fields_of(source):
        if name not in known:
            raise BadFilter(
                f"The actions of {surface.name} have no {name}.",
                hint="Of a choice, a filter speaks of item.id, item.title and item.attributes.",
                expression=source,
            )


def seen_by_rules(surface: SurfaceSpec) -> SurfaceSpec:
    """A surface as its rules are compiled: those of a choice speak of actions."""
    return replace(surface, item_types=(TYPE,)) if surface.kind == "choice" else surface


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the actions at a moment."""

    belief: Posterior
    gate: policy.Gate
    """Whether it proves that acting per person is better as a whole."""
    everyone: policy.Belief
    """Rewards less costs, on average over everyone."""


class Chooser:
    """One choice surface."""

    def __init__(self, surface: SurfaceSpec, settings: Settings) -> None:
        self.surface = surface
        self._settings = settings
        self.actions = actions_of(surface)
        self.features = Features(surface.features, settings)
        self.arms = Arms.of(surface, self.features.layout)
        self._items = tuple(as_item(each) for each in self.actions)
        self._costs = np.array([each.cost for each in self.actions])
        self._worth = max((each.value for each in surface.outcomes), default=1.0)
        self._known: tuple[tuple[int, int], Known] | None = None

    def known(self, at_ms: int) -> Known:
        """What is known as of the last moment at which a bucket may have closed, kept until the next."""
        as_of = self.arms.as_of(at_ms)
        key = (as_of, self.arms.changes)
        if self._known is None or self._known[0] != key:
            size = len(self.features.names)
            found = posterior(self.actions, self.arms.known(as_of), size, self._worth)
            gate = policy.gate(found, self._costs, self.arms.sampled(as_of))
            self._known = (key, Known(found, gate, self._less_costs(*found.everyone())))
        return self._known[1]

    def choose(
        self,
        profile: Profile,
        ask: Ask,
        rules: Rules,
        filters: Filters,
        *,
        at_ms: int,
        seed: int,
        readiness: float,
    ) -> Ranked:
        """One action for a person.

        Raises:
            BadFilter: the ask's filter is not a valid expression.
        """
        allowed = self._allowed(profile, ask, rules, filters, at_ms)
        if not allowed or not self.surface.outcomes:
            asked = spared(ask, self.surface, profile, at_ms)
            return self.default(asked, rules, filters, at_ms=at_ms)
        x = self.features.of(profile, ask.context, at_ms=at_ms, readiness=readiness)
        known = self.known(at_ms)
        belief, gate = known.belief, known.gate
        person = self._less_costs(*belief.person(x))
        plan = policy.plan(
            known.everyone,
            person,
            belief.responses,
            allowed,
            self.surface.exploration_share,
            personal=gate.open,
        )
        arms = self._standing(belief, person, plan)
        taken = policy.draw(plan.probabilities, seed)
        parts = belief.parts(x, plan.best, plan.constant)
        speech = Speech(profile, self._settings, at_ms)
        return self._ranked(
            taken,
            Choice(
                action=self.actions[taken].id,
                propensity=arms[taken].propensity,
                how=plan.how(taken),
                constant=self.actions[plan.constant].id,
                layout=self.features.layout,
                features=x,
                arms=arms,
                reasons=words.reasons(
                    plan,
                    gate,
                    taken,
                    self.actions,
                    arms,
                    self._standing(belief, known.everyone, plan, [plan.constant])[0],
                    self.features.names,
                    parts,
                    lambda name: self.features.may_say(name, speech),
                ),
            ),
        )

    def default(self, ask: Ask, rules: Rules, filters: Filters, *, at_ms: int) -> Ranked:
        """The choice that depends on nobody: the first of the default that is allowed, else nothing,
        else the first action. Nothing is learned from it."""
        allowed = self._allowed(Profile(""), ask, rules, filters, at_ms)
        by_id = {self.actions[n].id: n for n in allowed}
        curated = [by_id[each] for each in self.surface.default if each in by_id]
        taken = next(iter(curated), by_id.get("", allowed[0] if allowed else -1))
        action = self.actions[taken] if taken >= 0 else ActionSpec("")
        choice = Choice(
            action=action.id,
            propensity=1.0,
            how="default",
            constant=action.id,
            layout=self.features.layout,
            features=(),
            arms=(),
            reasons=words.default(action),
        )
        return self._ranked(taken, choice)

    def standing(self, at_ms: int) -> Actions:
        """How the actions stand for everyone (domain.ports.Model.standing)."""
        known = self.known(at_ms)
        belief, everyone = known.belief, known.everyone
        share = self.surface.exploration_share
        allowed = range(len(self.actions))
        plan = policy.plan(everyone, everyone, belief.responses, allowed, share, personal=False)
        arms = self._standing(belief, everyone, plan)
        best = self.actions[plan.constant].id
        choice = Choice(
            action=best,
            propensity=arms[plan.best].propensity,
            how="constant",
            constant=best,
            layout=self.features.layout,
            features=(),
            arms=arms,
            reasons=(
                words.everyone(self.actions[plan.constant], arms[plan.constant]),
                words.whole(known.gate),
            ),
        )
        return Actions(choice, dict(self.arms.made), self.arms.waiting(at_ms))

    def _allowed(
        self, profile: Profile, ask: Ask, rules: Rules, filters: Filters, at_ms: int
    ) -> list[int]:
        """Actions that rules, filter and exclusions leave; *do nothing* is always allowed where it is one."""
        test = rules.eligible(profile, ask, filters, at_ms)
        return [n for n, each in enumerate(self._items) if not each.item_id or test(each)]

    def _less_costs(self, mean: policy.Floats, cov: policy.Floats) -> policy.Belief:
        return policy.Belief(mean - self._costs, cov)

    def _standing(
        self,
        belief: Posterior,
        person: policy.Belief,
        plan: policy.Plan,
        among: Sequence[int] | None = None,
    ) -> tuple[Standing, ...]:
        """How all actions stand, or those ``among`` them, in order."""
        which = range(len(self.actions)) if among is None else among
        mean, variance, count, responses = (
            each.tolist()
            for each in (
                person.mean,
                person.cov.diagonal(),
                belief.count,
                belief.responses,
            )
        )
        found = []
        for n in which:
            spread = _Z95 * sqrt(max(variance[n], 0.0))
            low, high = mean[n] - spread, mean[n] + spread
            found.append(
                Standing(
                    self.actions[n].id,
                    plan.probabilities[n],
                    mean[n],
                    low,
                    high,
                    count[n],
                    responses[n],
                )
            )
        return tuple(found)

    def _ranked(self, taken: int, choice: Choice) -> Ranked:
        """As a slate of one, or of none."""
        count = len(self.actions)
        if not choice.action:
            return Ranked((), (), count, 0, choice=choice)
        mean = choice.arms[taken].mean if choice.arms else 0.0
        slot: Slot = "relevant"
        if choice.how in ("default", "exploring"):
            slot = "default" if choice.how == "default" else "explore"
        item = SlateItem(
            item_id=choice.action,
            position=0,
            score=mean,
            propensity=choice.propensity,
            slot=slot,
            sources={"posterior": mean},
            reasons=choice.reasons,
        )
        return Ranked((item,), (), count, 0, choice=choice)


class Choosers:
    """All choice surfaces: those of the declaration, and those that content brings with it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.brought: dict[str, SurfaceSpec] = {}
        """By content: part of the state."""
        self.of = {
            name: Chooser(each, settings)
            for name, each in settings.surfaces.items()
            if each.kind == "choice"
        }

    def learn(self, trial: Trial) -> None:
        """Fold one; of a surface that is not declared any more nothing is learned."""
        chooser = self.of.get(trial.surface)
        if chooser is not None and chooser.surface.outcomes:
            chooser.arms.learn(trial)

    def bring(self, prefix: str, surfaces: Sequence[SurfaceSpec]) -> None:
        """Surfaces that content brings, in place of those whose names begin with ``prefix``; what was
        learned of one that stays is kept."""
        stay = {each.name for each in surfaces}
        for name in [x for x in self.brought if x.startswith(prefix) and x not in stay]:
            del self.brought[name], self.of[name]
        for each in surfaces:
            if self.brought.get(each.name) != each:
                self._put(each)

    def _put(self, surface: SurfaceSpec) -> None:
        known = self.of.get(surface.name)
        self.of[surface.name] = Chooser(surface, self._settings)
        self.brought[surface.name] = surface
        if known is not None:
            self.of[surface.name].arms.unpack(known.arms.pack())

    def pack(self) -> list[Any]:
        """For a dump."""
        return [
            [name, self.of[name].arms.pack(), msgspec.to_builtins(self.brought.get(name))]
            for name in sorted(self.of)
        ]

    def unpack(self, data: list[Any]) -> None:
        """From a dump."""
        for name, packed, brought in data:
            if brought is not None:
                self._put(msgspec.convert(brought, SurfaceSpec))
            if name in self.of:
                self.of[name].arms.unpack(packed)
