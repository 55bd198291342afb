"""The thinnest server, against which the speed of Germane is held, takes what it is sent."""

from __future__ import annotations

from pathlib import Path

import httpx

from benchmarks.speed.servers import Thin


def test_what_the_thin_server_answers_was_appended(tmp_path: Path) -> None:
    server = Thin(tmp_path / "thin")
    try:
        answer = httpx.post(f"{server.url}/v1/track", content=b'{"event":"x"}')
    finally:
        server.close()
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert (tmp_path / "thin" / "log").read_bytes() == b'{"event":"x"}\n'


def test_it_answers_with_what_it_was_given_and_appends_nothing(tmp_path: Path) -> None:
    constant = tmp_path / "constant"
    constant.write_bytes(b"always this")
    server = Thin(tmp_path / "thin", constant=constant)
    try:
        answer = httpx.post(server.url, content=b"x")
    finally:
        server.close()
    assert (answer.status_code, answer.content) == (200, b"always this")
    assert not (tmp_path / "thin" / "log").exists()
