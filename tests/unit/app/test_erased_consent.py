"""The consent ledger goes on over the lines of people who were erased: they are blank, and it still holds."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from germane.app import erasing
from germane.app.consents import proven, said_by
from germane.app.engine import Engine
from germane.app.opening import open_engine
from germane.app.rebuild import rebuild
from germane.domain.moves import Stated
from germane.testing import FakeWorld, a_shop, an_event


def opened(folder: Path) -> Engine:
    """The same folder, each time."""
    return open_engine(a_shop(), folder, world=FakeWorld())


def state(engine: Engine, person: str, granted: bool) -> None:
    """Somebody, about e-mail."""
    salt = f"salt-{person}-{engine.seq}"
    engine.put_moves([Stated(person, "email_marketing", granted, "test", salt=salt)])


@pytest.mark.parametrize("serving", [True, False])
def test_the_chain_holds_over_a_blank_line(tmp_path: Path, serving: bool) -> None:
    """Its digest is what it was, through the next start and a rebuild; a line that is added follows."""
    engine = opened(tmp_path)
    for person in ("u:ann", "u:bob", "u:ann", "u:eve"):
        engine.accept_now([an_event(user=person[2:])])
        state(engine, person, granted=person == "u:eve")
    before = proven(engine.entries, engine.tenant)
    assert (before.lines, before.broken) == (4, "")
    if serving:

        async def served() -> None:
            await engine.start()
            await erasing.erase(engine, "ann")
            assert proven(engine.entries, engine.tenant) == before
            await engine.stop()

        asyncio.run(served())
    else:
        erasing.erase_here(engine, "ann")
    engine.store.close()
    engine = opened(tmp_path)
    assert proven(engine.entries, engine.tenant) == before
    assert said_by(engine.entries, engine.tenant, "u:ann") == []
    assert len(said_by(engine.entries, engine.tenant, "u:bob")) == 1
    state(engine, "u:bob", granted=True)
    after = proven(engine.entries, engine.tenant)
    assert (after.lines, after.broken) == (5, "")
    assert after.digest != before.digest
    assert rebuild(engine).equal
    engine.store.close()
    engine = opened(tmp_path)
    assert proven(engine.entries, engine.tenant) == after
    engine.store.close()
    data = b"".join(x.read_bytes() for x in tmp_path.rglob("*") if x.is_file())
    assert b"u:bob" in data
    assert b"u:ann" not in data
