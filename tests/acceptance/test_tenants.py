"""The matrix of two projects: `benchmarks/tenants` walks it, and here it is held to find nothing, and to find
what there is to be found."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.tenants import calls
from benchmarks.tenants.__main__ import matrix
from benchmarks.tenants.sealed import seals
from benchmarks.tenants.shops import folders, serving
from benchmarks.tenants.walk import Tally, Walk


def test_every_route_with_every_wrong_key(tmp_path: Path) -> None:
    """Refused, and the answer tells nothing of the other project; nothing is changed."""
    found = asyncio.run(matrix(tmp_path))
    assert found["leaks"] == 0, found["first_leaks"]
    assert found["routes"] >= 90
    assert found["controls"] >= 44, "what is asked about is there"
    assert found["requests"] > 50_000


def test_a_leak_is_found(tmp_path: Path) -> None:
    """The same walk, where what it takes for the stranger's opens the project."""

    async def walked() -> list[str]:
        with folders(tmp_path) as shops:
            async with serving(shops) as street:
                own, other = shops
                keys = other.keys | {"configured write": own.keys["configured write"]}
                thief = replace(
                    other, keys=keys, ids=own.ids, served=own.served, sendgrid=own.sendgrid
                )
                walk = Walk(street, own, thief, tally := Tally())
                (track, batch) = [
                    x for x in await walk.describe() if x.path in ("/v1/track", "/v1/batch")
                ]
                walk.describe = lambda: _listed([track, batch])  # type: ignore[method-assign]
                await walk.refusals()
                await seals(street, own, thief, tally)
                return tally.leaks

    leaks = asyncio.run(walked())
    for said in (
        "POST /v1/track | their configured write | basic key | was let in",
        "POST /v1/batch | their configured write | body key | is known from others of its kind",
        "GET u | is known from a forged one",
        "sendgrid | is known from a forged one",
    ):
        assert any(each.startswith(said) for each in leaks), said


async def _listed(found: list[Any]) -> list[Any]:
    return found


@pytest.mark.parametrize(
    ("path", "operation", "why"),
    [
        ("/v1/x/{thing}", {"parameters": [{"name": "thing", "in": "path"}]}, "no id is known"),
        ("/v1/x", {"parameters": [{"name": "who", "in": "query"}]}, r"nothing is known for \?who="),
        ("/v1/x", {"parameters": [{"name": "who", "in": "cookie"}]}, "in the cookie"),
        ("/v1/x", {"requestBody": {"content": {"text/csv": {}}}}, "a body of text/csv"),
    ],
)
def test_a_route_of_a_new_kind_is_not_left_out(
    path: str, operation: dict[str, Any], why: str
) -> None:
    """Who adds one says what its ids are, or nothing is shown of it."""
    for each in operation.get("parameters", ()):
        each["schema"] = {"type": "string"}
    document = {"paths": {path: {"get": {"x-permission": "people.read", **operation}}}}
    with pytest.raises(calls.NotKnown, match=why):
        calls.operations(document)


def test_a_schema_of_a_new_kind_is_not_left_out() -> None:
    with pytest.raises(calls.NotKnown, match="oneOf"):
        calls.value({"oneOf": []}, {}, {})
