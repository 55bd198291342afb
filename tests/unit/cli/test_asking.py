"""`germane decide` while a server has the data folder open: it asks that one, or says what to do."""

from __future__ import annotations

import json
import threading
from base64 import b64decode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from germane.app import open_engine
from germane.cli import address, asking, common
from germane.domain.errors import GermaneError
from germane.domain.settings import TraitSpec
from germane.testing import a_shop, an_event
from tests.unit.storage.test_trouble import largest_file

ANSWER = {"decisions": [], "profile": {"readiness": 0.5}}


class Other(BaseHTTPRequestHandler):
    """Whatever listens on a port."""

    status: ClassVar[int] = 200
    said: ClassVar[bytes] = b""
    asked: ClassVar[list[Any]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        key = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
        self.asked.append((self.path, key, json.loads(body)))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.said)

    def do_GET(self) -> None:
        key = b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()
        self.asked.append((self.path, key, None))
        self.send_response(self.status)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where it listens."""
    monkeypatch.setattr(Other, "asked", [])
    server = HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def config(tmp_path: Path) -> Iterator[Path]:
    """A project whose data folder is open elsewhere."""
    path = tmp_path / "germane.toml"
    path.write_text(files("germane.recipes").joinpath("shop/germane.toml").read_text("utf-8"))
    (tmp_path / ".env").write_text("GERMANE_SERVER_KEY=secret\n")
    engine = open_engine(common.load(path).settings, tmp_path / "germane-data")
    yield path
    engine.store.close()


def ask(config: Path) -> None:
    """What the command does."""
    asking.decide("ann", {"surface": "home-grid"}, config, None, record=False, as_json=True)


def test_the_running_server_is_asked(
    config: Path, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On the port that the environment says, with our key."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", str(port))
    monkeypatch.setattr(Other, "said", json.dumps(ANSWER).encode())
    ask(config)
    assert json.loads(capsys.readouterr().out) == ANSWER
    ((path, key, body),) = Other.asked
    assert (path, key, body["person"]) == ("/v1/decide", "secret:", {"userId": "ann"})
    assert body["record"] is False, "a look from the shell leaves no trace"


def test_the_running_server_is_asked_for_a_moment(
    config: Path, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its route; an id is one part of the path, whatever is in it."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", str(port))
    monkeypatch.setattr(Other, "said", b'{"best": []}')
    asking.moment("a/b?c", 24, 2, config, None, as_json=True)
    assert json.loads(capsys.readouterr().out) == {"best": []}
    wanted = ("/v1/people/a%2Fb%3Fc/moment?hours=24&top=2", "secret:", None)
    assert Other.asked == [wanted]


@pytest.mark.parametrize(
    ("status", "said", "why"),
    [
        (401, b'{"message": "no", "hint": "no"}', "another server: it does not know our key"),
        (404, b"<html>", "no Germane server (status 404)"),
        (405, b"[]", "no Germane server (status 405)"),
        (200, b"<html>", "nothing that is a Germane server answers"),
    ],
)
def test_somebody_else_listens(
    config: Path, port: int, monkeypatch: pytest.MonkeyPatch, status: int, said: bytes, why: str
) -> None:
    """A server on another port is not found by itself; it is said how to find it."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", str(port))
    monkeypatch.setattr(Other, "status", status)
    monkeypatch.setattr(Other, "said", said)
    with pytest.raises(GermaneError) as caught:
        ask(config)
    assert why in caught.value.message
    assert f"another port than {port}, say so: GERMANE_SERVER__PORT=" in caught.value.hint


def test_nobody_listens(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, and it may be an import that has the folder."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", "1")
    with pytest.raises(GermaneError) as caught:
        ask(config)
    assert "nothing that is a Germane server answers at http://127.0.0.1:1" in caught.value.message
    assert "If it is an import, wait" in caught.value.hint


def test_what_the_server_says_is_passed_on(
    config: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of the question is no trouble of finding it."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", str(port))
    monkeypatch.setattr(Other, "status", 404)
    monkeypatch.setattr(Other, "said", b'{"message": "No such surface.", "hint": "Look."}')
    with pytest.raises(GermaneError) as caught:
        ask(config)
    assert (caught.value.message, caught.value.hint) == ("No such surface.", "Look.")


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),  # noqa: S104
        ("::", "[::1]"),
        ("::1", "[::1]"),
        ("shop", "shop"),
    ],
)
def test_where_to_ask(host: str, asked: str) -> None:
    """An address to listen on is not always one to ask."""
    assert address.of(host, 8400) == f"http://{asked}:8400"
    assert address.of(host, 80, "/p/shop") == f"http://{asked}:80/p/shop"


def test_the_address_that_the_server_wrote(
    config: Path, port: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It counts, whatever the configuration says; when it is gone, the configuration counts."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", "1")
    monkeypatch.setattr(Other, "said", json.dumps(ANSWER).encode())
    folder = config.parent / "germane-data"
    address.write(folder, address.of("127.0.0.1", port, "/p/shop"))
    ask(config)
    assert json.loads(capsys.readouterr().out) == ANSWER
    assert Other.asked[0][:2] == ("/p/shop/v1/decide", "secret:")
    address.forget(folder)
    with pytest.raises(GermaneError, match=r"http://127\.0\.0\.1:1:"):
        ask(config)


@pytest.mark.parametrize("left", ["", "http://127.0.0.1:84", "h", "\n", "what is this\n"])
def test_an_address_that_was_not_written_whole(
    config: Path,
    port: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    left: str,
) -> None:
    """Says nothing: the configuration counts."""
    monkeypatch.setenv("GERMANE_SERVER__PORT", str(port))
    monkeypatch.setattr(Other, "said", json.dumps(ANSWER).encode())
    (config.parent / "germane-data" / address.FILE).write_text(left)
    ask(config)
    assert json.loads(capsys.readouterr().out) == ANSWER


def test_a_full_disk_leaves_no_address(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither a part of the new one nor the old one."""
    address.write(tmp_path, "http://127.0.0.1:1")
    with largest_file(4):
        address.write(tmp_path, address.of("127.0.0.1", 8400))
    assert "will not find this server" in caplog.text
    assert list(tmp_path.iterdir()) == []
    assert address.read(tmp_path) == ""


def test_a_time_zone_that_is_not_known_is_told_as_such(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is shown as it was told, and that it counts for nothing."""
    shop = a_shop()
    shop = replace(shop, traits=shop.traits | {"timezone": TraitSpec("timezone")})
    engine = open_engine(shop, tmp_path / "data")
    for user, zone in (("ann", "Europe/Vienna"), ("bob", "+02:00")):
        told = {"timezone": zone}
        engine.accept_now([an_event("", kind="identify", user=user, traits=told)])
    said = []
    for user in ("ann", "bob"):
        found = engine.person(user)
        assert found is not None
        asking._show_person(found)
        said.append("no time zone that is known" in " ".join(capsys.readouterr().out.split()))
    assert said == [False, True]
    engine.store.close()
