"""How many files a process asks for."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from germane.cli.openfiles import files_raised

LIMIT = resource.RLIMIT_NOFILE


@pytest.fixture
def few() -> Iterator[int]:
    """A process that may have few open; what it may have at the most."""
    soft, hard = resource.getrlimit(LIMIT)
    resource.setrlimit(LIMIT, (300, hard))
    yield hard
    resource.setrlimit(LIMIT, (soft, hard))


def test_more_are_asked_for(few: int) -> None:
    """Once, and no more than are needed."""
    assert files_raised(310) == 310
    assert resource.getrlimit(LIMIT) == (310, few)
    assert files_raised(310) is None
    assert files_raised(305) is None
    assert resource.getrlimit(LIMIT) == (310, few)


def test_no_more_than_there_are(few: int) -> None:
    """What the system does not give is done without."""
    if few != resource.RLIM_INFINITY:
        assert files_raised(few + 1) == few
