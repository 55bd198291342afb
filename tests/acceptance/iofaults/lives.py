"""What is lived through with a fault: a server that is used, and commands that write."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from germane.app import open_engine
from germane.app.world import SystemWorld
from germane.domain.event import Event
from tests.acceptance.conftest import SERVER_KEY, WRITE_KEY, a_project, free_port
from tests.acceptance.iofaults.fault import Fault, Runs, Told, told

PATIENCE_S = 20.0
OLD_MS = 150 * 86_400_000
GONE, KEPT, SILENT = "gone", "kept", "silent"
"""Who is erased, who did much before, who takes back their consent."""
KEYS = {
    "GERMANE_WRITE_KEY": WRITE_KEY,
    "GERMANE_SERVER_KEY": SERVER_KEY,
    "GERMANE_SERVER__LOG": "json",
}
REFUSED = (429, 503, 507)


@dataclass(slots=True)
class Lived:
    """What was sent, what was promised, what was said."""

    fault: Fault
    acked: dict[str, str] = field(default_factory=dict)
    """Message id -> person, of events that were acknowledged."""
    sent: list[dict[str, Any]] = field(default_factory=list)
    erased: bool = False
    withdrawn: bool = False
    refusals: list[int] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    """What should not have been: a crash, an error without words, an answer that is none of these."""
    ended: bool = False
    """The process ended by itself, with an error."""
    acked_s: list[float] = field(default_factory=list)
    """When each request began that was acknowledged."""
    calls: list[Told] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """What was promised and is not so, found by the next start."""

    @property
    def failed(self) -> list[Told]:
        """The calls that failed."""
        return [each for each in self.calls if each.failed]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Something to live through, in a copy of a folder."""

    name: str
    live: Callable[[Runs, Path, Fault], Lived]
    fresh: bool = False
    """It begins without a data folder."""


def base(folder: Path) -> Path:
    """A project with some history: part of it is old enough to be sealed, some of it is sealed."""
    a_project(folder)
    for path in (folder / "germane-data").glob("models/*"):
        shutil.rmtree(path)
    with opened(folder) as engine:
        now_ms = SystemWorld().now_ms()
        for begin_ms, people in ((now_ms - 2 * OLD_MS, 3), (now_ms - OLD_MS, 4), (now_ms, 5)):
            events = [
                viewed(f"{begin_ms}-{n}", who, n, begin_ms + n)
                for n, who in enumerate([KEPT, GONE, SILENT] * people)
            ]
            engine.accept_now(events)
            if begin_ms == now_ms - 2 * OLD_MS:
                engine.seal()
    return folder


def viewed(message: str, who: str, n: int, at_ms: int = 0) -> Event:
    """Somebody looked at a lamp."""
    return Event(
        kind="track",
        message_id=message,
        user_id=who,
        name="Product Viewed",
        properties={"product_id": f"lamp-{n % 5 + 1}"},
        at_ms=at_ms or SystemWorld().now_ms(),
    )


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[Any]:
    """The engine of a project, in this process, without faults."""
    from germane.cli.common import load

    engine = open_engine(load(folder / "germane.toml").settings, folder / "germane-data")
    try:
        yield engine
    finally:
        engine.store.close()


def served(runs: Runs, folder: Path, fault: Fault, *, erases: bool = True) -> Lived:
    """A server that is started, used in every way that writes, and stopped."""
    lived, port = Lived(fault), free_port()
    arguments = ["serve", *_where(folder), "--port", str(port)]
    process = runs.start(
        arguments, fault, folder / "germane-data", folder / "calls", folder / "said", **KEYS
    )
    if _ready(process, port):
        _use(lived, port, erases=erases)
    with contextlib.suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGINT)
    _ended(process, lived, folder)
    return lived


def command(*arguments: str) -> Callable[[Runs, Path, Fault], Lived]:
    """A command that writes."""

    def live(runs: Runs, folder: Path, fault: Fault) -> Lived:
        lived = Lived(fault)
        process = runs.start(
            [*arguments, *_where(folder)], fault, folder / "germane-data", folder / "calls",
            folder / "said", **KEYS,
        )  # fmt: skip
        _ended(process, lived, folder)
        lived.erased = arguments[0] == "erase" and process.exitcode == 0
        return lived

    return live


def _where(folder: Path) -> list[str]:
    return ["--config", str(folder / "germane.toml"), "--data", str(folder / "germane-data")]


def _ended(process: Any, lived: Lived, folder: Path) -> None:
    """Wait for the end; it must be one with words."""
    process.join(PATIENCE_S)
    if process.exitcode is None:
        process.kill()
        process.join()
        lived.odd.append("it did not end")
    said = (folder / "said").read_text()
    lived.ended = process.exitcode not in (0, None)
    lived.calls = told(folder / "calls")
    if "Traceback" in said:
        lived.odd.append("a traceback: " + said[said.rindex("Traceback") :][-600:])
    if lived.ended and "Error" not in said:
        lived.odd.append(f"it ended with {process.exitcode} and no error: {said[-300:]}")


def _ready(process: Any, port: int) -> bool:
    """Whether it serves, before it ends."""
    end_s = time.monotonic() + PATIENCE_S
    while process.is_alive() and time.monotonic() < end_s:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return _call(port, "GET", "/livez", None)[0] == 200
        time.sleep(0.01)
    return False


def _use(lived: Lived, port: int, *, erases: bool) -> None:
    """Every kind of write, in the same order each time; and decisions, which go on whatever happens.
    ``erases``: there is a catalogue, and somebody to erase."""
    events = [_track(n, KEPT if n % 2 else f"p{n}") for n in range(1, 5)]
    for each in events:
        _events(lived, port, [each])
    _events(lived, port, [_track(100 + n, f"p{n % 7}") for n in range(50)])
    if (decided := _decide(lived, port)) and erases:
        seen = {"decisionId": decided, "positions": [0, 1], "messageId": "seen"}
        _write(lived, port, "POST", "/v1/impressions", seen)
    consent = {"userId": SILENT, "purpose": "personalisation", "state": "withdrawn"}
    lived.withdrawn = (
        _write(lived, port, "POST", "/v1/consent", consent | {"method": "form"}) == 200
    )
    if erases:
        lived.erased = _write(lived, port, "DELETE", f"/v1/people/{GONE}", None) == 200
    _events(lived, port, [_track(200, KEPT)])
    _decide(lived, port)


def _track(n: int, who: str) -> dict[str, Any]:
    return {
        "type": "track",
        "event": "Product Viewed",
        "messageId": f"m{n}",
        "userId": who,
        "properties": {"product_id": f"lamp-{n % 5 + 1}"},
    }


def _events(lived: Lived, port: int, batch: list[dict[str, Any]]) -> None:
    lived.sent += batch
    begun_s = time.monotonic()
    if _write(lived, port, "POST", "/v1/batch", {"batch": batch}) == 200:
        lived.acked |= {each["messageId"]: each["userId"] for each in batch}
        lived.acked_s.append(begun_s)


def _write(lived: Lived, port: int, method: str, path: str, body: Any) -> int:
    """A request that writes; its status, or 0 where the server is gone."""
    try:
        status, said = _call(port, method, path, body)
    except (OSError, http.client.HTTPException):
        return 0
    if status == 200:
        return status
    lived.refusals.append(status)
    if status not in REFUSED or not said.get("code") or not said.get("message"):
        lived.odd.append(f"{method} {path}: {status} {said}")
    return status


def _decide(lived: Lived, port: int) -> str:
    """A decision's id: decisions are answered as long as there is a server that can store something, now or
    when there is room."""
    asked = {"person": {"userId": KEPT}, "surfaces": [{"surface": "home-grid"}]}
    try:
        status, said = _call(port, "POST", "/v1/decide", asked)
    except (OSError, http.client.HTTPException):
        return ""
    if status != 200:
        if status == 503 and lived.fault.what == "EIO":
            return ""
        lived.odd.append(f"decide: {status} {said}")
        return ""
    return str(said["decisions"][0]["decisionId"])


def _call(port: int, method: str, path: str, body: Any) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    headers = {"Authorization": "Basic " + b64encode(f"{SERVER_KEY}:".encode()).decode()}
    with contextlib.closing(connection):
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        with connection.getresponse() as answer:
            said = answer.read()
            text = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(said) if text else {}


SCENARIOS = (
    Scenario("serve", served),
    Scenario("first start", partial(served, erases=False), fresh=True),
    Scenario("seal", command("seal")),
    Scenario("snapshot", command("snapshot")),
    Scenario("erase", command("erase", GONE, "--yes")),
    Scenario("rebuild", command("rebuild")),
)
