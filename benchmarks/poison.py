"""Poisonous messages cost themselves: `just bench poison`.

Of 100,000 messages 1 % are poison: one half cannot be read, by the fault of whoever sent them or because they
are too large; with the other half something raises in the engine, at seven places from the parser to the
ledger. All others must be accepted, and every poisonous one must be a dead letter with its reason. Then what is
broken is mended, and each dead letter is replayed.

It is compared with engines that never were broken. Before the replay the state and the shared model must be
those of the good messages alone, and after it those of an engine to which the poisonous ones came last, by
their hashes. Compared with one to which they came in their turn, every profile must be the same but for its
offset, and sums but for their rounding. What cannot be mended here, because the sender is wrong, stays a dead
letter. `tests/laws/test_poison.py` is the same with 5,600.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.figures import record, write_result
from tests.laws.poisoning import different_people, expected, numbers_of, poisoned, whole
from tests.laws.resending import Plan

COMMAND = "just bench poison"
MESSAGES = int(os.environ.get("GERMANE_EVENTS", "100000"))


def run(plan: Plan) -> dict[str, Any]:
    """One engine that is broken, and two that are not."""
    count = len(numbers_of(plan))
    with tempfile.TemporaryDirectory() as made, Progress() as bar:
        folders = {each: Path(made) / each for each in ("broken", "late", "turn")}
        tasks = {each: bar.add_task(each, total=-(-count // plan.batch)) for each in folders}
        found = poisoned(plan, folders["broken"], lambda: bar.advance(tasks["broken"]))
        late = whole(plan, folders["late"], found.order, lambda: bar.advance(tasks["late"]))
        turn = whole(plan, folders["turn"], tick=lambda: bar.advance(tasks["turn"]))
        people = different_people(folders["broken"], folders["turn"])
    wrong = expected(plan)
    poison = wrong.total()
    wrong.subtract(found.letters)
    return {
        "plan": asdict(plan),
        "messages": count,
        "poison": poison,
        "accepted": found.accepted,
        "stalled": count - poison - found.accepted,
        "letters": dict(found.letters),
        "letters_missing": sum(map(abs, wrong.values())),
        "replayed": len(found.order),
        "still_wrong": dict(found.still),
        "hashes_different": sum(
            one != two
            for pair in ((found.before, late.before), (found.after, late.after))
            for one, two in zip(*pair, strict=True)
        ),
        "people_different": len(people),
        "rebuild_equal": found.rebuilds,
        "seconds": {"poisoned": round(found.seconds, 1), "whole": round(turn.seconds, 1)},
    }


def main() -> None:
    """Run, print, write."""
    logging.getLogger("germane").setLevel(logging.CRITICAL)  # a trace for each is what it logs
    result = run(Plan(MESSAGES * 10 // 9 + 1, again=0, rounds=1, lives=1, people=5_000))
    print(json.dumps(result, indent=2))
    write_result("poison", {"protocol": __doc__, **result})
    n = result["messages"]
    differ = result["hashes_different"] + result["people_different"]
    record("poison.stalled", result["stalled"], n=n, command=COMMAND)
    record("poison.letters_missing", result["letters_missing"], n=result["poison"], command=COMMAND)
    record("poison.different_after_replay", differ, n=n, command=COMMAND)
    assert result["stalled"] == result["letters_missing"] == differ == 0, result
    assert result["rebuild_equal"] is True, result


if __name__ == "__main__":
    main()
