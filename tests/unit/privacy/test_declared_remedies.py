"""What to do about a trait that nothing declares."""

from __future__ import annotations

import tomllib

import pytest

from germane.privacy.declared import Declared
from germane.testing import a_shop


def remedy(refused: str) -> str:
    """What is told of a name that was refused."""
    return dict(Declared(a_shop()).remedies([refused], lambda _: False))[refused]


@pytest.mark.parametrize(
    ("name", "meant"), [("Email", "email"), ("First Name", "first_name"), ("E-Mail", "email")]
)
def test_another_spelling_of_what_needs_no_declaration(name: str, meant: str) -> None:
    """Is told as that: declared under such a name, it would reach nobody."""
    assert remedy(f"trait {name}") == f"Call it {meant}, which needs no declaration"


@pytest.mark.parametrize("name", ["shoe", "Shoe size", "größe", 'a "b"', "a.b"])
def test_the_name_of_a_trait_is_written_as_toml_takes_it(name: str) -> None:
    """It can be pasted."""
    table = remedy(f"trait {name}").removeprefix("Declare ").partition(" with ")[0]
    assert tomllib.loads(table) == {"traits": {name: {}}}
