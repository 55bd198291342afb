"""Decisions: slates of ten with rules, quota, exploration and logging, 100,000 items, 1 M people.

The server is held to one core, the load generator has the other. In short turns, A B A B: the product, and
the same server library answering a constant body of the same size. Each turn asks for other people, most of
whom are met for the first time. Then, at 70 % of what it could, how long a decision takes from when it was
due. Then `decide/batch` on both cores.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import msgspec
from rich.progress import Progress

from benchmarks.figures import record, write_result
from benchmarks.speed.ingest import basic, compared, turn_of
from benchmarks.speed.load import full, paced, quantiles
from benchmarks.speed.servers import Measured, Thin, cpu_s, resident_mb
from benchmarks.speed.world import World, user

COMMAND = "just bench speed decide"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "5"))
SECONDS = float(os.environ.get("GERMANE_SECONDS", "4"))
CONNECTIONS = 8
WORLD = World(
    int(os.environ.get("GERMANE_ITEMS", "100000")),
    int(os.environ.get("GERMANE_PEOPLE", "1000000")),
    1_000_000,
)
SHARE, PACED_S, WARM_S = 0.7, 20, 20.0
PEOPLE_A_BATCH = 500
SERVER_CORE, BOTH = (0,), (0, 1)
ASKED = [{"surface": "home"}]


def main() -> None:
    """One core, then at 70 %, then whole batches on two."""
    result: dict[str, Any] = {"protocol": __doc__, "world": vars(WORLD), "seconds": SECONDS}
    with tempfile.TemporaryDirectory() as folder, Progress() as progress:
        bar = progress.add_task("decide", total=3 * ROUNDS + 1)
        shop = WORLD.copied(Path(folder) / "shop")
        product = Measured(shop, SERVER_CORE)
        product.start()
        constant = Path(folder) / "constant.json"
        constant.write_bytes(_one(product))
        thin = Thin(Path(folder) / "thin", SERVER_CORE, constant)
        try:
            _turn(product, 0, WARM_S)  # rules are asked of each item when it is met first
            turns = []
            for number in range(1, ROUNDS + 1):
                turns.append((_turn(thin, number), _turn(product, number)))
                progress.update(bar, advance=2)
            result["one_core"] = told = compared(turns)
            count = sum(round(each["per_s"] * SECONDS) for _, each in turns)
            record("speed.decide_rps_one_core", told["per_s"], n=count, command=COMMAND)
            record("speed.decide_ratio_constant", round(told["ratio"], 4), n=count, command=COMMAND)
            rate = SHARE * told["per_s"]
            times = paced(
                product.port, "/v1/decide", product.server_key, _body, rate=rate, seconds=PACED_S
            )
            result["at_70_percent"] = {"rate_per_s": round(rate, 1), **quantiles(times)}
            record(
                "speed.decide_p99_ms_at_70pct",
                result["at_70_percent"]["p99_ms"],
                n=len(times),
                command=COMMAND,
            )
            result["resident_mb"] = round(resident_mb(product.pid), 1)
            progress.update(bar, advance=1)
        finally:
            thin.close()
            product.close()
        product = Measured(shop, BOTH)
        product.start()
        try:
            _turn(product, ROUNDS + 1, WARM_S)
            batches = []
            for number in range(ROUNDS):
                batches.append(_batch(product, number))
                progress.update(bar, advance=1)
        finally:
            product.close()
        result["batch"] = batches
        record(
            "speed.batch_people_per_s",
            round(median(each["people_per_s"] for each in batches), 1),
            n=ROUNDS * PEOPLE_A_BATCH,
            command=COMMAND,
        )
    write_result("speed_decide", result)


def _body(number: int, chance: Random) -> bytes:
    person = {"userId": user(chance.randrange(WORLD.people))}
    return msgspec.json.encode({"person": person, "surfaces": ASKED})


def _one(server: Measured) -> bytes:
    answer = server.api.post("/v1/decide", content=_body(0, Random(1)))
    assert len(answer.json()["decisions"][0]["items"]) == 10, answer.text
    return answer.content


def _turn(server: Measured | Thin, number: int, seconds: float = SECONDS) -> dict[str, float]:
    before = cpu_s(server.pid)
    found = full(
        server.url,
        "decide.lua",
        basic(server.server_key),
        str(WORLD.people),
        str(number),
        connections=CONNECTIONS,
        seconds=seconds,
    )
    return turn_of(found, found.per_s, seconds, cpu_s(server.pid) - before)


def _batch(server: Measured, number: int) -> dict[str, float]:
    chance, before = Random(number), cpu_s(server.pid)
    people = [{"userId": user(chance.randrange(WORLD.people))} for _ in range(PEOPLE_A_BATCH)]
    started = time.perf_counter()
    answer = server.api.post("/v1/decide/batch", json={"people": people, "surfaces": ASKED})
    seconds = time.perf_counter() - started
    assert answer.text.count('"decisions"') == PEOPLE_A_BATCH, answer.text[:500]
    return {
        "people_per_s": round(PEOPLE_A_BATCH / seconds, 1),
        "cpu_us_per_person": round((cpu_s(server.pid) - before) * 1e6 / PEOPLE_A_BATCH, 1),
    }


if __name__ == "__main__":
    main()
