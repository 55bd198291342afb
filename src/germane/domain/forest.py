"""A trained ensemble of regression trees as plain data: what ``train`` makes and ``predict`` ranks with."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from germane.domain.settings import SurfaceSpec

NEW = "*new"
"""Lists of items that were new to the person: a head of their own, beside that of all items (empty)."""
AHEAD, AHEAD_NEW = "*ahead", "*ahead-new"
"""Lists that are made ahead, of all items and of new ones: trees of their own, on the blends of the others."""
MADE_AHEAD = {"": AHEAD, NEW: AHEAD_NEW}
BLENDED_AS = {"": "", NEW: NEW, AHEAD: "", AHEAD_NEW: NEW}
"""Head -> the head whose blend its trees add to."""


def heads_ahead(surfaces: Iterable[SurfaceSpec]) -> tuple[str, ...]:
    """Heads of the lists that are made ahead on some surfaces, each once."""
    lists = (each for each in surfaces if each.kind != "choice" and each.horizon == "day")
    heads = (AHEAD_NEW if each.already_bought == "exclude" else AHEAD for each in lists)
    return tuple(dict.fromkeys(heads))


class Tree(msgspec.Struct, frozen=True, array_like=True):
    """One tree. Inner node ``n`` asks whether ``row[column[n]] <= threshold[n]``: if so it goes to
    ``left[n]``, else to ``right[n]``. A child that is 0 or more is an inner node; one below 0 is
    the leaf ``-1 - child``. Node 0 is the root; a tree without inner nodes is one leaf.
    """

    column: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    node_value: tuple[float, ...]
    """Mean output of the rows that came through each inner node."""
    leaf_value: tuple[float, ...]


class Forest(msgspec.Struct, frozen=True, array_like=True):
    """A sum of trees that is added to a ranker's score."""

    layout: str
    """Names the set of features whose columns the trees read; another one's is not used."""
    trees: tuple[Tree, ...]


class Trained(msgspec.Struct, frozen=True):
    """What one training made: a forest for each kind of list that it may rank."""

    version: str
    forests: dict[str, Forest]
    """Head (a key of ``BLENDED_AS``) -> its forest."""
