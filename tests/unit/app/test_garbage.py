"""Nothing that is done all day waits for the collector: it would stop everything to let go of it."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from germane.testing.work import Work

TIMES = 40


@pytest.fixture(scope="module")
def work() -> Work:
    """People with a history, in a shop with rules, a quota and exploration."""
    return Work()


@pytest.fixture
def uncollected() -> Iterator[None]:
    """What can only be collected is kept, to be looked at."""
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    yield
    gc.set_debug(0)
    gc.garbage.clear()
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("does", [Work.fold, Work.decide])
def test_no_cycles(work: Work, does: Callable[[Work, int], None]) -> None:
    """An event and a decision let go of all that they made by themselves."""
    does(work, TIMES)
    gc.collect()
    assert Counter(type(each).__name__ for each in gc.garbage) == Counter()
