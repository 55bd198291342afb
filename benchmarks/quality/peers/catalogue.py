"""The peers by name, in the order in which they are run: quick ones first."""

from __future__ import annotations

from typing import Any

MODULES: dict[str, tuple[str, str]] = {
    "popularity": ("plain", "Popularity"),
    "own-repeats": ("plain", "OwnRepeats"),
    "implicit-knn-cosine": ("neighbours", "ImplicitCosine"),
    "implicit-knn-bm25": ("neighbours", "ImplicitBM25"),
    "irspack-rp3beta": ("neighbours", "RP3beta"),
    "session-knn": ("plain", "SessionNeighbours"),
    "ease": ("neighbours", "Ease"),
    "irspack-ease": ("neighbours", "IrspackEase"),
    "implicit-als": ("factors", "ImplicitALS"),
    "irspack-ials": ("factors", "IrspackIALS"),
    "irspack-slim": ("neighbours", "Slim"),
    "lightfm-warp": ("factors", "LightFMWarp"),
    "implicit-bpr": ("factors", "ImplicitBPR"),
}
TOO_LARGE = {
    "completejourney": ("irspack-slim", "lightfm-warp", "implicit-bpr", "irspack-ease"),
}
"""Data sets that a peer cannot be tuned on in the time that all get."""


def make(name: str) -> Any:
    """A peer's class."""
    from importlib import import_module

    module, found = MODULES[name]
    return getattr(import_module(f"benchmarks.quality.peers.{module}"), found)
