"""From a question to a logged decision: arm, slate, propensities, id."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from germane.app.decision_id import Described, propensity_digest, sign
from germane.app.memory import Memory
from germane.app.strangers import known
from germane.domain.decay import readiness
from germane.domain.decision import Actions, Arm, Ask, Decision
from germane.domain.errors import BadAsk, UnknownSurface
from germane.domain.ids import anonymous_person, known_person, share_of
from germane.domain.item import Item
from germane.domain.ports import Model, Ranked
from germane.domain.profile import Profile
from germane.domain.settings import Settings, SurfaceSpec
from germane.predict.rules import spared
from germane.privacy.gate import Gate
from germane.profile.fold import current

HOLDOUT_SALT = "holdout"
"""Names the places of people by which they are held out (``domain.ids.share_of``)."""
NOBODY = Profile("")
"""Whom a decision is made for that nothing is to be known of."""


class Deciding:
    """Makes decisions; changes nothing (the engine logs and folds what it returns)."""

    def __init__(
        self,
        settings: Settings,
        memory: Memory,
        model: Model,
        key: bytes,
        item_of: Callable[[str], Item | None],
    ) -> None:
        self._settings = settings
        self._memory = memory
        self._model = model
        self._key = key
        self._item_of = item_of
        self._gate = Gate(settings)

    def whose(self, tenant: str, user_id: str, anonymous_id: str) -> Profile:
        """The person asked for; one that nobody knows has an empty profile, and without any id it is nobody."""
        if not user_id and not anonymous_id:
            return NOBODY
        external = known_person(user_id) if user_id else anonymous_person(anonymous_id)
        person = self._memory.person_of(tenant, external) or external
        return self._memory.profile(tenant, person) or Profile(person=person)

    def surface(self, name: str) -> SurfaceSpec:
        """A configured surface.

        Raises:
            UnknownSurface: no surface has that name.
        """
        found = self._settings.surfaces.get(name)
        if found is None:
            known = ", ".join(sorted(self._settings.surfaces)) or "none"
            raise UnknownSurface(
                f"There is no surface named {name!r}.",
                hint=f"Configured surfaces: {known}.",
                surface=name,
            )
        return found

    def check(self, ask: Ask) -> None:
        """Whether a question can be answered at all.

        Raises:
            UnknownSurface: no surface has that name.
            BadAsk: it has a size and the surface is a choice, or no item and the surface needs one.
            BadFilter: the filter cannot be used there.
        """
        surface = self.surface(ask.surface)
        if surface.kind == "choice" and ask.size is not None:
            raise BadAsk(
                f"{surface.name} is a choice: it has no size.",
                hint="A choice is one action, or none: leave size out.",
                surface=surface.name,
            )
        if surface.kind == "together" and not ask.context.item:
            raise BadAsk(
                f"{surface.name} shows what goes with an item: say with which.",
                hint='Send the item of the page with the surface: "surfaces": [{"surface": "...", "context": '
                '{"item": "..."}}]; on the command line: --item ID.',
                surface=surface.name,
            )
        self._model.check_filter(ask.filter, surface)

    def trust(self, profile: Profile, now_ms: int) -> float:
        """How far the personal part is trusted, in [0, 1); 0 of whoever has opted out."""
        if profile == NOBODY or self._gate.opted_out(profile, now_ms):
            return 0.0
        return readiness(profile.evidence, self._settings.profile.readiness_half)

    def decide(self, tenant: str, profile: Profile, ask: Ask, *, at_ms: int, seed: int) -> Decision:
        """One surface for one person; of whoever has opted out nothing is read, and it names nobody.

        Raises:
            UnknownSurface: no surface has that name.
            BadFilter: the ask's filter is not a valid expression.
        """
        surface = self.surface(ask.surface)
        if profile == NOBODY or self._gate.opted_out(profile, at_ms):
            ask = replace(ask, context=replace(ask.context, account=""))
            ranked = self._model.default(surface, ask, at_ms=at_ms)
            return self._sealed(NOBODY, surface, ask, ranked, "opted_out", 0.0, at_ms, seed)
        profile = known(profile, self._settings, at_ms) or Profile(profile.person)
        profile = self._gate.readable(profile, at_ms)
        profile = current(profile, self._settings, at_ms, self._item_of)
        arm = self._arm(tenant, profile, surface)
        trust = self.trust(profile, at_ms)
        if arm == "personalised":
            ranked = self._model.rank(
                profile, surface, ask, at_ms=at_ms, seed=seed, readiness=trust
            )
            if not ranked.items and ranked.choice is None:
                arm = "fallback"
                ranked = self._model.default(surface, ask, at_ms=at_ms, person=profile)
        else:
            asked = spared(ask, surface, profile, at_ms)
            ranked = self._model.default(surface, asked, at_ms=at_ms)
        return self._sealed(profile, surface, ask, ranked, arm, trust, at_ms, seed)

    def standing(self, name: str, *, at_ms: int) -> Actions:
        """How the actions of a choice surface stand for everyone.

        Raises:
            UnknownSurface: no surface has that name, or it is of another kind.
        """
        surface = self.surface(name)
        if surface.kind != "choice":
            raise UnknownSurface(
                f"{name} offers no actions: it is of kind {surface.kind}.",
                hint='Surfaces with kind = "choice" do.',
                surface=name,
            )
        return self._model.standing(surface, at_ms=at_ms)

    def _arm(self, tenant: str, profile: Profile, surface: SurfaceSpec) -> Arm:
        if share_of(tenant, profile.person, HOLDOUT_SALT) < surface.holdout_share:
            return "broadcast"
        return "personalised"

    def _sealed(
        self,
        profile: Profile,
        surface: SurfaceSpec,
        ask: Ask,
        ranked: Ranked,
        arm: Arm,
        trust: float,
        at_ms: int,
        seed: int,
    ) -> Decision:
        policy = ranked.policy or self._model.version
        described = Described(
            surface.name,
            arm,
            at_ms // 1000,
            seed,
            tuple(x.item_id for x in ranked.items),
            policy,
            propensity_digest(ranked.items, ranked.choice),
        )
        personal = arm == "personalised"
        return Decision(
            decision_id=sign(described, self._key),
            person=profile.person,
            surface=surface.name,
            arm=arm,
            at_ms=at_ms,
            expires_ms=at_ms + surface.expires_s * 1000,
            seed=seed,
            model_version=policy,
            personal_seq=profile.seq if personal else 0,
            shared_seq=self._model.seq,
            readiness=trust if personal else 0.0,
            items=ranked.items,
            candidates=ranked.candidates,
            candidate_count=ranked.candidate_count,
            quota_short=ranked.quota_short,
            ask=ask,
            choice=ranked.choice,
        )
