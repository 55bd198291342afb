"""People with a canary in every field are erased, and their bytes are looked for: `just bench erasure`.

Everybody lives a whole life: seen before they said who they are, ordering, deciding, written to, complaining;
with sealed history, a snapshot, dead letters, approvals and what was rendered. Nine in ten are erased
offline, in one go, the others while serving; some people stay, to show that nothing else went. Then every
byte of the data folder is searched, sealed history opened, for any word of the erased and for pieces of their
compressed messages; and once more after a backup of before was put back with the list of erasures.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.figures import record, write_result
from germane.app import access, erasing
from germane.app.engine import Engine
from germane.app.opening import open_engine, save_snapshot
from germane.app.rebuild import rebuild
from germane.testing import FakeWorld
from germane.testing.canaries import (
    CANARY,
    DAY_MS,
    Lives,
    a_canary_shop,
    compressed,
    lived,
    of_whom,
    pieces_in,
    user,
    words_in,
)
from germane.testing.world import START_MS

COMMAND = "just bench erasure"
PEOPLE = int(os.environ.get("GERMANE_PEOPLE", "1000"))
"""Who are erased; a tenth as many stay."""
SHOP = a_canary_shop()


def opened(folder: Path) -> Engine:
    """With the clock at the end of all lives."""
    return open_engine(SHOP, folder, world=FakeWorld())


def populated(folder: Path, people: int) -> Engine:
    """Everybody has lived; a part of the log is sealed, and there is a snapshot."""
    engine = open_engine(SHOP, folder, world=FakeWorld(START_MS - 120 * DAY_MS))
    lived(Lives(engine, people))
    while engine.seal():
        pass
    save_snapshot(engine, folder)
    engine.store.close()
    return opened(folder)


def recalled(engine: Engine, words: set[bytes], people: list[int]) -> tuple[float, int]:
    """Share of the words on the disk that their exports tell, and words of others in them."""
    by_person: dict[int, set[bytes]] = {}
    for each in words:
        by_person.setdefault(int(CANARY.fullmatch(each)[1]), set()).add(each)  # type: ignore[index]
    wanted = found = foreign = 0
    for n in people:
        export = msgspec.json.encode(access.everything(engine, user(n)))
        told = {each[0] for each in CANARY.finditer(export)}
        wanted += len(by_person[n])
        found += len(told & by_person[n])
        foreign += len({each for each in told if of_whom([each]) != {n}})
    return found / wanted, foreign


def erased_live(engine: Engine, people: list[int]) -> list[float]:
    """While serving; seconds that each took."""

    async def run() -> list[float]:
        await engine.start()
        took = []
        for n in people:
            started = time.perf_counter()
            await erasing.erase(engine, user(n))
            took.append(time.perf_counter() - started)
        await engine.stop()
        return took

    return asyncio.run(run())


def run(people: int) -> dict[str, Any]:
    """Live, export, erase, search, restore, search."""
    gone, stay = [*range(people)], [*range(people, people + max(people // 10, 1))]
    live = gone[: people // 10]
    with tempfile.TemporaryDirectory() as place:
        folder, backup = Path(place) / "data", Path(place) / "backup"
        engine = populated(folder, people + len(stay))
        pieces, before, records = (
            compressed(engine),
            words_in(folder),
            engine.store.counts()["records"],
        )
        with_pieces = pieces_in(folder, pieces)
        assert of_whom(before) == with_pieces == {*gone, *stay}, "the search finds everybody"
        sample = gone[:: max(people // 100, 1)]
        recall, foreign = recalled(engine, before, sample)
        engine.store.close()
        shutil.copytree(folder, backup)
        engine = opened(folder)
        took = erased_live(engine, live)
        engine.store.close()
        started = time.perf_counter()
        engine = opened(folder)
        restart_s = time.perf_counter() - started
        started = time.perf_counter()
        erasing.erase_here(engine, *(user(n) for n in gone[len(live) :]))
        offline_s = time.perf_counter() - started
        after = words_in(folder)
        left = {each for each in after if of_whom([each]) <= {*gone}}
        kept = {each for each in before if of_whom([each]) <= {*stay}}
        pieces_left = pieces_in(folder, pieces) & {*gone}
        engine.store.close()
        engine = opened(folder)
        equal = rebuild(engine).equal
        engine.store.close()
        shutil.copy(folder / erasing.LIST, backup)
        engine = opened(backup)
        served = sum(engine.person_key(user(n)) is not None for n in gone)
        engine.store.close()
        restored = {each for each in words_in(backup) if of_whom([each]) <= {*gone}}
    return {
        "people": people,
        "stay": len(stay),
        "records": records,
        "words_before": len(before),
        "words_left": len(left),
        "words_of_others_lost": len(kept - after),
        "people_with_pieces_of_messages_before": len(with_pieces),
        "people_with_pieces_of_messages_left": len(pieces_left),
        "rebuild_equal": equal,
        "exports": len(sample),
        "export_recall": recall,
        "export_foreign_words": foreign,
        "live": {
            "people": len(live),
            "median_s": round(statistics.median(took), 2),
            "longest_s": round(max(took), 2),
            "restart_s": round(restart_s, 1),
        },
        "offline": {"people": len(gone) - len(live), "seconds": round(offline_s, 1)},
        "restored_words_left": len(restored),
        "restored_people_served": served,
    }


def main() -> None:
    """Run, print, write."""
    result = run(PEOPLE)
    print(json.dumps(result, indent=2))
    write_result("erasure", {"protocol": __doc__, **result})
    record("privacy.erasure_people", result["people"], n=result["records"], command=COMMAND)
    left = result["words_left"] + result["people_with_pieces_of_messages_left"]
    left += result["restored_words_left"] + result["restored_people_served"]
    record("privacy.erasure_canaries_left", left, n=result["words_before"], command=COMMAND)
    record("privacy.export_recall", result["export_recall"], n=result["exports"], command=COMMAND)
    assert left == result["words_of_others_lost"] == result["export_foreign_words"] == 0, result
    assert result["export_recall"] == 1.0, result
    assert result["rebuild_equal"], result


if __name__ == "__main__":
    main()
