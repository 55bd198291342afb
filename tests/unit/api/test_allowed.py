"""A word that is not allowed, or missing, is answered with those that are, wherever in a body it stands."""

from __future__ import annotations

import json
from enum import Enum
from typing import Annotated, Any, Literal

import msgspec
import pytest

from germane.api.body import decode
from germane.api.consents import Consent
from germane.domain.errors import BadRequest


class Colour(Enum):
    """An enumeration of the standard library."""

    RED = "red"
    BLUE = "blue"


class Cat(msgspec.Struct, tag_field="kind", tag="cat"):
    """One of two kinds."""

    mood: Literal["calm", "wild"]


class Dog(msgspec.Struct, tag_field="kind", tag="dog"):
    """The other one."""

    legs: Literal[3, 4] | None = None


class Body(msgspec.Struct, rename="camel"):
    """Words at every kind of place."""

    plain: Literal["a", "b"] = "a"
    or_number: Literal["all"] | int | None = None
    described: Annotated[Literal["m"], msgspec.Meta(description="x")] = "m"
    colour: Colour = Colour.RED
    all_pets: list[Cat | Dog] = []
    by_name: dict[str, Literal["u", "v"]] = {}
    of_words: dict[Literal["k", "l"], int] = {}
    nested: list[list[Literal["w"]]] = []
    pair: tuple[int, Literal["z"]] = (1, "z")
    many: tuple[Literal["t"], ...] = ()
    inner: Body | None = None
    free: str = ""


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"plain": "x"}, "a, b"),
        ({"orNumber": "x"}, "all"),
        ({"described": "x"}, "m"),
        ({"colour": "green"}, "red, blue"),
        (
            {"allPets": [{"kind": "cat", "mood": "calm"}, {"kind": "cat", "mood": "x"}]},
            "calm, wild",
        ),
        ({"allPets": [{"kind": "dog", "legs": 5}]}, "3, 4"),
        ({"allPets": [{"kind": "cow"}]}, "cat, dog"),
        ({"byName": {"any": "x"}}, "u, v"),
        ({"ofWords": {"x": 1}}, "k, l"),
        ({"nested": [["w"], ["x"]]}, "w"),
        ({"pair": [1, "x"]}, "z"),
        ({"many": ["t", "x"]}, "t"),
        ({"inner": {"inner": {"plain": "x"}}}, "a, b"),
        ({"plain": "x' - at `$.inner"}, "a, b"),
    ],
    ids=lambda x: json.dumps(x) if isinstance(x, dict) else "",
)
def test_what_may_stand_there_is_named(sent: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match=r"Invalid (enum )?value") as caught:
        decode(json.dumps(sent).encode(), Body)
    assert caught.value.hint == f"One of: {words}. See /docs for the form of this request."


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"allPets": [{"kind": "cat", "mood": "calm"}, {"kind": "cat"}]}, "calm, wild"),
        ({"allPets": [{}]}, "cat, dog"),
        ({"inner": {"allPets": [{"kind": "cat"}]}}, "calm, wild"),
    ],
    ids=lambda x: json.dumps(x) if isinstance(x, dict) else "",
)
def test_what_is_missing_is_named(sent: dict[str, Any], words: str) -> None:
    with pytest.raises(BadRequest, match="missing required field") as caught:
        decode(json.dumps(sent).encode(), Body)
    assert caught.value.hint == f"One of: {words}. See /docs for the form of this request."


@pytest.mark.parametrize("sent", [{"plain": 5}, {"free": 5}, {"pair": [1]}])
def test_other_errors_name_no_words(sent: dict[str, Any]) -> None:
    with pytest.raises(BadRequest) as caught:
        decode(json.dumps(sent).encode(), Body)
    assert caught.value.hint == "See /docs for the form of this request."


def test_a_body_of_the_api() -> None:
    """As it is met: a yes that is called otherwise, and one that is left out."""
    said = {"userId": "ann", "purpose": "personalisation", "state": "yes"}
    with pytest.raises(BadRequest) as caught:
        decode(json.dumps(said).encode(), Consent)
    assert caught.value.message == "Invalid enum value 'yes' - at `$.state`."
    assert caught.value.hint.startswith("One of: granted, withdrawn.")
    del said["state"]
    with pytest.raises(BadRequest) as caught:
        decode(json.dumps(said).encode(), Consent)
    assert caught.value.message == "Object missing required field `state`."
    assert caught.value.hint.startswith("One of: granted, withdrawn.")
    with pytest.raises(BadRequest) as caught:  # any name may stand there
        decode(b'{"userId": "ann", "state": "granted"}', Consent)
    assert caught.value.hint == "See /docs for the form of this request."
