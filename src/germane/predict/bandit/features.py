"""What of a person and the context may matter for a choice: one number each.

    known                    how much was seen of them: log(1 + positive interactions)
    readiness                how far their profile is trusted, in [0, 1)
    idle_days                log(1 + days since they were last seen)
    trait:NAME               a declared number or flag; also as text, as files have it: "true", "12"
    trait:NAME=VALUE         1 where the declared value is this (or contains it, for a list), else 0
    interest:ATTRIBUTE=VALUE its share of the person's interests in the attribute, in [0, 1]
    context:NAME             a number or flag of the request's context.extra
    context:NAME=VALUE       1 where it is this; device and locale are known without extra

Numbers are squeezed, sign(x) * log(1 + |x|), so that one large customer does not bend a line. What is
not known is 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

from germane.domain import decay
from germane.domain.decision import Context
from germane.domain.months import MS_PER_DAY
from germane.domain.profile import Profile
from germane.domain.settings import Settings
from germane.domain.speaking import Speech

PLAIN = ("known", "readiness", "idle_days")
_LARGEST = 1e300
_FLAGS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}
KINDS = ("trait", "interest", "context")


@dataclass(frozen=True, slots=True)
class Feature:
    """One of them, taken apart."""

    kind: str
    name: str = ""
    value: str = ""


def parse(text: str) -> Feature:
    """A feature from its text.

    Raises:
        ValueError: it is none; the message says what is wrong.
    """
    if text in PLAIN:
        return Feature(text)
    kind, colon, rest = text.partition(":")
    name, equals, value = rest.partition("=")
    if kind not in KINDS or not colon or not name:
        raise ValueError("It is no feature.")
    if equals and not value:
        raise ValueError("There is nothing after the equals sign.")
    if kind == "interest" and not value:
        raise ValueError("An interest needs a value.")
    return Feature(kind, name, value)


def layout_of(features: Sequence[str]) -> int:
    """A fingerprint of the names: what was learned with others is not mixed in."""
    return crc32("\n".join(features).encode())


class Features:
    """The features of one surface."""

    def __init__(self, texts: Sequence[str], settings: Settings) -> None:
        """
        Raises:
            ValueError: one of the texts is no feature.
        """
        self.names = tuple(texts)
        self.layout = layout_of(texts)
        self._parsed = tuple(parse(each) for each in texts)
        self._settings = settings
        self._attributes = tuple(
            dict.fromkeys(each.name for each in self._parsed if each.kind == "interest")
        )

    def of(
        self, profile: Profile, context: Context, *, at_ms: int, readiness: float
    ) -> tuple[float, ...]:
        """The numbers for a person, shape (features,); all finite."""
        shares = {
            name: _shares(decay.interests(profile, name, self._settings, at_ms))
            for name in self._attributes
        }
        found = []
        for each in self._parsed:
            match each.kind:
                case "known":
                    found.append(math.log1p(profile.evidence))
                case "readiness":
                    found.append(readiness)
                case "idle_days":
                    found.append(_idle(profile, at_ms))
                case "trait":
                    trait = profile.traits.get(each.name)
                    found.append(_number(each, trait.value if trait is not None else None))
                case "interest":
                    found.append(shares[each.name].get(each.value, 0.0))
                case _:
                    found.append(_number(each, _said(context, each.name)))
        return tuple(found)

    def may_say(self, text: str, speech: Speech) -> bool:
        """Whether a feature may be named to the person: what it tells of them is speakable."""
        each = parse(text)
        if each.kind == "trait":
            return speech.trait(each.name)
        return each.kind != "interest" or speech.interest(each.name, each.value)


def _idle(profile: Profile, at_ms: int) -> float:
    if not profile.last_seen_ms:
        return 0.0
    return math.log1p(max(at_ms - profile.last_seen_ms, 0) / MS_PER_DAY)


def _shares(weights: dict[str, float]) -> dict[str, float]:
    total = sum(weight for weight in weights.values() if weight > 0)
    return {value: max(weight, 0.0) / total for value, weight in weights.items()} if total else {}


def _said(context: Context, name: str) -> Any:
    plain = {"device": context.device, "locale": context.locale}
    return context.extra.get(name, plain.get(name))


def _number(feature: Feature, value: Any) -> float:
    if feature.value:
        among = value if isinstance(value, list | tuple) else (value,)
        return float(any(_text(each) == feature.value for each in among))
    if isinstance(value, str):
        value = _read(value)
    if not isinstance(value, bool | int | float):
        return 0.0
    if not abs(value) <= _LARGEST:  # infinite, no number, or an integer beyond all floats
        return 0.0
    return math.copysign(math.log1p(abs(float(value))), float(value))


def _read(text: str) -> float | None:
    """A number or flag that came as text; ``None`` where it is neither."""
    text = text.strip().lower()
    if text in _FLAGS:
        return _FLAGS[text]
    try:
        return float(text)
    except ValueError:
        return None


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
