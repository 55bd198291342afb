"""A forest, evaluated for many candidates at once and taken apart by source.

Evaluation follows QuickScorer (Lucchese et al. 2015, "QuickScorer: a fast algorithm to rank documents
with additive ensembles of regression trees"): each tree keeps a set of leaves that can still be
reached, as bits; every test that fails takes out the leaves to its left; the lowest bit that is left
is the leaf. All tests on one feature are answered by one look-up, so the cost grows with the number
of features and not with the depth.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from germane.domain.forest import Forest, Tree
from germane.predict.features import LAYOUT, MEMBERS

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.floating]
Leaves = npt.NDArray[np.intp]
Masks = npt.NDArray[np.uint16]
Words = npt.NDArray[np.uint64]

MAX_LEAVES = 16
TREES_A_WORD = 64 // MAX_LEAVES
"""Sets of leaves are put together four at a time."""
BLOCK = 4_096
"""Rows evaluated at once, so that a whole history of lessons fits into memory, too."""
_ALL = np.uint16(2**MAX_LEAVES - 1)
_ALL_WORD = np.uint64(2**64 - 1)
_SETS = np.arange(1, 2**MAX_LEAVES)
_LOWEST = np.concatenate(([0], np.log2(_SETS & -_SETS))).astype(np.uint8)
"""Place of the lowest bit of each set of leaves."""


class Trees:
    """A compiled forest.

    Raises:
        ValueError: it reads another set of features, or has a tree with more than 16 leaves.
    """

    def __init__(self, forest: Forest) -> None:
        if forest.layout != LAYOUT:
            raise ValueError(f"the forest is for features {forest.layout}, not {LAYOUT}")
        flat = [_Flat(tree) for tree in forest.trees]
        count = len(flat)
        self._words = -(-count // TREES_A_WORD)
        self._tests = [(column, gaps, _words(masks)) for column, gaps, masks in _tests(flat)]
        self._offsets = np.arange(count) * MAX_LEAVES
        self._values: Floats = np.zeros(count * MAX_LEAVES)
        self._parts: Floats = np.zeros((count * MAX_LEAVES, MEMBERS.shape[1]))
        for number, each in enumerate(flat):
            rows = slice(number * MAX_LEAVES, number * MAX_LEAVES + len(each.values))
            self._values[rows] = each.values
            self._parts[rows] = each.parts

    def scores(self, features: Rows) -> Floats:
        """What the forest adds to the score of each row, shape (n,)."""
        found = np.empty(len(features))
        for start in range(0, len(features), BLOCK):
            rows = slice(start, start + BLOCK)
            found[rows] = self.values(self.leaves(features[rows]))
        return found

    def contributions(self, features: Rows) -> Floats:
        """The same by source, shape (n, sources): rows add up to ``scores``."""
        return self.parts(self.leaves(features))

    def leaves(self, features: Rows) -> Leaves:
        """Place of each row's leaf of each tree, shape (n, trees)."""
        seen = features.astype(np.float16).T.astype(
            np.float32
        )  # as it was learned: lessons are stored so
        alive = np.full((len(features), self._words), _ALL_WORD)
        for column, thresholds, masks in self._tests:
            alive &= masks.take(thresholds.searchsorted(seen[column]), axis=0)
        found: Leaves = _LOWEST[alive.view(np.uint16)[:, : len(self._offsets)]] + self._offsets
        return found

    def values(self, leaves: Leaves) -> Floats:
        """What some rows' leaves add to their scores, shape (n,)."""
        found: Floats = self._values.take(leaves).sum(axis=1)
        return found

    def parts(self, leaves: Leaves) -> Floats:
        """The same by source, shape (n, sources).

        Each step down a tree is put to the source of the feature that was asked, with what it changed
        in the mean of the rows that pass there (Saabas 2014, "Interpreting random forests").
        """
        found: Floats = self._parts[leaves].sum(axis=1)
        return found


class _Flat:
    """A tree with its leaves numbered from left to right, and their values against the root's."""

    def __init__(self, tree: Tree) -> None:
        self.values: list[float] = []
        self.parts: list[Floats] = []
        self.tests: list[tuple[int, float, int]] = []
        """(column, threshold, leaves to its left as bits) of every inner node."""
        self._tree = tree
        self._root = self._mean(0) if tree.column else tree.leaf_value[0]
        self._walk(0 if tree.column else -1, np.zeros(MEMBERS.shape[1]))
        if len(self.values) > MAX_LEAVES:
            raise ValueError(f"a tree has {len(self.values)} leaves, more than {MAX_LEAVES}")

    def _walk(self, node: int, parts: Floats) -> None:
        """Depth first, left before right."""
        tree = self._tree
        if node < 0:
            self.values.append(self._mean(node) - self._root)
            self.parts.append(parts)
            return
        column, first = tree.column[node], len(self.values)
        self._walk(tree.left[node], self._step(parts, node, tree.left[node]))
        left = (1 << len(self.values)) - (1 << first)
        self.tests.append((column, tree.threshold[node], left))
        self._walk(tree.right[node], self._step(parts, node, tree.right[node]))

    def _step(self, parts: Floats, node: int, child: int) -> Floats:
        changed = self._mean(child) - self._mean(node)
        found: Floats = parts + MEMBERS[self._tree.column[node]] * changed
        return found

    def _mean(self, node: int) -> float:
        tree = self._tree
        return tree.node_value[node] if node >= 0 else tree.leaf_value[-1 - node]


def _tests(flat: list[_Flat]) -> list[tuple[int, npt.NDArray[np.float32], Masks]]:
    """For each feature that is asked: its thresholds in order, and for each gap between them the
    leaves of each tree that are left, shape (gaps, trees)."""
    asked: dict[int, dict[float, list[tuple[int, int]]]] = {}
    for number, each in enumerate(flat):
        for column, threshold, left in each.tests:
            asked.setdefault(column, {}).setdefault(threshold, []).append((number, left))
    found = []
    for column in sorted(asked):
        thresholds = sorted(asked[column])
        masks = np.full((len(thresholds) + 1, len(flat)), _ALL)
        for place, threshold in enumerate(thresholds, start=1):
            masks[place] = masks[place - 1]  # a row beyond this threshold fails this test, too
            for number, left in asked[column][threshold]:
                masks[place, number] &= np.uint16(~left & 0xFFFF)
        found.append((column, np.array(thresholds, dtype=np.float32), masks))
    return found


def _words(masks: Masks) -> Words:
    """The same with the sets of four trees in one word, shape (gaps, words)."""
    gaps, count = masks.shape
    words = -(-count // TREES_A_WORD)
    room = np.full((gaps, words * TREES_A_WORD), _ALL)
    room[:, :count] = masks
    return room.view(np.uint64)
