"""The disk that knows what a power cut may take."""

from __future__ import annotations

from random import Random

from tests.acceptance.powercut.disk import SECTOR, Disk, Op

ROOT = "/place"
CUTS = 300


def a_disk(*ops: Op) -> Disk:
    disk = Disk(ROOT)
    for each in ops:
        disk.apply(each)
    return disk


def cuts(disk: Disk) -> list[dict[str, bytes | None]]:
    return [disk.cut(Random(seed)) for seed in range(CUTS)]


def synced(path: str, number: int) -> tuple[Op, Op]:
    return Op("begin", path, number), Op("end", path, number)


def contents(disk: Disk, name: str) -> set[bytes | None]:
    """All that a file may hold, where it is there."""
    return {found[name] for found in cuts(disk) if name in found}


CREATED = (Op("create", f"{ROOT}/f"), *synced(ROOT, 1))


def test_what_is_synced_stays() -> None:
    disk = a_disk(*CREATED, Op("write", f"{ROOT}/f", 0, b"kept"), *synced(f"{ROOT}/f", 2))
    assert all(found == {"f": b"kept"} for found in cuts(disk))


def test_a_synced_file_without_a_synced_name_may_be_gone() -> None:
    made = Op("create", f"{ROOT}/f"), Op("write", f"{ROOT}/f", 0, b"kept")
    disk = a_disk(*made, *synced(f"{ROOT}/f", 1))
    assert {tuple(found.items()) for found in cuts(disk)} == {(), (("f", b"kept"),)}


def test_sectors_are_torn_one_by_one() -> None:
    """Of two that are written at once each may be old or new; none is half old."""
    old, new = b"o" * SECTOR, b"n" * SECTOR
    before = Op("write", f"{ROOT}/f", 0, old * 2)
    disk = a_disk(*CREATED, before, *synced(f"{ROOT}/f", 2), Op("write", f"{ROOT}/f", 0, new * 2))
    assert contents(disk, "f") == {old * 2, new * 2, old + new, new + old}


def test_a_sector_that_was_written_twice_is_never_only_the_second() -> None:
    """It is what it was at some moment."""
    disk = a_disk(*CREATED, Op("write", f"{ROOT}/f", 0, b"........"), *synced(f"{ROOT}/f", 2))
    for op in (Op("write", f"{ROOT}/f", 0, b"1"), Op("write", f"{ROOT}/f", 4, b"2")):
        disk.apply(op)
    assert contents(disk, "f") == {b"........", b"1.......", b"1...2..."}


def test_a_write_during_a_sync_is_not_synced_by_it() -> None:
    path = f"{ROOT}/f"
    ops = Op("begin", path, 2), Op("write", path, 0, b"late"), Op("end", path, 2)
    assert b"" in contents(a_disk(*CREATED, *ops), "f")


def test_a_file_may_grow_without_its_data_or_be_cut_without_its_end() -> None:
    path = f"{ROOT}/f"
    grown = contents(a_disk(*CREATED, Op("write", path, 0, b"data")), "f")
    assert {b"", bytes(4), b"data"} <= grown
    long = Op("write", path, 0, b"long"), *synced(path, 2)
    assert contents(a_disk(*CREATED, *long, Op("resize", path, 1)), "f") == {b"long", b"l"}


def test_a_rename_is_whole_or_not_there() -> None:
    kept = Op("write", f"{ROOT}/f", 0, b"kept"), *synced(f"{ROOT}/f", 2)
    moved = Op("rename", f"{ROOT}/f", to=f"{ROOT}/g")
    disk = a_disk(*CREATED, *kept, moved)
    assert {tuple(found) for found in cuts(disk)} == {("f",), ("g",)}
    for op in synced(ROOT, 3):
        disk.apply(op)
    assert all(found == {"g": b"kept"} for found in cuts(disk))


def test_what_was_removed_may_come_back_until_the_folder_is_synced() -> None:
    disk = a_disk(*CREATED, Op("unname", f"{ROOT}/f"))
    assert {tuple(found) for found in cuts(disk)} == {("f",), ()}
    for op in synced(ROOT, 2):
        disk.apply(op)
    assert cuts(disk) == [{}] * CUTS


def test_names_come_through_in_order_or_in_none() -> None:
    """Both are seen: a journal keeps the first ones, another file system any of them."""
    disk = a_disk(Op("create", f"{ROOT}/a"), Op("create", f"{ROOT}/b"))
    assert {tuple(found) for found in cuts(disk)} == {(), ("a",), ("b",), ("a", "b")}


def test_what_is_in_a_lost_folder_is_lost() -> None:
    """However much of it was synced."""
    inside = f"{ROOT}/d/f"
    made = Op("name", f"{ROOT}/d"), Op("create", inside), Op("write", inside, 0, b"kept")
    disk = a_disk(*made, *synced(inside, 1), *synced(f"{ROOT}/d", 2))
    assert {tuple(found) for found in cuts(disk)} == {(), ("d", "d/f")}
