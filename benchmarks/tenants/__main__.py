"""`just bench tenants`: every route of a project with every key of another one, and every wrong key of its own.

Two projects in one server, as `germane serve --project` serves them, on disk, with people, decisions, messages,
approvals, content, campaigns, keys, operators, dead letters, consent and an audit log in both. From the
description of the API every route is asked with every wrong credential in every form, each for something that
is there, that is only in the other project, and that is nowhere. A leak is an answer that lets in, that differs
between these three, or that tells a known credential of the other project from one that was made up; an answer
to a good key that tells what is the other project's from what is nobody's; a seal or signature of the other
project that is told from a forged one; or a change of anything that is stored.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import record, write_result
from benchmarks.tenants.sealed import own_seals, seals
from benchmarks.tenants.shops import folders, serving
from benchmarks.tenants.walk import Tally, Walk

COMMAND = "just bench tenants"


async def matrix(base: Path) -> dict[str, Any]:
    """Both ways round."""
    tally, controls, routes = Tally(), 0, 0
    with folders(base) as shops:
        async with serving(shops) as street:
            pairs = [(shops[0], shops[1]), (shops[1], shops[0])]
            walks = [Walk(street, own, other, tally) for own, other in pairs]
            for each in walks:
                routes = len(await each.describe())
                controls += await each.controls()
            before = await _states(shops)
            for each, (own, other) in zip(walks, pairs, strict=True):
                await each.refusals()
                await seals(street, own, other, tally)
            refused = tally.requests
            tally.hold(await _states(shops) == before, "something that is stored was changed")
            for each in walks:
                await each.foreign()
            for shop in shops:
                controls += await own_seals(street, shop, tally)
    return {
        "routes": routes,
        "requests": tally.requests,
        "with_wrong_keys": refused,
        "controls": controls,
        "leaks": len(tally.leaks),
        "first_leaks": [each[:2_000] for each in tally.leaks[:20]],
    }


async def _states(shops: list[Any]) -> list[str]:
    """When everything that was asked for is on the disk."""
    for each in shops:
        await each.served.engine.durable()
    return [each.state() for each in shops]


def main() -> None:
    """Run, print, write."""
    with tempfile.TemporaryDirectory() as base:
        result = asyncio.run(matrix(Path(base)))
    print(json.dumps(result, indent=2))
    write_result("tenants", {"protocol": __doc__, **result})
    record("security.tenant_matrix_leaks", result["leaks"], n=result["requests"], command=COMMAND)
    assert not result["leaks"], result["first_leaks"]


if __name__ == "__main__":
    main()
