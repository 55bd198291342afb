"""Events a second over HTTP, acknowledged = durable and folded, against the thinnest durable server.

Both servers run at once and idle while the other one is asked: short turns, A B A B, each turn as many
connections as it takes to be always busy. The figure is the middle of the ratios of neighbouring turns, so that
what else the machine does weighs on both sides. Beside it, events for each second of processor time, which
does not depend on how much of the machine was free. Then, at half of what it took, how long an
acknowledgement takes.
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64encode
from pathlib import Path
from statistics import median
from typing import Any

from rich.progress import Progress

from benchmarks.figures import record, write_result
from benchmarks.speed.load import Full, full, paced, quantiles
from benchmarks.speed.servers import Measured, Thin, cpu_s
from benchmarks.speed.world import World, user

COMMAND = "just bench speed ingest"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "5"))
SECONDS = float(os.environ.get("GERMANE_SECONDS", "4"))
CONNECTIONS = {1: 32, 100: 8}
WORLD = World(10_000, 20_000, 200_000)
ACKS_S = 20


def main() -> None:
    """Both sizes of a batch, then the acknowledgement."""
    result: dict[str, Any] = {"protocol": __doc__, "connections": CONNECTIONS, "seconds": SECONDS}
    with tempfile.TemporaryDirectory() as folder, Progress() as progress:
        bar = progress.add_task("ingest", total=len(CONNECTIONS) * ROUNDS * 2 + 1)
        product = Measured(WORLD.copied(Path(folder) / "shop"))
        product.start()
        thin = Thin(Path(folder) / "thin")
        try:
            for size in CONNECTIONS:
                turns = []
                for number in range(ROUNDS):
                    turns += [(_turn(thin, size, number), _turn(product, size, number))]
                    progress.update(bar, advance=2)
                result[f"batch_{size}"] = told = compared(turns)
                record(
                    f"speed.ingest_batch{size}_ratio",
                    round(told["ratio"], 4),
                    n=sum(round(each["per_s"] * SECONDS) for _, each in turns),
                    command=COMMAND,
                )
            rate = result["batch_1"]["per_s"] / 2
            result["ack_at_half_load"] = acks = _acks(product, rate)
            progress.update(bar, advance=1)
            count = int(rate * ACKS_S)
            record("speed.ingest_ack_p99_ms", acks["p99_ms"], n=count, command=COMMAND)
        finally:
            thin.close()
            product.close()
    write_result("speed_ingest", result)


def _turn(server: Measured | Thin, size: int, number: int) -> dict[str, float]:
    before = cpu_s(server.pid)
    said = [str(size), basic(server.write_key), f"t{number}-{size}", str(WORLD.people)]
    found: Full = full(
        server.url,
        "track.lua",
        *said,
        str(WORLD.items),
        connections=CONNECTIONS[size],
        seconds=SECONDS,
    )
    return turn_of(found, found.per_s * size, SECONDS, cpu_s(server.pid) - before)


def turn_of(found: Full, per_s: float, seconds: float, cpu: float) -> dict[str, float]:
    """One turn of one server, which took so many seconds of processor time."""
    return {
        "per_s": per_s,
        "per_cpu_s": per_s * seconds / cpu,
        "p99_ms": found.p99_ms,
        "generator_cores": found.generator_cpu,
    }


def compared(turns: list[tuple[dict[str, float], dict[str, float]]]) -> dict[str, Any]:
    """The limit's turns against ours, in the middle."""

    def of(side: int, name: str) -> float:
        return round(median(pair[side][name] for pair in turns), 3)

    return {
        "ratio": median(ours["per_s"] / limit["per_s"] for limit, ours in turns),
        "ratio_by_cpu": median(ours["per_cpu_s"] / limit["per_cpu_s"] for limit, ours in turns),
        "cpu_us": round(1e6 / of(1, "per_cpu_s"), 1),
        "limit_cpu_us": round(1e6 / of(0, "per_cpu_s"), 1),
        **{name: of(1, name) for name in turns[0][1]},
        **{f"limit_{name}": of(0, name) for name in turns[0][0]},
        "turns": turns,
    }


def _acks(server: Measured, rate: float) -> dict[str, float]:
    def body(number: int, chance: Any) -> bytes:
        item = f"i{1 + int(WORLD.items ** chance.random()) - 1}"
        person = user(chance.randrange(WORLD.people))
        return (
            f'{{"event":"Product Viewed","userId":"{person}","messageId":"ack-{number}",'
            f'"properties":{{"product_id":"{item}"}}}}'
        ).encode()

    found = paced(server.port, "/v1/track", server.write_key, body, rate=rate, seconds=ACKS_S)
    return {"rate_per_s": round(rate, 1), **quantiles(found)}


def basic(key: str) -> str:
    """The header's value."""
    return "Basic " + b64encode(f"{key}:".encode()).decode()


if __name__ == "__main__":
    main()
