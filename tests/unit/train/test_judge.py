"""What decides between champion and challenger."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from germane.domain.outcome import Example
from germane.train import judge
from germane.train.lessons import Collector, Lessons


def a_list(taken: list[bool]) -> Lessons:
    """One lesson whose only feature is the place of the row."""
    rows = np.arange(len(taken), dtype=np.float32)[:, None]
    return Lessons(rows, np.array([len(taken)], dtype=np.intp), np.array(taken))


def test_ndcg_by_hand() -> None:
    """Second and fourth of four: (1/log2 3 + 1/log2 5) / (1 + 1/log2 3) = 0.6509."""
    lesson = a_list([False, True, False, True])
    scores = np.array([4.0, 3.0, 2.0, 1.0])
    assert judge.ndcg(lesson, scores)[0] == pytest.approx(0.65092, abs=1e-5)


@given(
    st.lists(st.tuples(st.booleans(), st.floats(-9, 9)), min_size=1, max_size=60).filter(
        lambda rows: any(taken for taken, _ in rows)
    )
)
def test_ndcg_is_a_share(rows: list[tuple[bool, float]]) -> None:
    """Between 0 and 1; 1 when all that was taken comes first; shifting all scores changes nothing."""
    lesson = a_list([taken for taken, _ in rows])
    scores = np.array([score for _, score in rows])
    found = judge.ndcg(lesson, scores)[0]
    assert 0.0 <= found <= 1.0
    assert judge.ndcg(lesson, lesson.taken.astype(float))[0] == pytest.approx(1.0)
    whole = np.round(scores)
    assert judge.ndcg(lesson, whole + 5)[0] == judge.ndcg(lesson, whole)[0]


def test_noise_is_not_worse_and_not_better() -> None:
    """Two rankings of chance: neither leads. The same ranking twice: not worse, not better."""
    chance = np.random.default_rng(1)
    taken = np.zeros((400, 20), dtype=bool)
    taken[:, 0] = True
    many = Lessons(
        np.zeros((8_000, 1), dtype=np.float32), np.full(400, 20, dtype=np.intp), taken.ravel()
    )
    one, two = chance.normal(size=8_000), chance.normal(size=8_000)
    same = judge.compare(many, one, one)
    assert (same.not_worse, same.better) == (True, False)
    good = one + 2.0 * many.taken
    assert judge.compare(many, one, good).better
    assert not judge.compare(many, good, two).not_worse


def test_nothing_to_compare_on() -> None:
    """Said, not guessed."""
    none = Lessons(np.zeros((0, 1), np.float32), np.zeros(0, np.intp), np.zeros(0, bool))
    with pytest.raises(ValueError, match="nothing to compare"):
        judge.compare(none, np.zeros(0), np.zeros(0))


def test_the_collector_keeps_the_newest_of_each_head() -> None:
    """Counts all, keeps the last; what teaches nothing is neither."""
    collector = Collector(width=2, limit=3, depth=2)

    def example(number: float, *, head: str = "", rows: int = 2, chosen: tuple[int, ...] = (1,)):  # type: ignore[no-untyped-def]
        row = np.full((rows, 2), number, dtype="<f2")
        return Example(head, rows, row.tobytes(), chosen)

    collector.add([example(float(number)) for number in range(5)])
    collector.add([example(9.0, head="*new"), example(1.0, chosen=()), example(1.0, chosen=(0, 1))])
    collector.add([example(1.0, rows=4, chosen=(2,))])  # far behind the two that are ranked anew
    collector.add([Example("", 2, b"\0" * 6, (0,))])  # of other features
    kept = collector.lessons("")
    assert kept.features[:, 0].tolist() == [2.0, 2.0, 3.0, 3.0, 4.0, 4.0]
    assert kept.taken.tolist() == [False, True] * 3
    assert kept.sizes.tolist() == [2, 2, 2]
    assert (collector.seen[""], collector.seen["*new"]) == (5, 1)
    assert len(collector.lessons("nobody")) == 0
    middle = kept.part(1, 2)
    assert middle.features[:, 1].tolist() == [3.0, 3.0]
