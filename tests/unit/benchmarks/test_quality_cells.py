"""Finished work is found again, and only as long as nothing that it depends on has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.quality.cells import Cells, Key, digest, score
from benchmarks.quality.data import LOADERS
from benchmarks.quality.germane_run import project, surface_of
from benchmarks.quality.protocols import tasks
from germane.config import load_text
from tests.unit.benchmarks.frames import a_frame

ROWS = [(n % 5, (n * 7) % 11, n) for n in range(40)]


def test_a_cell_comes_back_as_it_was(tmp_path: Path) -> None:
    frame, cells = a_frame(ROWS), Cells(tmp_path)
    task = tasks(frame)[0]
    key = Key("test", task.name, "some-model", "tuned", 0, "abc")
    assert cells.get(key) is None
    lists = np.tile(np.arange(20) % 12, (len(task.queries), 1))
    cell = score(key, task, frame, lists, {"fit_s": 1.0}, {"params": {"k": 20}})
    cells.put(cell)
    assert cells.get(key) == cell
    assert cells.get(Key("test", task.name, "some-model", "tuned", 1, "abc")) is None


def test_the_name_of_a_cell_changes_with_data_code_and_configuration(tmp_path: Path) -> None:
    code = tmp_path / "code.py"
    code.write_text("one")
    names = [digest(a_frame(ROWS), [code], "x"), digest(a_frame(ROWS[:-1]), [code], "x")]
    names.append(digest(a_frame(ROWS), [code], "y"))
    code.write_text("two")
    names.append(digest(a_frame(ROWS), [code], "x"))
    assert len(set(names)) == 4


def test_every_data_set_has_a_valid_configuration() -> None:
    for name in LOADERS:
        settings = load_text(project(name).read_text("utf-8"), {}).settings
        assert {"all", "new", "shipped"} <= settings.surfaces.keys()
        assert settings.surfaces["all"].diversity_quota == 0
        assert settings.surfaces["shipped"].diversity_quota > 0
        assert len(settings.signals) == 1


def test_what_is_kept_is_found_on_another_machine(tmp_path: Path) -> None:
    """As it was, and nothing else: what has changed since is measured anew."""
    frame = a_frame(ROWS)
    task = tasks(frame)[0]
    lists = np.tile(np.arange(20) % 12, (len(task.queries), 1))
    here, there = (Cells(tmp_path / each, tmp_path / "kept") for each in ("here", "there"))
    keys = [Key("test", task.name, "some-model", "tuned", 0, each) for each in ("old", "new")]
    assert here.keep(keys) == 0
    for each in keys:
        here.put(score(each, task, frame, lists, {"fit_s": 1.0}, {"params": {"k": 20}}))
        assert here.keep([each]) == 1
    assert there.get(keys[1]) == here.get(keys[1])
    assert there.get(keys[0]) is None
    assert there.keep(keys) == 1


def test_only_lists_at_the_split_are_for_days_ahead() -> None:
    """Next clicks, in the stream and those with published lists, are asked where the next step counts."""
    frame = a_frame(ROWS)
    asked = {task.name: surface_of(task) for task in tasks(frame)}
    assert asked == {
        "prequential": "all",
        "temporal-new": "ahead-new",
        "temporal-all": "ahead",
    }
    clicks = replace(tasks(frame)[2], name="published")
    assert surface_of(clicks) == "all"
