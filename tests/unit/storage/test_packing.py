"""A profile at rest is packed, and read whether or not it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from germane.domain.errors import StorageDamaged
from germane.domain.profile import Profile, Trait
from germane.domain.record import Txn
from germane.storage import codec
from germane.storage.sqlite import SqliteStore

ANN = replace(
    Profile("u:ann"), traits={f"trait {n}": Trait("the same words", n) for n in range(20)}
)
TENANT = "main"


def test_a_row_is_half_as_long_and_says_the_same(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(profiles={(TENANT, ANN.person): ANN}))
    ((data,),) = store._ask("SELECT body FROM profile")
    assert len(data) < len(codec.encode(ANN)) / 2
    assert store.profile(TENANT, ANN.person) == ANN
    store.close()


def test_a_row_of_an_earlier_version_is_read_and_hashed_alike(tmp_path: Path) -> None:
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(profiles={(TENANT, ANN.person): ANN}))
    packed = store.state_hash()
    assert store._writer is not None
    store._writer.execute("UPDATE profile SET body = ?", (codec.encode(ANN),))
    assert store.profile(TENANT, ANN.person) == ANN
    assert store.profiles_among(TENANT, [ANN.person]) == {ANN.person: ANN}
    assert store.state_hash() == packed
    store.close()


@pytest.mark.parametrize("damage", [b"", b"x", codec.pack(codec.encode(ANN))[:-9]])
def test_a_damaged_row_is_named_as_such(tmp_path: Path, damage: bytes) -> None:
    store = SqliteStore.open(tmp_path)
    store.commit(Txn(profiles={(TENANT, ANN.person): ANN}))
    assert store._writer is not None
    store._writer.execute("UPDATE profile SET body = ?", (damage,))
    with pytest.raises(StorageDamaged):
        store.profile(TENANT, ANN.person)
    with pytest.raises(StorageDamaged):
        store.state_hash()
    store.close()
