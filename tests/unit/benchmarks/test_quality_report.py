"""The smallest ratio is of all data sets, or it is not recorded."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.quality import metrics, report
from benchmarks.quality.cells import Cell, Key
from benchmarks.quality.report import Measured, figures, summary

ROW = {
    "data": "moodle-course",
    "task": "prequential",
    "n": 10,
    "germane": {"ndcg10": 0.5},
    "missing_peers": [],
    "tuned": {"ratio": 1.2},
    "training": {"ratio": 2.5},
}


@pytest.mark.parametrize(
    ("missing", "unseen", "recorded"),
    [
        ([], [], True),
        (["ease"], [], False),
        ([], [Measured("grocery", "prequential", [], [])], False),
        ([], [Measured("grocery", "temporal-new", [], [])], True),
    ],
)
def test_the_least_ratio_is_recorded_once_all_is_there(
    monkeypatch: pytest.MonkeyPatch, missing: list[str], unseen: list[Measured], recorded: bool
) -> None:
    found: dict[str, Any] = {}
    monkeypatch.setattr(report, "record", lambda key, value, **_: found.update({key: value}))
    figures([ROW | {"missing_peers": missing}], unseen)
    assert found.pop("quality.moodle_prequential_ndcg10") == 0.5
    least = {"quality.prequential_min_ratio": 1.2, "quality.train_seconds_ratio": 2.5}
    assert found == (least if recorded else {})


def test_training_is_held_against_that_of_the_best_peer_with_its_refits() -> None:
    def cell(model: str, setting: str, ndcg: float, **times: float) -> Cell:
        key = Key("moodle-course", "prequential", model, setting, 0, "")
        sums = {name: [ndcg] for name in metrics.NAMES}
        return Cell(key, 0, {"ndcg10": ndcg}, [0], [1.0], sums, dict(times))

    cells = [
        cell("germane", "default", 0.5, train_s=6.0),
        cell("ease", "tuned", 0.4, fit_s=1.0),
        cell("ease", "tuned-refit", 0.3, fit_s=4.0),
        cell("popularity", "tuned-refit", 0.2, fit_s=0.0),
    ]
    row = summary(Measured("moodle-course", "prequential", cells, []))
    assert row is not None
    assert row["training"] == {"train_s": 6.0, "peer": "ease", "peer_fits_s": 4.0, "ratio": 1.5}
