"""Decisions while a training runs beside: p99 with, against p99 without, on the same server.

A server on both cores is asked at a steady pace, in short turns, A B A B: alone, and while `germane train` runs
as the server itself would run it, a child of the lowest priority. Each training is a first one: it reads for a
second, then fits, and most often the turn ends before it does. It works on a copy of the data folder, so that
what it makes does not change who is ranked how.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, Self

import msgspec
from rich.progress import track

from benchmarks.figures import record, write_result
from benchmarks.speed.load import paced, quantiles
from benchmarks.speed.servers import Measured
from benchmarks.speed.world import World, user
from germane.app.trained import TREES

COMMAND = "just bench speed training"
ROUNDS = int(os.environ.get("GERMANE_ROUNDS", "5"))
SECONDS = float(os.environ.get("GERMANE_SECONDS", "15"))
RATE = 100.0
"""Decisions a second."""
WARM_S = 5.0
WORLD = World(10_000, 5_000, 50_000)
ASKED = [{"surface": "home"}]


class Trainer:
    """Trains again and again, from within ``with`` to its end."""

    def __init__(self, shop: Path) -> None:
        self._shop = shop
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._child: subprocess.Popen[bytes] | None = None
        self.trainings = 0
        """Those that ended by themselves."""
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._child is not None:
            self._child.terminate()
        self._thread.join()
        assert not self.failed, self.failed

    def _run(self) -> None:
        while not self._over.is_set():
            shutil.rmtree(self._shop / "germane-data" / "models" / TREES, ignore_errors=True)
            command = ["nice", "-n", "19", sys.executable, "-m", "germane", "train"]
            self._child = subprocess.Popen(
                command, cwd=self._shop, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
            _, said = self._child.communicate()
            if self._over.is_set():
                return
            self.trainings += 1
            if self._child.returncode:
                self.failed.append(said.decode())
                return


def main() -> None:
    """In turns."""
    with tempfile.TemporaryDirectory() as folder:
        shop, beside = (WORLD.copied(Path(folder) / name) for name in ("shop", "beside"))
        product = Measured(shop, GERMANE_TRAINING__ENABLED="false")
        product.start()
        try:
            _turn(product, WARM_S)
            alone: list[list[float]] = []
            trained: list[list[float]] = []
            trainings = 0
            for _ in track(range(ROUNDS), "training"):
                alone.append(_turn(product))
                with Trainer(beside) as trainer:
                    trained.append(_turn(product))
                trainings += trainer.trainings
        finally:
            product.close()
    without, beside_it = ([quantiles(each) for each in turns] for turns in (alone, trained))
    ratio = _p99(beside_it) / _p99(without)
    count = sum(map(len, trained))
    record("quality.decide_p99_ratio_while_training", round(ratio, 3), n=count, command=COMMAND)
    result: dict[str, Any] = {
        "protocol": __doc__,
        "world": vars(WORLD),
        "rate_per_s": RATE,
        "seconds": SECONDS,
        "alone": without,
        "while_training": beside_it,
        "trainings_ended": trainings,
    }
    write_result("speed_training", result)


def _p99(turns: list[dict[str, float]]) -> float:
    return median(each["p99_ms"] for each in turns)


def _turn(server: Measured, seconds: float = SECONDS) -> list[float]:
    return paced(server.port, "/v1/decide", server.server_key, _body, rate=RATE, seconds=seconds)


def _body(_: int, chance: Random) -> bytes:
    person = {"userId": user(chance.randrange(WORLD.people))}
    return msgspec.json.encode({"person": person, "surfaces": ASKED})


if __name__ == "__main__":
    main()
