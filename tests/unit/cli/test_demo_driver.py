"""The demo's replay counts whole trips in their order, once, and goes on behind the last of them."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
import uvicorn
from segment.analytics.request import APIError

from germane.cli.demo import driver, journey, shop
from germane.cli.demo.journey import Basket
from germane.domain.errors import GermaneError, StorageBusy, WrongUse
from germane.storage.sqlite import SqliteStore

AT_MS = 1_500_000_000_000
TRIPS = 28


class Year:
    """Thirty trips of five households; the first two are history."""

    first_live = 2

    def __len__(self) -> int:
        return TRIPS + 2

    def baskets(self, first: int = 0, last: int | None = None) -> Iterator[Basket]:
        for number in range(first, TRIPS + 2 if last is None else last):
            yield Basket(f"b{number}", f"h{number % 5}", AT_MS, "1", [("p1", 1.0, 2.0)])


class Server:
    """Answers as the real one does, until it does not."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.tracked: list[str] = []
        self.report: dict[str, Any] = {}
        self.blind = False
        self.on: Callable[[str], None] = lambda _: None
        self._offset = 0
        self._lock = threading.Lock()

    def answer(self, request: httpx.Request) -> httpx.Response:
        path, body = request.url.path, json.loads(request.content or b"{}")
        self.on(body.get("messageId", path))
        with self._lock:
            return httpx.Response(200, json=self._said(path, body))

    def _said(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        if path == "/console/live/progress":
            done = self.report.get("done", 0)
            clock = {"nowMs": AT_MS + 1, "speed": 1}
            return clock | {"replayed": done, "report": self.report}
        if path == "/console/live/report":
            self.report = body
        if path == "/v1/impressions":
            again = body["messageId"] in self.seen
            self.seen.add(body["messageId"])
            self._offset += not again
            return {"offset": self._offset, "duplicates": int(again)}
        offset = 0 if self.blind else self._offset
        made = {"decisionId": "d", "items": [{"itemId": "p1"}], "personOffset": offset}
        return {"decisions": [made]}

    def track(self, *, message_id: str, **_: Any) -> None:
        self.on(message_id)
        with self._lock:
            self._offset += 1
            self.tracked.append(message_id)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for a server that is gone."""
    monkeypatch.setattr(driver, "RETRY_S", 0.001)


def replay(server: Server) -> tuple[driver.Shop, driver.Replay]:
    """One start of the driver."""
    shop = driver.Shop("http://shop", "w", "s")
    shop.api = httpx.Client(transport=httpx.MockTransport(server.answer), base_url="http://shop")
    shop._tracker = lambda: server  # type: ignore[assignment,method-assign,return-value]
    return shop, driver.Replay(shop, Year())  # type: ignore[arg-type]


def failing(where: str, error: Exception) -> Callable[[str], None]:
    """The call with this id never comes through."""

    def on(name: str) -> None:
        if name == where:
            raise error

    return on


def test_to_the_end() -> None:
    """Every trip once, scored and done."""
    server = Server()
    replay(server)[1].run()
    assert sorted(server.tracked) == sorted(f"basket-b{n}" for n in range(2, TRIPS + 2))
    assert (server.report["done"], server.report["slates"]) == (TRIPS, TRIPS)
    assert server.report["loop"]["unseen"] == 0
    assert len(server.report["trips"]) <= TRIPS


def test_an_order_that_is_not_seen() -> None:
    """The second answer must be newer than the impression: that much any answer is newer than."""
    server = Server()
    server.blind = True
    replay(server)[1].run()
    assert server.report["loop"]["unseen"] == TRIPS


@pytest.mark.parametrize(
    ("where", "error", "ends"),
    [
        ("basket-b12", APIError(503, "c", "the disk refuses"), APIError),
        ("basket-b12", requests.ConnectionError("refused"), driver.Gone),
        ("seen-b12", httpx.ConnectError("refused"), driver.Gone),
    ],
)
def test_a_trip_fails_in_the_middle(where: str, error: Exception, ends: type[Exception]) -> None:
    """No trip is passed over by the next start, and none is scored twice."""
    server = Server()
    server.on = failing(where, error)
    shop, first = replay(server)
    with pytest.raises(ends):
        first.run()
    assert shop.score.done == shop.score.slates == 10
    server.report = shop.score.report(TRIPS)
    server.on = lambda _: None
    replay(server)[1].run()
    assert set(server.tracked) == {f"basket-b{n}" for n in range(2, TRIPS + 2)}
    assert server.report["done"] == TRIPS
    begun_before = TRIPS - server.report["slates"]
    assert begun_before == len(server.tracked) - TRIPS + (where == "basket-b12")


def test_after_a_crash() -> None:
    """What was replayed since the last report is done again, and not scored with what it taught."""
    server = Server()
    replay(server)[1].run()
    server.report |= {"done": 20, "slates": 20, "hits": 20}
    replay(server)[1].run()
    assert (server.report["done"], server.report["slates"]) == (TRIPS, 20)


def test_told_to_stop() -> None:
    """What is under way ends well and is counted; the rest is for the next start."""
    server = Server()
    _, first = replay(server)
    server.on = lambda name: first.stop() if name == "basket-b12" else None
    first.run()
    done = server.report["done"]
    assert set(server.tracked) == {f"basket-b{n}" for n in range(2, 2 + done)}
    assert server.report["slates"] == done < TRIPS
    replay(server)[1].run()
    assert len(server.tracked) == server.report["slates"] == TRIPS


def test_the_shop_hears_of_it_first() -> None:
    """On Ctrl-C the server answers until the shop has gone."""
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    server = uvicorn.Server(uvicorn.Config(lambda: None))
    answering: list[bool] = []

    class Process:
        """A shop that takes its time."""

        def poll(self) -> None:
            return None

        def terminate(self) -> None:
            answering.append(not server.should_exit)

        def wait(self, timeout: float) -> None:
            gone.wait(timeout)

    gone = threading.Event()
    try:
        shop._tell_first(Process(), server)  # type: ignore[arg-type]
        server.handle_exit(signal.SIGINT, None)
        assert not server.should_exit
        gone.set()
        for each in threading.enumerate():
            if each.name.endswith("(told)"):
                each.join(10)
        assert server.should_exit
        assert answering == [True]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def test_a_stop_by_the_system_is_a_stop() -> None:
    """SIGTERM, as containers send it, ends a server as Ctrl-C does: what follows is still done."""
    program = (
        "import socket, os, signal, threading, time\n"
        "from germane.cli.serving import http_server, run_server\n"
        "async def app(scope, receive, send):\n"
        "    await receive(); await send({'type': 'lifespan.startup.complete'})\n"
        "    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "    await receive(); await send({'type': 'lifespan.shutdown.complete'})\n"
        "app.traffic = {}\n"
        "listener = socket.socket(); listener.bind(('127.0.0.1', 0)); listener.listen()\n"
        "run_server(http_server(app, grace_s=1), listener)\n"
        "print('stopped')\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "stopped\n"), ended.stderr


def test_a_port_that_is_taken_is_told_before_the_import(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not minutes later; nothing is imported."""
    monkeypatch.setattr(shop, "Journey", Year)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(GermaneError, match=f"Cannot listen on 127.0.0.1:{port}"):
            shop.run(tmp_path / "demo", port, 1.0, fresh=False, browser=False, until="never")
    assert not (tmp_path / "demo" / "germane-data").exists()


def test_fresh_takes_nothing_from_a_demo_that_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its folder stays, whether its port or only its folder is in use."""
    monkeypatch.setattr(shop, "Journey", Year)
    loaded = shop._project(tmp_path)
    data = tmp_path / loaded.runtime.data
    store = SqliteStore.open(data)
    with pytest.raises(StorageBusy):
        shop.run(tmp_path, 0, 1.0, fresh=True, browser=False, until="never")
    store.close()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(GermaneError, match="Cannot listen"):
            shop.run(
                tmp_path, other.getsockname()[1], 1.0, fresh=True, browser=False, until="never"
            )
    assert (data / "germane.db").exists()


@pytest.mark.parametrize("fresh", [False, True])
def test_a_folder_that_is_no_demos_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: bool
) -> None:
    """A project's, or one with somebody's keys: the demo writes nothing into it and removes nothing."""
    monkeypatch.setattr(shop, "Journey", Year)
    (tmp_path / ".env").write_text("SECRET=1\n")
    for text in (None, '[project]\nname = "mine"\n'):
        if text is not None:
            (tmp_path / "germane.toml").write_text(text)
        before = {each.name: each.read_text() for each in tmp_path.iterdir()}
        with pytest.raises(GermaneError, match="is not a demo's folder"):
            shop.run(tmp_path, 0, 1.0, fresh=fresh, browser=False, until="import")
        assert {each.name: each.read_text() for each in tmp_path.iterdir()} == before


@pytest.mark.parametrize(("said", "taken"), [("", 0), ("25", 25), ("007", 7)])
def test_so_many_households(said: str, taken: int) -> None:
    """A number from 1 on, or all."""
    assert journey._limit(said) == taken


@pytest.mark.parametrize("said", ["abc", "-3", "0", "2.5", "²", " 3"])
def test_no_number_of_households(said: str) -> None:
    """Is an error: all of them would be a surprise that takes minutes."""
    with pytest.raises(WrongUse, match="no number of households"):
        journey._limit(said)
