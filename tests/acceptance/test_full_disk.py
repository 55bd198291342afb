"""The disk is full: what is known is answered, what is new refused in words, until there is room."""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from germane.app import open_engine, rebuild
from germane.app.world import SystemWorld
from germane.cli.common import load
from germane.domain.event import Event
from tests.acceptance.conftest import Server, a_project, germane
from tests.acceptance.smalldisks import Disk, Kind, small_disk
from tests.acceptance.test_loop import decide

OLD_MS = 150 * 86_400_000
PATIENCE_S = 30.0


class OnADisk(Server):
    """A server whose data folder is on a small disk."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        super().__init__(folder)
        self.disk = disk
        self.data_dir = disk.place / "data"
        self.acked: Counter[str] = Counter()

    def send(self, count: int = 20) -> Any:
        """A batch of events; what was acknowledged is kept in mind."""
        batch = [
            {
                "type": "track",
                "event": "Product Viewed",
                "messageId": uuid.uuid4().hex,
                "userId": "ann",
                "properties": {"product_id": "lamp-1", "note": "x" * 400},
            }
            for _ in range(count)
        ]
        answer = self.api.post("/v1/batch", json={"batch": batch})
        if answer.status_code == 200:
            self.acked.update(each["messageId"] for each in batch)
        return answer

    def run(self, *arguments: str) -> Any:
        """A command on the same data."""
        return germane(*arguments, "--config", str(self.config), "--data", str(self.data_dir))


@pytest.fixture(params=["tmpfs", "ext4"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OnADisk]:
    """With months of history that is to be sealed."""
    kind: Kind = request.param
    with small_disk(tmp_path, kind, 24) as disk:
        server = OnADisk(a_project(tmp_path / "shop"), disk)
        (server.folder / "germane-data").rename(tmp_path / "elsewhere")
        engine = open_engine(load(server.config).settings, server.data_dir)
        old_ms = SystemWorld().now_ms() - OLD_MS
        engine.accept_now(
            [
                Event(f"old-{n}", "track", old_ms + n, user_id="bob", name="Product Viewed",
                      properties={"product_id": "lamp-2"})
                for n in range(500)
            ]
        )  # fmt: skip
        engine.store.close()
        assert (
            server.run("import", "catalogue", str(server.folder / "catalogue.csv")).returncode == 0
        )
        yield server
        server.close()


def until(server: OnADisk, status: int) -> Any:
    """Send until the answer is another one."""
    end_s = time.monotonic() + PATIENCE_S
    while (answer := server.send()).status_code != status:
        assert answer.status_code in (200, 503), answer.text
        assert time.monotonic() < end_s, answer.text
    return answer


def everything_once(server: OnADisk) -> None:
    """All that was acknowledged is there, once, and the state is what the log makes."""
    engine = open_engine(load(server.config).settings, server.data_dir)
    there = Counter(x.message_id for x in engine.store.read(0) if x.kind == "event")
    assert server.acked - there == Counter()
    assert set(there.values()) == {1}
    assert engine.profile_of("u:ann").evidence == sum(x.startswith("old") is False for x in there)
    assert rebuild(engine).equal
    engine.store.close()


def test_a_server_on_a_full_disk(server: OnADisk) -> None:
    """It says so, goes on deciding, and takes events again by itself."""
    server.start()
    assert server.send().status_code == 200
    server.disk.fill()
    refused = until(server, 503)
    assert refused.json()["code"] == "storage.full"
    assert "Make room on the disk" in refused.json()["hint"]
    assert refused.headers["retry-after"] == "1"
    assert server.api.get("/readyz").status_code == 503
    for who in ("ann", "bob", "somebody new"):
        assert len(decide(server, who)["items"]) == 12
    assert server.person("bob")["recent"]
    assert server.send().status_code == 503
    server.disk.free()
    until(server, 200)
    assert server.api.get("/readyz").status_code == 200
    assert server.stop() == 0
    everything_once(server)


def test_history_and_snapshots_on_a_full_disk(server: OnADisk) -> None:
    """Neither is written by halves: the command fails in words, and succeeds when there is room."""
    server.start()
    server.send()
    server.disk.fill()
    until(server, 503)
    assert server.stop() == 0
    server.disk.fill()  # with what the end of the server has left
    for command in ("seal", "snapshot"):
        done = server.run(command)
        assert done.returncode == 1, (command, done.stdout)
        assert "disk is full" in done.stderr, (command, done.stderr)
    server.disk.free()
    assert server.run("snapshot").returncode == 0
    assert '"moved": 500' in server.run("seal", "--json").stdout
    assert not [*server.data_dir.rglob("*.tmp")]
    everything_once(server)
