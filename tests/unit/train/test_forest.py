"""Fitting a forest, and ranking with it."""

from __future__ import annotations

import numpy as np
import pytest

from germane.domain.forest import Forest, Tree
from germane.predict.features import COLUMN, LAYOUT, SOURCE_OF, SOURCES, WIDTH
from germane.predict.trees import MAX_LEAVES, Trees
from germane.train import forest, judge
from tests.unit.train.lists import lessons


def walked(tree: Tree, row: np.ndarray) -> float:
    """The plain way: one step after the other."""
    if not tree.column:
        return 0.0
    node = 0
    while node >= 0:
        below = row[tree.column[node]] <= tree.threshold[node]
        node = tree.left[node] if below else tree.right[node]
    return tree.leaf_value[-1 - node] - tree.node_value[0]


def a_tree(*, column: int = 0, threshold: float = 0.5) -> Tree:
    """One question: below the threshold -1, else 2."""
    return Tree((column,), (threshold,), (-1,), (-2,), (0.0,), (-1.0, 2.0))


def test_the_compiled_forest_is_the_forest() -> None:
    """All leaves at once give what a walk through each tree gives, whatever the rows are."""
    some = lessons(300, bump=True)
    made = forest.fit(some, np.zeros(len(some.features)), LAYOUT)
    rows = np.random.default_rng(3).normal(size=(200, WIDTH)).astype(np.float16)
    rows[:5] = 0.0
    rows[5, 0] = made.trees[0].threshold[0]  # on a threshold: it goes to the left
    expected = [sum(walked(tree, row.astype(float)) for tree in made.trees) for row in rows]
    assert np.allclose(Trees(made).scores(rows), expected, atol=1e-9)


def test_parts_add_up_to_the_score() -> None:
    """What each source contributes is, together, exactly what is added to the score."""
    some = lessons(200, bump=True)
    trees = Trees(forest.fit(some, np.zeros(len(some.features)), LAYOUT))
    rows = some.features[:500]
    assert np.allclose(trees.contributions(rows).sum(axis=1), trees.scores(rows), atol=1e-9)


def test_a_step_is_put_to_the_source_of_its_feature() -> None:
    """One tree that asks for one feature speaks for that feature's source alone."""
    for name in ("own_due", "together", "price_fit"):
        trees = Trees(Forest(LAYOUT, (a_tree(column=COLUMN[name]),)))
        rows = np.zeros((2, WIDTH))
        rows[1, COLUMN[name]] = 1.0
        parts = trees.contributions(rows)
        spoken = SOURCES.index(SOURCE_OF[name])
        assert parts[:, spoken].tolist() == [-1.0, 2.0]
        assert np.delete(parts, spoken, axis=1).any() == np.False_


def test_more_rows_than_a_block() -> None:
    """Evaluated in blocks, the result is that of single rows."""
    trees = Trees(Forest(LAYOUT, (a_tree(),)))
    rows = np.zeros((9_000, WIDTH))
    rows[::2, 0] = 1.0
    assert trees.scores(rows).tolist() == [2.0, -1.0] * 4_500


def test_a_forest_for_other_features_is_refused() -> None:
    """It would read other columns than it was taught with."""
    with pytest.raises(ValueError, match="features other"):
        Trees(Forest("other", ()))


def test_a_tree_with_too_many_leaves_is_refused() -> None:
    """The set of leaves would not fit."""
    count = MAX_LEAVES  # inner nodes in a row: one leaf more than that
    chain = Tree(
        column=(0,) * count,
        threshold=tuple(float(x) for x in range(count)),
        left=tuple(-1 - x for x in range(count)),
        right=(*range(1, count), -1 - count),
        node_value=(0.0,) * count,
        leaf_value=(0.0,) * (count + 1),
    )
    with pytest.raises(ValueError, match="17 leaves"):
        Trees(Forest(LAYOUT, (chain,)))


@pytest.mark.parametrize("objective", forest.OBJECTIVES)
def test_it_learns_what_no_weight_can_tell(objective: str) -> None:
    """Where the middle of a feature is what counts, it leads far; held-out lists tell."""
    some, other = lessons(600, bump=True), lessons(300, bump=True, seed=1)
    made = forest.fit(some, np.zeros(len(some.features)), LAYOUT, objectives=(objective,))
    linear = other.features[:, 0].astype(float) + other.features[:, 1]
    verdict = judge.compare(other, linear, Trees(made).scores(other.features))
    assert verdict.better
    assert verdict.challenger > 1.5 * verdict.champion


def test_the_forest_is_the_mean_of_its_objectives() -> None:
    """Scores and parts: half of one and half of the other."""
    some = lessons(150, bump=True)
    blend = some.features[:, 0].astype(float)
    both = Trees(forest.fit(some, blend, LAYOUT)).scores(some.features)
    each = [
        Trees(forest.fit(some, blend, LAYOUT, objectives=(one,))).scores(some.features)
        for one in forest.OBJECTIVES
    ]
    assert both == pytest.approx(np.mean(each, axis=0), abs=1e-9)


def test_the_same_lessons_make_the_same_forest() -> None:
    """Nothing in it depends on the moment, or on how many processors there are."""
    some = lessons(150, bump=False)
    blend = some.features[:, 0].astype(float)
    one = forest.fit(some, blend, LAYOUT, threads=1)
    assert forest.fit(some, blend, LAYOUT, threads=2) == one
