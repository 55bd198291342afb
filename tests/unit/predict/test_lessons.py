"""What a lesson holds, and what the blend learns from the sample of what was far behind."""

from __future__ import annotations

import numpy as np
import pytest

from germane.domain.forest import NEW
from germane.domain.outcome import Example
from germane.predict.blender import Blender, pack
from germane.predict.features import PRIOR, WIDTH
from germane.predict.model import LESSON_BEST, LESSON_SPREAD, example

FAR = 2_000


def candidates(chosen: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, scores and choices: one row is taken, the first rows score best."""
    features = np.zeros((LESSON_BEST + FAR, WIDTH))
    features[:, 0] = np.linspace(2, 0, len(features))
    taken = np.zeros(len(features), dtype=bool)
    taken[chosen] = True
    return features, features[:, 0].copy(), taken


def test_the_best_come_first_then_the_taken_then_a_sample() -> None:
    """In this order, and the sample says how many it stands for."""
    far = LESSON_BEST + 700
    features, scores, taken = candidates(far)
    rows = np.random.default_rng(0).permutation(len(features))
    made = example(NEW, features, scores, taken, rows)
    assert made.chosen == (LESSON_BEST,)
    assert LESSON_SPREAD <= made.sampled <= LESSON_SPREAD + 1
    assert made.rows == LESSON_BEST + 1 + made.sampled
    assert made.sampled * made.stands_for == pytest.approx(FAR - 1)
    first = np.frombuffer(made.features, "<f2").reshape(made.rows, -1)[:, 0]
    assert first[:LESSON_BEST] == pytest.approx(features[:LESSON_BEST, 0], abs=1e-3)
    assert first[LESSON_BEST] == pytest.approx(features[far, 0], abs=1e-3)


def test_what_is_taken_among_the_best_keeps_its_place() -> None:
    """Its row number is its rank: trees can tell lessons that are about the best."""
    features, scores, taken = candidates(5)
    made = example(NEW, features, scores, taken, np.arange(len(features)))
    assert made.chosen == (5,)


def test_no_choice_is_no_lesson() -> None:
    """Nothing to learn, unless something is taken later."""
    features, scores, taken = candidates(5)
    taken[:] = False
    made = example(NEW, features, scores, taken, np.arange(50))
    assert made.chosen == ()
    blender = Blender(np.zeros(features.shape[1]))
    blender.learn(made)
    assert blender.new.steps == 0


@pytest.mark.parametrize("head", ["", NEW])
def test_a_sample_teaches_as_much_as_what_it_stands_for(head: str) -> None:
    """A thousand equal rows far behind, or ten that stand for a hundred each: the same weights."""
    near = np.random.default_rng(1).normal(size=(20, WIDTH))
    far = np.tile(np.random.default_rng(2).normal(size=WIDTH), (1_000, 1))
    everything, sample = np.concatenate((near, far)), np.concatenate((near, far[:10]))
    whole, sampled, blind = Blender(PRIOR), Blender(PRIOR), Blender(PRIOR)
    for _ in range(5):
        whole.learn(Example(head, len(everything), pack(everything), (3,)))
        sampled.learn(Example(head, len(sample), pack(sample), (3,), 1.0, 10, 100.0))
        blind.learn(Example(head, len(sample), pack(sample), (3,)))
    learned = [each.weights("", new=head == NEW) for each in (whole, sampled, blind)]
    assert learned[1] == pytest.approx(learned[0], abs=1e-12)
    assert np.abs(learned[2] - learned[0]).max() > 1e-3
