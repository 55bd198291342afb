"""Backups of a real server under load: made beside it, killed in the middle, put back elsewhere, served."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.kills import CLIENTS, Client
from germane.app.opening import open_engine
from germane.app.rebuild import Rebuild
from germane.config import load
from germane.storage.sqlite import SqliteStore
from tests.acceptance.conftest import Server, germane
from tests.acceptance.test_loop import decide, track


@contextmanager
def load_on(server: Server) -> Iterator[list[Client]]:
    """Clients that send batches all the time, as long as the block lasts."""
    stop = threading.Event()
    clients = [Client(server, number, stop) for number in range(CLIENTS)]
    for each in clients:
        each.start()
    try:
        yield clients
    finally:
        stop.set()
        for each in clients:
            each.join()


def run(*command: str, code: int = 0) -> Any:
    """What a command prints for programs."""
    done = germane(*command, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def killed_in_the_middle(*command: str, place: Path) -> None:
    """kill -9 as soon as there is something to be seen of it."""
    process = subprocess.Popen([sys.executable, "-m", "germane", *command])
    deadline = time.monotonic() + 30
    while not list(place.glob(".making/*")):
        assert time.monotonic() < deadline
        assert process.poll() is None, "it was too quick"
    process.send_signal(signal.SIGKILL)
    process.wait()


def states_at(server: Server, *offsets: int) -> tuple[list[Any], list[str]]:
    """The log of a stopped server, and the state that comes of it at some offsets."""
    engine = open_engine(load(server.config, {}).settings, server.data_dir, mode="read")
    records, states = [*engine.store.read(0)], dict[int, str]()
    work = Rebuild(engine.settings, engine.key)
    for record in records[: max(offsets)]:
        work.step(record)
        if record.seq in offsets:
            states[record.seq] = work.scratch.state_hash()
    engine.store.close()
    return records, [states[each] for each in offsets]


def log_of(folder: Path, offset: int) -> list[Any]:
    """The records of a data folder, but what the restore noted itself."""
    store = SqliteStore.open(folder, mode="read")
    found = [each for each in store.read(0) if each.seq <= offset]
    store.close()
    return found


def test_a_backup_under_load(server: Server, tmp_path: Path) -> None:
    """Several while events come in, one killed in the middle: each that is whole is the log up to its
    offset, and the state of then; and it serves."""
    place = tmp_path / "backups"
    where = ("--config", str(server.config), "--data")
    command = ("backup", str(place), *where, str(server.data_dir))
    for month in range(1, 10):
        old = {
            "userId": "fay",
            "event": "Product Viewed",
            "timestamp": f"2026-0{month}-15T12:00:00Z",
            "properties": {"product_id": f"toy-{month % 5 + 1}"},
        }
        assert server.api.post("/v1/track", json=old).status_code == 200
    assert server.stop() == 0
    assert run("seal", *where, str(server.data_dir))["moved"] >= 6
    server.start()
    with load_on(server) as clients:
        time.sleep(0.3)
        made = [run(*command)]
        killed_in_the_middle(*command, place=place)
        assert [
            x["whole"] for x in run("backup", str(place), *where, "x", "--list")["backups"]
        ] == [True]
        made += [run(*command) for _ in range(2)]
        until = datetime.now(UTC).isoformat()
        time.sleep(0.3)
        made.append(run(*command))
        assert all(each.acked for each in clients)
    known = server.person("fay")
    acked = {message for each in clients for message in each.acked}
    assert server.stop() == 0
    assert made[0]["offset"] < made[1]["offset"] < made[2]["offset"] < made[3]["offset"]
    assert made[0]["linked"] == 0 < made[1]["linked"] == made[3]["linked"]
    assert not (place / ".making").exists()
    assert run("backup", str(place), *where, "x", "--verify")["backups"][0]["damaged"] == []

    others = [tmp_path / name for name in ("first", "last", "then")]
    back = [
        run("restore", made[0]["backup"], *where, str(others[0])),
        run("restore", str(place), *where, str(others[1])),
        run("restore", str(place), *where, str(others[2]), "--until", until),
    ]
    offsets = [each["offset"] for each in back]
    assert offsets[:2] == [made[0]["offset"], made[3]["offset"]]
    assert offsets[0] < offsets[2] < offsets[1]
    assert back[2]["backup"] == made[3]["backup"]
    records, states = states_at(server, *offsets)
    assert acked <= {each.message_id for each in records}
    assert [each["stateHash"] for each in back] == states
    for folder, offset in zip(others, offsets, strict=True):
        assert log_of(folder, offset) == records[:offset]

    serves(server, others[1], known)


def serves(server: Server, folder: Path, known: dict[str, Any]) -> None:
    """A server on the restored folder: everybody is known, decisions are made, events are taken."""
    server.data_dir = folder
    server.start()
    assert server.person("fay")["ownItems"] == known["ownItems"]
    assert server.person("fay")["recent"] == known["recent"] != []
    before = decide(server, "k1")
    assert len(before["items"]) == 12
    track(server, "k1", "Product Viewed", product_id="bike-3", price=30)
    assert decide(server, "k1")["personOffset"] > before["personOffset"]
    assert server.stop() == 0
    where = ("--config", str(server.config), "--data", str(folder))
    assert run("rebuild", *where)["equal"] is True


def test_what_does_not_go(server: Server, tmp_path: Path) -> None:
    """A folder that a server has, one with data, a backup that is not whole: each says what to do."""
    place = tmp_path / "backups"
    track(server, "ann", "Product Viewed", product_id="bike-3", price=30)
    where = ("--config", str(server.config), "--data", str(server.data_dir))
    made = run("backup", str(place), *where)
    for more, why in (((), "has data already"), (("--force",), "Another process has")):
        done = germane("restore", str(place), *where, *more)
        assert done.returncode == 1
        assert why in done.stderr
    assert server.person("ann")["recent"]
    (Path(made["backup"]) / "manifest.json").unlink()
    done = germane("restore", str(place), *where[:2], "--data", str(tmp_path / "other"))
    assert done.returncode == 1
    assert "is no whole backup" in done.stderr
    assert not (tmp_path / "other" / "germane.db").exists()
