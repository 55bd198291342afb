"""Law 8 on generated histories: whoever is erased, the rest is what the log without them makes of it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from germane.app import erasing, strangers
from germane.app.engine import Engine
from germane.app.rebuild import rebuild
from germane.domain.errors import UnknownPerson
from tests.laws.lives import USERS, VISITORS, Life, Step, lives

NAMES = [f"u:u{n}" for n in range(USERS)] + [f"a:x{n}" for n in range(1, VISITORS + 1)]


@given(steps=lives(), name=st.sampled_from(NAMES), live=st.booleans())
@settings(max_examples=40)
def test_law_8_the_rest_is_as_if_they_had_never_come(
    tmp_path_factory: pytest.TempPathFactory, steps: list[Step], name: str, live: bool
) -> None:
    """On a server and offline: nobody else's state changes, and every fold of the log gives it again."""
    life = Life(tmp_path_factory.mktemp("life"), True)
    asyncio.run(life.live(steps))
    life.reopen()
    engine, others = life.engine, everybody(life.engine)
    person = engine.person_key(name) or name
    try:
        gone = {*erased(engine, name, live=live)}
    except UnknownPerson:
        assert person not in others
        life.close()
        return
    assert engine.store.scrub()
    assert person in gone
    for _ in range(2):
        now = everybody(life.engine)
        assert now == {key: value for key, value in others.items() if key not in gone}
        assert not {each.person for each in life.engine.store.read(0)} & gone
        life.reopen()
    assert rebuild(life.engine).equal
    life.close()


def erased(engine: Engine, name: str, *, live: bool) -> set[str]:
    """Erase somebody; under which keys their state was."""
    tenant = engine.tenant
    person = erasing.resolved(engine.store, tenant, name, engine.person_key(name))
    found = erasing.find(engine.store, tenant, person)
    if live:
        asyncio.run(_served(engine, name))
    else:
        erasing.erase_here(engine, name)
    return found.people


async def _served(engine: Engine, name: str) -> None:
    await engine.start()
    await erasing.erase(engine, name)
    await engine.stop()


def everybody(engine: Engine) -> dict[str, object]:
    """Profiles by person, without strangers."""
    strangers.drop_all(engine.store, engine.tenant, engine.settings, engine.world.now_ms())
    return {each.person: each for each in engine.store.profiles(engine.tenant)}


def test_the_folder_is_there(tmp_path: Path) -> None:
    """A life may be empty: there is nobody to erase."""
    life = Life(tmp_path, True)
    with pytest.raises(UnknownPerson):
        erased(life.engine, "u:u1", live=False)
    life.close()
