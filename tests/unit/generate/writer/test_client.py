"""The client against a real server that behaves, fails, stalls, floods and talks nonsense."""

from __future__ import annotations

import time

import pytest

from germane.domain.errors import WriterFailed
from germane.domain.settings import WriterSpec
from germane.generate.writer.client import ask
from tests.unit.generate.writer import endpoint as server

TALK = [{"role": "user", "content": "Hi"}]


def asked(
    *behaviours: server.Behaviour, timeout_s: int = 10, key: str = ""
) -> tuple[str, server.Endpoint]:
    with server.endpoint(*behaviours) as there:
        return ask(WriterSpec(there.url, "small", key, timeout_s), TALK), there


def test_it_behaves() -> None:
    said, there = asked(server.says("Hello"), key="sesame")
    assert said == "Hello"
    (request,) = there.asked
    assert request["path"] == "/v1/chat/completions"
    assert request["headers"]["Authorization"] == "Bearer sesame"
    assert request["body"]["model"] == "small"
    assert request["body"]["messages"] == TALK
    assert request["body"]["stream"] is False


@pytest.mark.parametrize("status", [429, 500, 503])
def test_busy_is_asked_again(status: int) -> None:
    said, there = asked(server.fails(status, Retry_After="0"), server.says("Hello"))
    assert said == "Hello"
    assert len(there.asked) == 2


@pytest.mark.parametrize(
    ("status", "words"), [(401, "GERMANE_WRITER_KEY"), (404, "url"), (302, "elsewhere"), (429, "")]
)
def test_errors_tell_the_remedy(status: int, words: str) -> None:
    with pytest.raises(WriterFailed) as failed:
        asked(server.fails(status, Retry_After="0", Location="http://127.0.0.1:1/"))
    assert str(status) in failed.value.message
    assert words in failed.value.hint


def test_a_long_wait_is_not_waited() -> None:
    began = time.monotonic()
    with pytest.raises(WriterFailed):
        asked(server.fails(503, Retry_After="3600"), timeout_s=2)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize("behaviour", [server.stalls, server.trickles])
def test_it_stalls(behaviour: server.Behaviour) -> None:
    """The time is for the whole answer, however it comes."""
    with server.endpoint(behaviour) as there:
        began = time.monotonic()
        with pytest.raises(WriterFailed) as failed:
            ask(WriterSpec(there.url, "small", "", 1), TALK)
        took = time.monotonic() - began
    assert took < 3
    assert "within 1 s" in failed.value.message


@pytest.mark.parametrize(
    "behaviour",
    [
        server.floods,
        server.streams,
        server.hangs_up,
        server.raw(b""),
        server.raw(b"<html>Bad gateway</html>"),
        server.raw(b"\xff\xfe\x00"),
        server.raw(b"[" * 100_000),
        server.raw(b'{"choices": []}'),
        server.raw(b'{"choices": [{"message": {"content": null}}]}'),
        server.raw(b'{"choices": {"a": 1}}'),
    ],
)
def test_nonsense(behaviour: server.Behaviour) -> None:
    with pytest.raises(WriterFailed):
        asked(behaviour)


def test_nobody_is_there() -> None:
    with pytest.raises(WriterFailed) as failed:
        ask(WriterSpec("http://127.0.0.1:1/v1", "small", "", 2), TALK)
    assert "cannot be reached" in failed.value.message
