"""A real server in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.driving import site

WRITE_KEY, SERVER_KEY = "test-write-key", "test-server-key-of-thirty-two-or-more"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def germane(*arguments: str, cwd: Path | None = None, **environment: str) -> Any:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "germane", *arguments],
        cwd=cwd,
        text=True,
        capture_output=True,
        env=os.environ | environment,
        check=False,
        timeout=300,
    )


class Server:
    """`germane serve` on a recipe's project."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = environment
        self.config = folder / "germane.toml"
        self.data_dir = folder / "germane-data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.write_key, self.server_key = WRITE_KEY, SERVER_KEY
        self.log = folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None
        self.api = httpx.Client(base_url=self.url, auth=(SERVER_KEY, ""), timeout=30)

    def command(self) -> list[str]:
        """What runs."""
        where = [
            "--config",
            str(self.config),
            "--data",
            str(self.data_dir),
            "--port",
            str(self.port),
        ]
        return [sys.executable, "-m", "germane", "serve", *where]

    def start(self) -> Server:
        """Start and wait until it can serve."""
        environment = os.environ | {
            "GERMANE_WRITE_KEY": WRITE_KEY,
            "GERMANE_SERVER_KEY": SERVER_KEY,
            "GERMANE_SERVER__LOG": "json",
            **self.environment,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                env=environment,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                if self.api.get("/readyz").status_code == 200:
                    return self
            except httpx.HTTPError:
                time.sleep(0.02)
            assert self._process.poll() is None, self.log.read_text()
        raise AssertionError(self.log.read_text())

    def stop(self) -> int:
        """Ctrl-C; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Stop if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self.stop()
        self.api.close()

    def person(self, person_id: str) -> dict[str, Any]:
        """What the server knows of someone."""
        answer = self.api.get(f"/v1/people/{person_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def letters(self) -> list[dict[str, Any]]:
        """Dead letters."""
        found: list[dict[str, Any]] = self.api.get("/v1/dead-letters?limit=1000").json()[
            "deadLetters"
        ]
        return found

    def counter(self, name: str) -> float:
        """A metric's value."""
        for line in self.api.get("/metrics").text.splitlines():
            if line.startswith(f"{name} "):
                return float(line.split()[1])
        raise AssertionError(name)


def a_project(folder: Path, **environment: str) -> Path:
    """`germane init --recipe shop` and its catalogue."""
    made = germane("init", str(folder), "--recipe", "shop", cwd=None, **environment)
    assert made.returncode == 0, made.stderr
    imported = germane("import", "catalogue", "catalogue.csv", "--json", cwd=folder, **environment)
    assert imported.returncode == 0, imported.stderr
    assert json.loads(imported.stdout)["accepted"] == 64
    return folder


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A fresh server for one test."""
    opened = Server(a_project(tmp_path / "shop")).start()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the tests of a module."""
    opened = Server(a_project(tmp_path_factory.mktemp("project") / "shop")).start()
    yield opened
    opened.close()


@pytest.fixture
def shop_page(tmp_path: Path) -> Iterator[str]:
    """A web page of another origin that loads the published browser client from its package."""
    with site(tmp_path / "page") as address:
        yield address
