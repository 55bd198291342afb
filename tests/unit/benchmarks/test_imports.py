"""Every benchmark can be begun: all of its modules are imported, whatever was renamed meanwhile."""

from __future__ import annotations

from importlib import import_module
from pkgutil import walk_packages

import pytest

import benchmarks
from benchmarks.quality.peers import catalogue


@pytest.mark.parametrize(
    "name", [each.name for each in walk_packages(benchmarks.__path__, "benchmarks.")]
)
def test_a_module_is_imported_and_says_what_it_is(name: str) -> None:
    """What it says is the protocol that stands in its result."""
    assert import_module(name).__doc__


@pytest.mark.parametrize("name", catalogue.MODULES)
def test_a_peer_of_the_catalogue_is_there(name: str) -> None:
    """Its library is not asked for before it is fitted."""
    assert catalogue.make(name).space["fallback_days"]
