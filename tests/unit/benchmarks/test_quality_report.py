"""The smallest ratio is of all data sets, or it is not recorded."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.quality import report
from benchmarks.quality.report import Measured, figures

ROW = {
    "data": "moodle-course",
    "task": "prequential",
    "n": 10,
    "germane": {"ndcg10": 0.5},
    "missing_peers": [],
    "tuned": {"ratio": 1.2},
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
    assert found == ({"quality.prequential_min_ratio": 1.2} if recorded else {})
