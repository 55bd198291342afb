"""What is sent again counts once: `just bench dedupe`.

A million events and 300,000 copies of some of them, in batches of 100 that eight senders send at once: out of
order, in other batches, at the same time as the first copy or months later, across restarts and after the first
copy was sealed into history. They take the way of `POST /v1/batch` below the socket, while the engine serves.

Each event must count once for its person, and the receipts must say so. Then each is sent once, in the order
and at the times in which the first copies came, to a fresh engine by the importer's way: the state and the
shared model must have the same hashes. In another order the model may learn something else, because order is a
signal.
`tests/laws/test_dedupe.py` is the same with 20,000.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.progress import Progress

from benchmarks.figures import record, write_result
from tests.laws.resending import Found, Plan, oracle, resend, send_once

COMMAND = "just bench dedupe"
EVENTS = int(os.environ.get("GERMANE_EVENTS", "1000000"))
A_ROUND = 2_000
LIVES = 11


def run(plan: Plan) -> dict[str, Any]:
    """Both ways, compared."""
    with tempfile.TemporaryDirectory() as made, Progress() as bar:
        again = bar.add_task("sent again", total=plan.rounds)
        found = resend(plan, Path(made) / "again", lambda: bar.advance(again))
        once = bar.add_task("sent once", total=plan.rounds)
        single = send_once(Path(made) / "again", Path(made) / "once", lambda: bar.advance(once))
    wrong = oracle(plan)
    wrong.subtract(found.counted)
    return {
        "plan": asdict(plan),
        "sent": found.sent,
        "accepted": found.accepted,
        "duplicates": found.duplicates,
        "rejected": found.rejected,
        "sealed": found.sealed,
        "wrong_counts": sum(map(abs, wrong.values())),
        "different_hashes": different(found, single),
    }


def different(found: Found, single: Found) -> int:
    """Of state and model, how many are not as if each had been sent once."""
    return (found.state != single.state) + (found.model != single.model)


def main() -> None:
    """Run, print, write."""
    plan = Plan(EVENTS, EVENTS * 3 // 10, max(EVENTS // A_ROUND, LIVES), LIVES, people=20_000)
    result = run(plan)
    print(json.dumps(result, indent=2))
    write_result("dedupe", {"protocol": __doc__, **result})
    wrong, differ = result["wrong_counts"], result["different_hashes"]
    record("dedupe.wrong_counts", wrong, n=result["sent"], command=COMMAND)
    record("dedupe.different_hashes", differ, n=result["sent"], command=COMMAND)
    assert (result["accepted"], result["duplicates"]) == (plan.events, plan.again), result
    assert wrong == differ == result["rejected"] == 0, result


if __name__ == "__main__":
    main()
