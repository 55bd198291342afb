"""A minute at a steady pace with all that a shop sends (`GERMANE_SOAK_S`: seconds): nothing grows."""

from __future__ import annotations

import os

from benchmarks import soak

SECONDS = float(os.environ.get("GERMANE_SOAK_S", "60"))
GROWTH_MIB = 12
"""In a minute, noise is most of what is seen; what holds for hours is held by the benchmark."""


def test_soak() -> None:
    found = soak.run(SECONDS, strangers=0)
    assert found["answers"] > SECONDS
    rss, files, p99 = found["rss_mib"], found["descriptors"], found["p99_ms"]
    assert rss["end"] - rss["start"] < GROWTH_MIB, found["samples"]
    assert files["end"] - files["start"] < 3, found["samples"]
    assert p99["end"] < 3 * p99["start"] + 300, found
