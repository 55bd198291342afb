"""Fitting a forest on top of the blend: LambdaMART (Burges 2010, "From RankNet to LambdaRank to LambdaMART").

The blend is linear; the forest learns what it leaves over: thresholds, and features that mean something
only together. It starts from the blend's score (``init_score``), so what the blend learns online after
the training still counts. LightGBM does the fitting and is needed for nothing else: what it made is
read into plain data.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from germane.domain.errors import GermaneError
from germane.domain.forest import Forest, Tree
from germane.train.lessons import Lessons

TREES = 150
LEAVES = 15
OBJECTIVES = ("lambdarank", "binary")
"""What trees are fitted to: the order at the top of the list, and each row for itself. Which is better
differs from shop to shop and from head to head, by less than a held-out slice can tell; the mean of both
is never far behind the better one."""
PARAMETERS: dict[str, Any] = {
    "lambdarank_truncation_level": 15,
    "num_leaves": LEAVES,
    "learning_rate": 0.06,
    "min_data_in_leaf": 200,
    "lambda_l2": 10.0,
    "feature_fraction": 0.6,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "use_missing": False,
    "seed": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


class NoTrainer(GermaneError):
    """LightGBM, which fits the forests, is not installed, or cannot be loaded here."""

    code = "train.not_installed"
    hint = (
        "Install it: pip install 'germane[train]' (on macOS also: brew install libomp). "
        "Without it the online blend ranks alone."
    )


def available() -> bool:
    """Whether forests can be fitted here."""
    return find_spec("lightgbm") is not None


def fit(
    lessons: Lessons,
    blend: npt.NDArray[np.float64],
    layout: str,
    *,
    objectives: Sequence[str] = OBJECTIVES,
    threads: int = 1,
) -> Forest:
    """A forest for what the blend leaves over: the mean of one for each objective.

    Args:
        lessons: What to learn from.
        blend: The blend's score of each row, shape (rows,).
        layout: Names the set of features.
        objectives: Some of ``OBJECTIVES``.
        threads: Processors to use.

    Raises:
        NoTrainer: LightGBM is not installed.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:  # OSError: a library that it needs is missing
        raise NoTrainer(f"LightGBM cannot be used: {error}") from None

    trees: list[Tree] = []
    for objective in objectives:
        each_row = objective == "binary"
        data = lightgbm.Dataset(
            lessons.features,
            label=lessons.taken.astype(np.int32),
            group=None if each_row else lessons.sizes,
            init_score=blend + _offset(blend, lessons) if each_row else blend,
            free_raw_data=True,
            params={"verbose": -1},
        )
        parameters = PARAMETERS | {"objective": objective, "num_threads": threads}
        booster = lightgbm.train(parameters, data, TREES)
        made = booster.dump_model()["tree_info"]
        trees += [_read(each["tree_structure"], 1 / len(objectives)) for each in made]
    return Forest(layout, tuple(trees))


def _offset(blend: npt.NDArray[np.float64], lessons: Lessons) -> float:
    """What makes scores log-odds: with it, the chances of all rows add up to what was taken."""
    wanted, low, high = float(lessons.taken.sum()), -60.0, 60.0
    for _ in range(60):
        middle = (low + high) / 2
        if float((1.0 / (1.0 + np.exp(-np.clip(blend + middle, -60, 60)))).sum()) > wanted:
            high = middle
        else:
            low = middle
    return (low + high) / 2


def _read(root: dict[str, Any], share: float) -> Tree:
    """LightGBM's nested nodes as arrays, with a share of their values."""
    column: list[int] = []
    threshold: list[float] = []
    children: list[list[int]] = []
    node_value: list[float] = []
    leaf_value: list[float] = []

    def walk(node: dict[str, Any]) -> int:
        if "split_feature" not in node:
            leaf_value.append(share * float(node["leaf_value"]))
            return -len(leaf_value)
        assert node["decision_type"] == "<=", "features are numbers"
        number = len(column)
        column.append(int(node["split_feature"]))
        threshold.append(float(node["threshold"]))
        node_value.append(share * float(node["internal_value"]))
        children.append([0, 0])
        children[number] = [walk(node["left_child"]), walk(node["right_child"])]
        return number

    walk(root)
    return Tree(
        tuple(column),
        tuple(threshold),
        tuple(left for left, _ in children),
        tuple(right for _, right in children),
        tuple(node_value),
        tuple(leaf_value),
    )
