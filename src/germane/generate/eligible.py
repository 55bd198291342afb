"""Which variants are for whom: their ``when``, in CEL, over the person, the account, the request and
what was chosen before. Everything may be used to choose; only what is speakable may be said.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from germane.domain import cel, decay
from germane.domain.cel import Program
from germane.domain.content import Content, Slot, Variant
from germane.domain.errors import BadFilter
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.domain.slips import Slip
from germane.generate.facts import Facts

ROOTS = ("profile", "account", "context", "chosen")
_HINT = 'Conditions speak of profile, account, context and chosen: profile.traits.role == "buyer".'


@lru_cache(maxsize=1024)
def condition(source: str) -> Program:
    """A compiled ``when``.

    Raises:
        BadFilter: it is none; the message says what is wrong, and where.
    """
    try:
        return cel.compiled(source, tuple((root, "map") for root in ROOTS))
    except Slip as slip:
        message = f"At character {slip.position}: {slip.problem}"
        raise BadFilter(message, hint=slip.hint or _HINT, expression=source) from None


def seen(profile: Profile, settings: Settings, now_ms: int) -> dict[str, Any]:
    """A profile as conditions see it. What is not known is not there, and a condition on it is false.

    The names are those of campaigns' conditions: ``interests`` are shares of what the person likes, by
    attribute and value; ``firstSeenDays`` and ``lastSeenDays`` count back from now.
    """
    found = {
        "evidence": float(profile.evidence),
        "readiness": float(decay.readiness(profile.evidence, settings.profile.readiness_half)),
        "locale": profile.locale,
        "timezone": profile.timezone,
        "account": profile.account,
        "traits": {
            name: each.value for name, each in profile.traits.items() if each.value is not None
        },
        "interests": {
            name: _shares(decay.interests(profile, name, settings, now_ms))
            for name in profile.interests
        },
    }
    if profile.first_seen_ms >= 0:
        found["firstSeenDays"] = max(0, now_ms - profile.first_seen_ms) / MS_PER_DAY
    if profile.last_seen_ms:
        found["lastSeenDays"] = max(0, now_ms - profile.last_seen_ms) / MS_PER_DAY
    return found


def _shares(weights: dict[str, float]) -> dict[str, float]:
    liked = {value: weight for value, weight in weights.items() if weight > 0}
    total = sum(liked.values())
    return {value: weight / total for value, weight in liked.items()}


def seen_account(profile: Profile | None) -> dict[str, Any]:
    """An account as conditions see it: its id and its traits."""
    if profile is None:
        return {"traits": {}}
    traits = {name: each.value for name, each in profile.traits.items() if each.value is not None}
    return {"id": profile.person, "traits": traits}


def holds(source: str, names: Mapping[str, Any]) -> bool:
    """Whether a condition is true; one about what is not known is not."""
    if not source:
        return True
    return condition(source).look(names) is True


def conditional(content: Content) -> bool:
    """Whether any variant is only for some."""
    return any(each.when for slot in content.slots for each in slot.open)


def eligible(slot: Slot, names: Mapping[str, Any]) -> tuple[Variant, ...]:
    """The approved variants whose condition holds, in their order."""
    return tuple(each for each in slot.open if holds(each.when, names))


def pick(content: Content, facts: Facts, wanted: Mapping[str, str] | None = None) -> dict[str, str]:
    """Slot -> variant, for a preview: the wanted one, else the first that is for this person.

    What is learned about variants is not asked: that is a decision, with a propensity.
    """
    profile = seen(facts.profile, facts.settings, facts.now_ms)
    account = seen_account(facts.account)
    chosen: dict[str, str] = {}
    for slot in content.slots:
        names = {
            "profile": profile, "account": account, "context": facts.context, "chosen": chosen,
        }  # fmt: skip
        found = eligible(slot, names)
        chosen[slot.name] = (wanted or {}).get(slot.name) or (found[0].id if found else "")
    return chosen
