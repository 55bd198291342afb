"""The same disks under a real server: what clients are told, and what comes of sending everything again."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tests.acceptance.conftest import Server, germane
from tests.acceptance.powercut.recording import GONE, Ack, Client

AGAIN = 50


def wrong(project: Path, data: Path, acked: Iterable[Ack]) -> list[str]:
    """Start `germane serve` on a data folder and ask; what is not as it was acknowledged."""
    counts: Counter[str] = Counter()
    messages: dict[str, str] = {}
    for each in acked:
        if each.kind == "event" and each.person not in GONE and each.key not in messages:
            messages[each.key] = each.person
            counts[each.person] += 1
    server = Server(project)
    server.data_dir = data
    server.start()
    try:
        before = {person: _evidence(server, person) for person in counts}
        found = [
            f"{person}: {before[person]} of {count} events count"
            for person, count in counts.items()
            if before[person] < count
        ]
        _send_again(server, messages)
        after = {person: _evidence(server, person) for person in counts}
        found += [
            f"{each}: sent again, it counts again" for each in counts if after[each] != before[each]
        ]
    finally:
        server.close()
    where = ["--config", str(server.config), "--data", str(data), "--json"]
    rebuilt = germane("rebuild", *where)
    assert rebuilt.returncode == 0, rebuilt.stderr
    if not json.loads(rebuilt.stdout)["equal"]:
        found.append("rebuilt from the log, the state is another one")
    return found


def _evidence(server: Server, person: str) -> int:
    answer = server.api.get(f"/v1/people/{person}")
    return int(answer.json()["readiness"]["evidence"]) if answer.status_code == 200 else 0


def _send_again(server: Server, messages: dict[str, str]) -> None:
    ids = [*messages]
    for start in range(0, len(ids), AGAIN):
        batch = [Client.viewed(each, messages[each]) for each in ids[start : start + AGAIN]]
        answer = server.api.post("/v1/batch", json={"batch": batch}, auth=(server.write_key, ""))
        assert answer.status_code == 200, answer.text
