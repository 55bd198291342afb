"""One I/O call fails, anywhere: a sample of what `just bench iofaults` tries as a whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.iofaults.fault import NONE, Runs, every, sample
from tests.acceptance.iofaults.lives import SCENARIOS, Scenario, base
from tests.acceptance.iofaults.oracle import tried


@pytest.fixture(scope="module")
def runs() -> Runs:
    """Where processes come from."""
    return Runs()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What each run has a copy of."""
    return base(tmp_path_factory.mktemp("iofaults") / "shop")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: each.name)
def test_a_call_fails(runs: Runs, project: Path, scenario: Scenario, tmp_path: Path) -> None:
    """Nothing acknowledged is lost, nothing counts twice, and whoever fails says so."""
    lived = tried(runs, scenario, project, tmp_path / "none", NONE)
    assert (lived.lost, lived.odd) == ([], [])
    faults = sample(every(tmp_path / "none" / "calls"), 1)
    failed = 0
    for n, fault in enumerate(faults):
        lived = tried(runs, scenario, project, tmp_path / str(n), fault)
        assert (lived.lost, lived.odd) == ([], []), f"{fault}: {lived.failed}"
        failed += bool(lived.failed)
    assert failed > len(faults) / 2
