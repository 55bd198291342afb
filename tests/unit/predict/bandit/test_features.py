"""Features: one number for each text, 0 for what is not known."""

from __future__ import annotations

import math

import pytest

from germane.domain.decision import Context
from germane.domain.profile import Mass, Profile, Trait
from germane.predict.bandit.features import Features, layout_of, parse
from germane.testing import a_campaign
from germane.testing.world import START_MS

DAY_MS = 86_400_000


def of(*texts: str, profile: Profile, context: Context | None = None) -> list[float]:
    """Their numbers."""
    features = Features(texts, a_campaign())
    return list(features.of(profile, context or Context(), at_ms=START_MS, readiness=0.25))


def test_every_kind() -> None:
    """Profile, traits, interests and context."""
    month = (2025 - 1970) * 12 + 10
    person = Profile(
        "u:1",
        last_seen_ms=START_MS - 3 * DAY_MS,
        evidence=4.0,
        traits={"likes": Trait(["c1", "c2"], START_MS), "age": Trait(-41, START_MS)},
        interests={
            "category": {
                "c1": (Mass(month, "view", 3, 3.0),),
                "c2": (Mass(month, "view", 1, 1.0),),
                "c3": (Mass(month, "dismiss", 1, 1.0),),
            }
        },
    )
    context = Context(device="phone", extra={"visits": 7.0, "vip": True})
    found = of(
        "known", "readiness", "idle_days", "trait:likes=c2", "trait:likes=c9", "trait:age",
        "interest:category=c1", "interest:category=c3", "context:device=phone", "context:vip",
        "context:visits", "context:visits=7", "context:vip=true",
        profile=person, context=context,
    )  # fmt: skip
    assert found == pytest.approx(
        [
            math.log(5), 0.25, math.log(4), 1, 0, -math.log(42),
            0.75, 0, 1, math.log(2), math.log(8), 1, 1,
        ]
    )  # fmt: skip


def test_what_is_not_known_is_zero() -> None:
    """Nobody, and traits that are no numbers."""
    nobody = Profile("u:2", traits={"likes": Trait("x", START_MS), "n": Trait(math.inf, START_MS)})
    texts = (
        "known",
        "idle_days",
        "trait:likes",
        "trait:n",
        "interest:brand=b1",
        "context:device=x",
    )
    assert of(*texts, profile=nobody) == [0.0] * 6


@pytest.mark.parametrize(
    "text", ["", "age", "trait", "trait:", "trait:x=", "interest:brand", "t:x"]
)
def test_what_is_no_feature(text: str) -> None:
    """An error that says why."""
    with pytest.raises(ValueError, match=r"feature|equals|value"):
        parse(text)


def test_the_layout_is_the_names() -> None:
    """Another order or another name is another layout."""
    assert layout_of(("a", "b")) == layout_of(("a", "b"))
    assert len({layout_of(x) for x in (("a", "b"), ("b", "a"), ("a",), ("ab",))}) == 4


def test_numbers_and_flags_that_came_as_text() -> None:
    """As files have them; the same as if they had been declared as what they say."""
    said = {"a": "true", "b": "1", "c": "Yes", "d": "false", "e": "12.5", "f": "c1", "g": "nan"}
    person = Profile("u:3", traits={key: Trait(value, START_MS) for key, value in said.items()})
    found = of(*(f"trait:{key}" for key in said), profile=person)
    assert found == pytest.approx([math.log(2)] * 3 + [0, math.log(13.5), 0, 0])
