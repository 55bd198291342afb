"""kill -9 while sending: `just bench sendkills`.

A real server sends two transactional messages to everybody who comes: one of the class *never twice*, one
of the class *never lost*. A real SMTP server, which takes its time, keeps what it was given. The sender
is killed at random moments and started again. At the end, of *never twice* nobody may have two, and who has
none is listed as in doubt, by name; of *never lost* nobody may have none, and who has two has the same
Message-ID twice. A kill leaves no more in doubt than were on their way.

In rounds of 100 kills, each on a fresh data folder and checked as a whole. Rounds that are done are kept, so
it can be stopped and goes on where it was, as long as the program is the same.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import random
import shutil
import tempfile
import threading
import time
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any

from rich.progress import track

from benchmarks import rounds
from benchmarks.figures import record, write_result
from germane.app.posting import FLYING
from tests.acceptance.conftest import SERVER_KEY, Server, germane
from tests.acceptance.mailing import Sink, smtp_sink

COMMAND = "just bench sendkills"
KILLS = int(os.environ.get("GERMANE_KILLS", "1000"))
PROJECT = Path(__file__).parent.parent / "tests" / "acceptance" / "projects" / "sending"
CLASSES = ("twice", "lost")
SUMMED = (
    "kills", "people", "mails", "twice_duplicates", "twice_without", "twice_unlisted", "lost_missing",
    "lost_duplicates", "other_message_ids",
)  # fmt: skip
BATCH = 10
ROUND = 100
PAGE = 100


class SlowSink(Sink):
    """Takes up to a hundredth of a second for each."""

    chance = random.Random(3)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """Take it, then say so a little later: a kill in between leaves doubt."""
        answer = await super().handle_DATA(server, session, envelope)
        await asyncio.sleep(self.chance.uniform(0.0, 0.01))
        return answer


class Visitors(threading.Thread):
    """New people come until told to stop; who was not acknowledged comes again, unchanged."""

    def __init__(self, server: Server) -> None:
        super().__init__()
        self._server = server
        self.stop = threading.Event()
        self.came = 0

    def run(self) -> None:
        """Until stopped and everybody who came is acknowledged."""
        while not self.stop.is_set():
            batch = [
                each for n in range(self.came, self.came + BATCH) for each in self._messages(n)
            ]
            while not self._sent(batch):
                time.sleep(0.02)
            self.came += BATCH
            time.sleep(0.02)

    def _messages(self, number: int) -> list[dict[str, Any]]:
        user = f"p{number}"
        common = {"userId": user}
        return [
            {
                **common,
                "type": "identify",
                "messageId": f"i{number}",
                "traits": {"email": f"{user}@example.org"},
            },
            {**common, "type": "track", "messageId": f"t{number}", "event": "Came"},
        ]

    def _sent(self, batch: list[dict[str, Any]]) -> bool:
        key = b64encode(f"{self._server.write_key}:".encode()).decode()
        with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=10)
        ) as connection:
            try:
                connection.request(
                    "POST",
                    "/v1/batch",
                    json.dumps({"batch": batch}),
                    {"Authorization": f"Basic {key}"},
                )
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False


def a_server(folder: Path, sink: Sink) -> Server:
    """The project, its content and its campaigns live."""
    shutil.copytree(PROJECT, folder)
    server = Server(folder, GERMANE_CHANNELS__EMAIL__PORT=str(sink.port)).start()
    import tomllib

    for path in sorted((folder / "content").glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        answer = server.api.put(f"/v1/content/{path.stem}", json=table)
        assert answer.status_code == 200, answer.text
    for path in sorted((folder / "campaigns").glob("*.toml")):
        table = tomllib.loads(path.read_text("utf-8"))
        put = server.api.put(f"/v1/campaigns/{path.stem}", json=table)
        assert put.status_code == 200, put.text
        turned = server.api.post(f"/v1/campaigns/{path.stem}/status", json={"status": "live"})
        assert turned.status_code == 200, turned.text
    return server


def kill_loop(server: Server, kills: int, seed: int) -> int:
    """Kill and start again; how many people came."""
    visitors, chance = Visitors(server), random.Random(seed)
    visitors.start()
    for _ in track(range(kills), "killing"):
        time.sleep(chance.uniform(0.15, 0.6))
        server.kill()
        server.start()
    time.sleep(0.5)
    visitors.stop.set()
    visitors.join()
    return visitors.came


def drained(server: Server, came: int, seconds: float = 300) -> dict[str, dict[str, int]]:
    """Wait until nothing is on its way any more; messages by campaign and status."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = {
            each["campaign"]: each["messages"]
            for each in server.api.get("/v1/campaigns").json()["campaigns"]
        }
        over = sum(
            found[name].get(status, 0)
            for name in found
            for status in ("sent", "ambiguous", "failed")
        )
        if over >= came * len(CLASSES):
            return found
        time.sleep(0.3)
    raise AssertionError(f"it is not over: {found}, {came} people")


def in_doubt(server: Server) -> set[str]:
    """Addresses of those whose message of the class *never twice* is listed for a person to look at."""
    found: set[str] = set()
    asked: dict[str, Any] = {"campaign": "twice", "status": "ambiguous", "limit": PAGE}
    while page := server.api.get("/v1/messages", params=asked).json()["messages"]:
        found |= {each["personId"].removeprefix("u:") + "@example.org" for each in page}
        asked["after"] = page[-1]["messageId"]
    return found


def run(kills: int, seed: int = 11) -> dict[str, Any]:
    """One round, checked."""
    with tempfile.TemporaryDirectory() as made, smtp_sink(SlowSink) as sink:
        server = a_server(Path(made) / "sending", sink)
        try:
            came = kill_loop(server, kills, seed)
            statuses = drained(server, came)
            listed = in_doubt(server)
        finally:
            server.close()
        rebuilt = germane(
            "rebuild", "--config", str(server.config), "--data", str(server.data_dir), "--json",
            GERMANE_SERVER_KEY=SERVER_KEY,
        )  # fmt: skip
        found = told(sink, came, listed)
    return {
        "kills": kills,
        "people": came,
        "mails": len(sink.mails),
        **found,
        "statuses": statuses,
        "doubt_per_kill": statuses["twice"].get("ambiguous", 0) / max(kills, 1),
        "in_flight_at_most": FLYING,
        "rebuild_equal": json.loads(rebuilt.stdout)["equal"],
    }


def told(sink: Sink, came: int, listed: set[str]) -> dict[str, Any]:
    """What the sink says: who has how many of each class; ``listed`` are those in doubt."""
    mails: dict[str, Counter[str]] = {name: Counter() for name in CLASSES}
    ids: dict[tuple[str, str], set[str]] = {}
    for to, mail in sink.mails:
        name = str(mail["Subject"]).split()[-1]
        mails[name][to] += 1
        ids.setdefault((name, to), set()).add(str(mail["Message-ID"]))
    people = [f"p{n}@example.org" for n in range(came)]
    without = {each for each in people if not mails["twice"][each]}
    return {
        "twice_duplicates": sum(count - 1 for count in mails["twice"].values()),
        "twice_without": len(without),
        "twice_unlisted": len(without - listed),
        "lost_missing": sum(not mails["lost"][each] for each in people),
        "lost_duplicates": sum(count - 1 for count in mails["lost"].values()),
        "other_message_ids": sum(len(each) - 1 for each in ids.values()),
    }


def holds(found: dict[str, Any]) -> bool:
    """Whether both classes keep their word."""
    doubt = found["statuses"]["twice"].get("ambiguous", 0)
    return (
        found["twice_duplicates"] == 0
        and found["twice_unlisted"] == 0
        and doubt <= found["kills"] * FLYING
        and found["lost_missing"] == 0
        and found["lost_duplicates"] <= found["kills"] * FLYING
        and found["other_message_ids"] == 0
        and found["rebuild_equal"] is True
    )


def main() -> None:
    """Round after round; print, write."""
    done = rounds.done("sendkills")
    while (kills := sum(each["kills"] for each in done)) < KILLS:
        print(f"{kills:,} of {KILLS:,} kills are done", flush=True)
        found = run(min(ROUND, KILLS - kills), seed=11 + len(done))
        assert holds(found), found
        done.append(found)
        rounds.keep("sendkills", done)
        told_all(done)


def told_all(done: list[dict[str, Any]]) -> None:
    """Write what all rounds have together."""
    total = {name: sum(each[name] for each in done) for name in SUMMED}
    print(json.dumps(total, indent=2), flush=True)
    write_result("sendkills", {"protocol": __doc__, **total, "rounds": done})
    n = total["mails"]
    record("send.kills", total["kills"], n=n, command=COMMAND)
    record("send.never_twice_duplicates", total["twice_duplicates"], n=n, command=COMMAND)
    record("send.never_lost_missing", total["lost_missing"], n=n, command=COMMAND)


if __name__ == "__main__":
    main()
