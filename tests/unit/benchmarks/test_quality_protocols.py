"""Nothing of the future is known to a question, and nothing of the test to the tuning."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality.frame import Frame
from benchmarks.quality.germane_run import Runner
from benchmarks.quality.protocols import (
    NEVER,
    Histories,
    Task,
    cut_row,
    prequential,
    stretches,
    tasks,
    temporal,
    tuning,
)
from tests.unit.benchmarks.frames import USERS, a_frame, some_rows

CONFIGURATION = """
[signals.view]
event = "Product Viewed"
item = "properties.product_id"
repeat = true

[surfaces.all]
size = 20
diversity_quota = 0.0
exploration_share = 0.0

[surfaces.shipped]
size = 20
"""


@given(some_rows())
def test_a_question_knows_exactly_what_came_before_its_time(
    rows: list[tuple[int, int, int]],
) -> None:
    frame = a_frame(rows)
    cut = cut_row(frame, 0.9)
    queries, histories = prequential(frame, cut), Histories(frame)
    assert len(queries.target_item) == len(frame) - cut
    for user, at_ms in zip(queries.user, queries.at_ms, strict=True):
        known = histories.rows(int(user), int(at_ms))
        expected = np.flatnonzero((frame.user == user) & (frame.at_ms < at_ms))
        assert sorted(known) == sorted(expected)
        assert (np.diff(frame.at_ms[known]) >= 0).all()


@given(some_rows(), st.floats(0.1, 0.95))
def test_the_cut_tears_no_time_apart(rows: list[tuple[int, int, int]], share: float) -> None:
    frame = a_frame(rows)
    cut = cut_row(frame, share)
    assert cut <= len(frame) * share
    assert cut == 0 or frame.at_ms[cut - 1] < frame.at_ms[cut]


@given(some_rows())
def test_a_peer_that_is_fitted_anew_has_not_seen_what_it_is_asked(
    rows: list[tuple[int, int, int]],
) -> None:
    frame = a_frame(rows)
    task = next(each for each in tasks(frame) if each.name == "prequential")
    parts = stretches(task)
    asked = [query for _, (first, last) in parts for query in range(first, last)]
    assert asked == list(range(len(task.queries)))
    for row, (first, last) in parts:
        fitted = frame.before(row)
        if last > first and len(fitted):
            assert fitted.at_ms.max() < task.queries.at_ms[first:last].min()


@given(some_rows())
def test_a_temporal_list_is_asked_for_who_was_there_before(
    rows: list[tuple[int, int, int]],
) -> None:
    frame = a_frame(rows)
    cut = cut_row(frame, 0.9)
    lists = temporal(frame, cut)
    before, after = set(frame.user[:cut].tolist()), set(frame.user[cut:].tolist())
    assert set(lists.user.tolist()) == before & after
    for query, item in zip(lists.target_query, lists.target_item, strict=True):
        own = frame.user[cut:] == lists.user[query]
        assert item in frame.item[cut:][own]


@given(some_rows(), st.permutations(range(12)))
def test_tuning_is_the_same_whatever_is_in_the_test(
    rows: list[tuple[int, int, int]], other: list[int]
) -> None:
    frame = a_frame(rows)
    cut = cut_row(frame, 0.9)
    if cut < 5:
        return
    changed = _with_items(frame, cut, other)
    for one, two in zip(tasks(frame), tasks(changed), strict=True):
        left, right = tuning(one), tuning(two)
        assert len(left.known) == cut
        assert left.start < cut
        assert np.array_equal(left.known.item, right.known.item)
        assert np.array_equal(left.queries.target_item, right.queries.target_item)
        assert (left.queries.at_ms <= frame.at_ms[cut - 1]).all()


@given(some_rows())
def test_last_out_knows_all_but_the_last_of_each(rows: list[tuple[int, int, int]]) -> None:
    frame = a_frame(rows, last_out=True)
    (task,) = tasks(frame)
    people = len(set(frame.user.tolist()))
    assert len(task.known) == len(frame) - people == task.start
    assert (task.queries.at_ms == NEVER).all()
    for user, item in zip(task.queries.user, task.queries.target_item, strict=True):
        assert frame.item[frame.user == user][-1] == item
    smaller = tuning(task)
    assert len(smaller.known) < len(task.known)


@settings(max_examples=15)
@given(some_rows(40, 60), st.permutations(range(12)), st.integers(0, 10_000))
def test_what_happens_at_a_time_or_later_changes_no_answer_at_that_time(
    rows: list[tuple[int, int, int]], other: list[int], pick: int
) -> None:
    """Items changed and rows reordered from a time on, in the test part: earlier answers and the
    answers at that very time stay as they were."""
    frame = a_frame(rows)
    cut = cut_row(frame, 0.6)
    row = cut_row(frame, (cut + pick % (len(frame) - cut)) / len(frame) + 1e-9)
    row = max(row, cut)
    changed = _shuffled(_with_items(frame, row, other), row)
    first, second = _answers(frame, cut), _answers(changed, cut)
    upto = frame.at_ms[row]
    for (user, at_ms), answer in first.items():
        if at_ms <= upto:
            assert np.array_equal(answer, second[user, at_ms])


def test_the_barrier_test_can_fail() -> None:
    """Were a row learned before another of its time is asked, the answers would differ."""
    rows = [(n % USERS, n % 5, n) for n in range(40)]
    frame = a_frame([*rows, (0, 7, 50), (1, 8, 50)])
    early = a_frame([*rows, (0, 7, 49), (1, 8, 50)])
    at_ms = int(frame.at_ms[-1])
    one = _answers(frame, 40)[1, at_ms]
    two = _answers(early, 40)[1, at_ms]
    assert not np.array_equal(one, two)


def test_the_probe_tells_what_became_of_each_target() -> None:
    frame = a_frame([(n % USERS, n % 5, n) for n in range(60)])
    cut = cut_row(frame, 0.5)
    task = Task("prequential", "prequential", frame, prequential(frame, cut), cut, False, True)
    runner = Runner(frame, CONFIGURATION)
    runner.run([task])
    assert runner.probe is not None
    found = runner.probe.summary(frame)["prequential"]
    assert found["targets"] == len(frame) - cut
    assert found["own"] == found["inside_of_own"] == found["inside_top20"] == 1.0


def _answers(frame: Frame, cut: int) -> dict[tuple[int, int], np.ndarray]:  # type: ignore[type-arg]
    queries = prequential(frame, cut)
    task = Task("prequential", "prequential", frame, queries, cut, False, True)
    lists = Runner(frame, CONFIGURATION, probe=False).run([task])["prequential"]
    asked = zip(queries.user.tolist(), queries.at_ms.tolist(), strict=True)
    return dict(zip(asked, lists, strict=True))


def _with_items(frame: Frame, row: int, other: list[int]) -> Frame:
    """From a row on, other items."""
    item = frame.item.copy()
    item[row:] = np.array(other)[item[row:]]
    return Frame(**{**_fields(frame), "item": item})


def _shuffled(frame: Frame, row: int) -> Frame:
    """From a row on, rows of one time in the opposite order."""
    order = np.arange(len(frame))
    tail = order[row:]
    order[row:] = tail[np.lexsort((-tail, frame.at_ms[tail]))]
    return frame.take(order)


def _fields(frame: Frame) -> dict[str, object]:
    return {name: getattr(frame, name) for name in frame.__dataclass_fields__}
