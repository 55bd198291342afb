"""After a fault, a start without one: is all there that was promised, once, and as a rebuild makes it?"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from germane.app import rebuild
from germane.domain.profile import Profile
from germane.domain.purposes import PERSONALISATION
from germane.storage.sqlite.checksums import connected
from tests.acceptance.iofaults.fault import SYNCS, Fault, Runs
from tests.acceptance.iofaults.lives import GONE, SILENT, Lived, Scenario, opened, viewed

DATABASE = ("germane.db", "germane.db-wal")


def tried(runs: Runs, scenario: Scenario, base: Path, folder: Path, fault: Fault) -> Lived:
    """Live through a fault in a copy of the project, then look for what is wrong."""
    shutil.copytree(base, folder)
    before: dict[str, str] = {}
    if scenario.fresh:
        shutil.rmtree(folder / "germane-data")
    else:
        with opened(base) as engine:
            before = dict(_logged(engine))
    lived = scenario.live(runs, folder, fault)
    lived.lost += losses(folder, lived, before)
    return lived


def losses(folder: Path, lived: Lived, before: dict[str, str]) -> list[str]:
    """What a start without faults finds to be wrong, as sentences."""
    wrong = _acked_after_a_failed_sync(lived)
    with opened(folder) as engine:
        wrong += _missing(engine, lived, before)
        again = [viewed(x["messageId"], x["userId"], n) for n, x in enumerate(lived.sent)]
        engine.accept_now(again)
        wrong += _not_once(engine, lived, before)
    with opened(folder) as engine:  # what was left for a start must fit the log as it is now
        if not rebuild(engine).equal:
            wrong.append("the state is not what the log makes")
    with closing(connected(folder / "germane-data" / "germane.db")) as database:
        integrity = str(database.execute("PRAGMA integrity_check").fetchall()[0][0])
    return wrong if integrity == "ok" else [*wrong, integrity]


def _logged(engine: Any) -> Iterator[tuple[str, str]]:
    """Message id and person of each event in the log."""
    for each in engine.store.read(0):
        if each.kind == "event":
            yield each.message_id, each.person.removeprefix("u:")


def _profile(engine: Any, who: str) -> Profile:
    found: Profile = engine.profile_of(engine.person_key(who))
    return found


def _missing(engine: Any, lived: Lived, before: dict[str, str]) -> list[str]:
    """What was promised and is not there."""
    there = {message for message, _ in _logged(engine)}
    gone = GONE not in dict(_logged(engine)).values()
    stays = lived.acked | {m: who for m, who in before.items() if not (gone and who == GONE)}
    wrong = [
        f"{message} of {who} is not there" for message, who in stays.items() if message not in there
    ]
    if lived.erased and not gone:
        wrong.append("an erasure was acknowledged, and the person is there")
    if lived.withdrawn and _profile(engine, SILENT).consent.get(PERSONALISATION) is not False:
        wrong.append("an opt-out was acknowledged, and does not hold")
    return wrong


def _not_once(engine: Any, lived: Lived, before: dict[str, str]) -> list[str]:
    """Now that all was sent again: what counts twice, or not at all."""
    times = Counter(message for message, _ in _logged(engine))
    wrong = [f"{message} is there {n} times" for message, n in times.items() if n > 1]
    people = Counter(x["userId"] for x in lived.sent) + Counter(before.values())
    for who, count in people.items():
        evidence = _profile(engine, who).evidence
        if who not in (GONE, SILENT) and evidence != count:
            wrong.append(f"{who} has {evidence} interactions of {count}")
    return wrong


def _acked_after_a_failed_sync(lived: Lived) -> list[str]:
    """A sync of the database that failed is the last thing that its process promises nothing after."""
    failed = [x.at_s for x in lived.failed if x.call in SYNCS and x.file in DATABASE]
    late = [each for each in lived.acked_s if failed and each > failed[0]]
    return [f"{len(late)} calls were acknowledged after a sync had failed"] if late else []
