"""A server's writes under load, recorded, with what it acknowledged in between.

Everything that changes names or moves the log happens: the folder is made by an import, a server takes events
(new and old ones, some sent twice), decides, hears of impressions and outcomes, is killed and started again, a
snapshot and trees are made beside it, history is sealed, people are erased (before there is history, with it,
and offline), what is shared is learned anew, and the log is folded anew.
"""

from __future__ import annotations

import http.client
import json
import pickle
import subprocess
import sys
import threading
import time
import uuid
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from tests.acceptance import tools
from tests.acceptance.conftest import Server, germane
from tests.acceptance.powercut.disk import Op
from tests.acceptance.powercut.trace import STRACE, Reader, merged

DISK, DATA = "disk", "germane-data"
PEOPLE = 40
ITEMS = [f"lamp-{n}" for n in range(1, 6)]
GONE_EARLY, GONE_LIVE, GONE_OFFLINE = GONE = (
    "gone-canary-early",
    "gone-canary-live",
    "gone-canary-offline",
)
"""Who are erased: before anything is sealed, while serving, offline. No file has their names any more then."""
LOOK_S = 14.0
"""So long after an erasure the server has learned anew what is shared."""
QUIET_S = 0.5
"""A kill waits so long: what a call that it falls into has done, nobody could tell."""
Hole = Literal["", "commits", "history"]
HOLES: tuple[Hole, ...] = ("commits", "history")
"""What ``unsafe`` can break."""


class Ack(NamedTuple):
    """What was acknowledged. ``kind``: event, impression, outcome, item, letter, opt-out, erasure."""

    kind: str
    key: str
    person: str = ""


class Recording(NamedTuple):
    """What happened to the disk, and when what was acknowledged."""

    config: str
    """Text of the configuration."""
    ops: list[Op]
    acks: list[tuple[int, Ack]]
    """(so many operations came before it, it)."""
    ended_ms: int

    def save(self, path: Path) -> None:
        """Keep it, for processes that replay it."""
        path.write_bytes(pickle.dumps(self))

    @classmethod
    def load(cls, path: Path) -> Recording:
        """What was kept."""
        found = pickle.loads(path.read_bytes())  # noqa: S301 - written by ``save`` a moment ago
        assert isinstance(found, cls)
        return found


@dataclass(slots=True)
class Segment:
    """Programs that ran at the same time."""

    traces: list[Path] = field(default_factory=list)
    by_port: dict[int, list[list[Ack]]] = field(default_factory=dict)
    """Port of a client -> what each answer to it acknowledges, in order."""
    at_end: list[Ack] = field(default_factory=list)


class Recorder:
    """Runs Germane's commands on a project under strace."""

    def __init__(self, project: Path, hole: Hole = "") -> None:
        self.project, self._hole = project, hole
        self.disk = project / DISK
        self.disk.mkdir()
        self.data = self.disk / DATA
        self._where = ["--config", str(project / "germane.toml"), "--data", str(self.data)]
        self._traces = 0
        self.segments: list[Segment] = []

    def segment(self) -> Segment:
        """What runs from now on runs after all before."""
        self.segments.append(Segment())
        return self.segments[-1]

    def traced(self, *arguments: str, module: str = "") -> list[str]:
        """A command (or another module) that leaves a trace in the newest segment."""
        self._traces += 1
        trace = self.project / f"trace-{self._traces}"
        self.segments[-1].traces.append(trace)
        run = [module] if module else ["tests.acceptance.powercut.unsafe", self._hole or "whole"]
        program = [sys.executable, "-m", *run, *arguments, *self._where]
        return [tools.strace(), *STRACE, "-o", str(trace), *program]

    def run(self, *arguments: str, acks: Sequence[Ack] = ()) -> None:
        """A command, from beginning to end."""
        self.segment().at_end += acks
        self.beside(*arguments)

    def beside(self, *arguments: str, module: str = "") -> None:
        """A command beside what runs."""
        command = self.traced(*arguments, module=module)
        command.remove("-D")  # strace is the parent here, and ends when all is written
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr

    def recording(self) -> Recording:
        """All of it."""
        ops: list[Op] = []
        acks: list[tuple[int, Ack]] = []
        for segment in self.segments:
            answers = {port: iter(each) for port, each in segment.by_port.items()}
            for each in Reader(str(self.disk)).read(merged(segment.traces)):
                if isinstance(each, Op):
                    ops.append(each)
                elif each.port in answers:
                    acks += [(len(ops), ack) for ack in next(answers[each.port])]
            left = [port for port, rest in answers.items() if any(True for _ in rest)]
            assert not left, "there is no trace of some answers"
            acks += [(len(ops), ack) for ack in segment.at_end]
        config = (self.project / "germane.toml").read_text("utf-8")
        return Recording(config, ops, acks, int(time.time() * 1000))


class Recorded(Server):
    """A server under strace."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__(recorder.project)
        self.data_dir = recorder.data
        self._recorder = recorder
        self.segment = recorder.segment()
        self._tracer = 0

    def command(self) -> list[str]:
        """The same, recorded."""
        return self._recorder.traced("serve", "--port", str(self.port))

    def start(self) -> Recorded:
        """Start it, and find out who records it."""
        super().start()
        assert self._process is not None
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        self._tracer = int(status.partition("TracerPid:")[2].split()[0])
        assert self._tracer, "nobody records it"
        return self

    def end(self, *, kill: bool = False) -> None:
        """Stop or kill it, and wait until all of its trace is written."""
        if kill:
            time.sleep(QUIET_S)
            self.kill()
        else:
            assert self.stop() == 0, self.log.read_text()
        self.api.close()
        deadline = time.monotonic() + 60
        while Path(f"/proc/{self._tracer}").exists():
            assert time.monotonic() < deadline, "strace does not end"
            time.sleep(0.02)


class Client:
    """One connection, so that the n-th answer on it is that to the n-th question."""

    def __init__(self, server: Recorded, seed: int) -> None:
        self._server, self._chance = server, Random(seed)
        self._keys = {
            each: "Basic " + b64encode(f"{each}:".encode()).decode()
            for each in (server.write_key, server.server_key)
        }
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self._connection.connect()
        port = self._connection.sock.getsockname()[1]
        self._acks = server.segment.by_port.setdefault(port, [])
        self._before: list[dict[str, Any]] = []

    def close(self) -> None:
        """No more questions."""
        self._connection.close()

    def ask(
        self, method: str, path: str, body: object, acks: list[Ack], *, public: bool = False
    ) -> Any:
        """One question; its answer acknowledges something."""
        key = self._server.write_key if public else self._server.server_key
        headers = {"Authorization": self._keys[key], "Content-Type": "application/json"}
        self._connection.request(method, path, json.dumps(body), headers)
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, (path, answer.status, said)
        self._acks.append(acks)
        return json.loads(said)

    def step(self) -> None:
        """Something of what clients do."""
        does = (self.track, self.track, self.track, self.respond, self.stock, self.refuse, self.err)
        self._chance.choice(does)()

    def track(self, person: str = "") -> None:
        """Some events; at times those that were sent before, once more."""
        if self._before and self._chance.random() < 0.1 and not person:
            batch = self._before
        else:
            count = self._chance.choice((1, 1, 1, 2, 5, 10))
            batch = self._before = [self._message(person) for _ in range(count)]
        acks = [Ack("event", each["messageId"], _of(each)) for each in batch]
        self.ask("POST", "/v1/batch", {"batch": batch}, acks, public=True)

    def respond(self) -> None:
        """Ask for a decision, and say what came of it."""
        body = {"person": {"userId": self._person()}, "surfaces": [{"surface": "home-grid"}]}
        decision = self.ask("POST", "/v1/decide", body, [])["decisions"][0]
        told = {"decisionId": decision["decisionId"], "messageId": self._id()}
        seen = {**told, "positions": [0, 1, 2]}
        self.ask("POST", "/v1/impressions", seen, [Ack("impression", told["messageId"])])
        told["messageId"] = self._id()
        clicked = {**told, "outcome": "click", "itemId": decision["items"][1]["itemId"]}
        self.ask("POST", "/v1/outcomes", clicked, [Ack("outcome", told["messageId"])])

    def stock(self) -> None:
        """A new item."""
        name = f"new-{self._id()}"
        item = {"title": name, "category": "lighting", "brand": "Brewer", "price": 9.5}
        self.ask("PUT", f"/v1/items/{name}", item, [Ack("item", name)])

    def refuse(self) -> None:
        """Somebody opts out."""
        person = f"no-{self._id()}"
        said = {"purpose": "personalisation", "state": "withdrawn", "userId": person}
        self.ask("POST", "/v1/consent", said, [Ack("opt-out", person)])

    def err(self) -> None:
        """An event without a name."""
        bad = {**self._message(""), "event": None}
        acks = [Ack("letter", bad["messageId"])]
        self.ask("POST", "/v1/batch", {"batch": [bad]}, acks, public=True)

    def erase(self, person: str) -> None:
        """Somebody goes."""
        self.ask("DELETE", f"/v1/people/{person}", None, [Ack("erasure", person)])

    @staticmethod
    def viewed(message_id: str, user: str, item: str = ITEMS[0]) -> dict[str, Any]:
        """An event."""
        return {
            "type": "track",
            "event": "Product Viewed",
            "messageId": message_id,
            "userId": user,
            "properties": {"product_id": item},
        }

    def _message(self, person: str) -> dict[str, Any]:
        chance = self._chance
        user = person or self._person()
        who = {"userId": user}
        if chance.random() < 0.15:
            who = {"userId": user, "anonymousId": f"device-{user}-{chance.randrange(3)}"}
        found = self.viewed(self._id(), user, chance.choice(ITEMS)) | who
        if chance.random() < 0.3:
            old = datetime.now(UTC) - timedelta(days=chance.uniform(110, 170))
            found["timestamp"] = old.isoformat()
        return found

    def _person(self) -> str:
        return f"k{self._chance.randrange(PEOPLE)}"

    def _id(self) -> str:
        return uuid.UUID(int=self._chance.getrandbits(128)).hex


def _of(message: dict[str, Any]) -> str:
    person: str = message["userId"]
    return person


def busy(server: Recorded, steps: int, *, seed: int, clients: int = 3) -> None:
    """Several clients at once."""
    failed: list[BaseException] = []

    def run(number: int) -> None:
        client = Client(server, seed * 100 + number)
        try:
            for _ in range(steps):
                client.step()
        except BaseException as error:
            failed.append(error)
        finally:
            client.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(clients)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if failed:
        raise failed[0]


def record(folder: Path, *, seed: int = 1, steps: int = 36) -> Recording:
    """The whole story."""
    recorder = begun(folder)
    server = Recorded(recorder).start()
    busy(server, steps, seed=seed)
    client = Client(server, seed)
    for person in GONE:
        for _ in range(3):
            client.track(person)
    recorder.beside("snapshot")
    recorder.beside(GONE_LIVE, module="tests.acceptance.powercut.trees")
    client.track()
    client.close()
    server.end(kill=True)

    server = Recorded(recorder).start()
    busy(server, steps // 2, seed=seed + 1)
    client = Client(server, seed + 1)
    client.erase(GONE_EARLY)
    client.track()
    client.close()
    server.end()
    recorder.run("seal")

    server = Recorded(recorder).start()
    busy(server, steps // 4, seed=seed + 2)
    client = Client(server, seed + 2)
    client.erase(GONE_LIVE)
    client.track()
    client.stock()
    time.sleep(LOOK_S)
    client.track()
    client.close()
    server.end()

    server = Recorded(recorder).start()
    busy(server, steps // 4, seed=seed + 3)
    server.end()
    recorder.run("erase", GONE_OFFLINE, "--yes", acks=[Ack("erasure", GONE_OFFLINE)])
    server = Recorded(recorder).start()
    busy(server, steps // 4, seed=seed + 4)
    server.end(kill=True)
    return recorder.recording()


def record_short(folder: Path, hole: Hole, *, seed: int = 1, steps: int = 12) -> Recording:
    """For a control: a server takes what comes, history is sealed, and it goes on."""
    recorder = begun(folder, hole)
    server = Recorded(recorder).start()
    busy(server, steps, seed=seed)
    server.end()
    recorder.run("seal")
    server = Recorded(recorder).start()
    busy(server, steps // 2, seed=seed + 1)
    server.end()
    return recorder.recording()


def begun(folder: Path, hole: Hole = "") -> Recorder:
    """A new project, and its catalogue imported."""
    made = germane("init", str(folder), "--recipe", "shop")
    assert made.returncode == 0, made.stderr
    recorder = Recorder(folder, hole)
    recorder.run(
        "import",
        "catalogue",
        str(folder / "catalogue.csv"),
        acks=[Ack("item", each) for each in ITEMS],
    )
    return recorder
