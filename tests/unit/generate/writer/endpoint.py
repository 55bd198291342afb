"""A real HTTP endpoint that speaks the OpenAI chat protocol, or does everything else that one may do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """Keeps what it was asked, and behaves as it is told."""

    protocol_version = "HTTP/1.1"
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(
            {
                "path": self.path,
                "headers": dict(self.headers),
                "raw": body,
                "body": json.loads(body),
            }
        )
        behaviours = self.server.behaviours
        behaviour = behaviours.pop(0) if len(behaviours) > 1 else behaviours[0]
        try:
            behaviour(self)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def answer(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing on the terminal."""


class Endpoint(ThreadingHTTPServer):
    """One endpoint on a free port of this machine."""

    daemon_threads = True

    def __init__(self, behaviours: list[Behaviour]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviours, self.asked = behaviours, []
        self.asked: list[dict[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


@contextmanager
def endpoint(*behaviours: Behaviour) -> Iterator[Endpoint]:
    """It behaves in turn; the last way of behaving stays."""
    server = Endpoint(list(behaviours))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def says(text: str) -> Behaviour:
    """A chat completion with this text."""
    body = json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]}).encode()
    return lambda handler: handler.answer(body)


def drafts(*texts: str | dict[str, Any]) -> Behaviour:
    """A completion with drafts, as it was asked for."""
    rows = [{"text": each} if isinstance(each, str) else each for each in texts]
    return says(json.dumps({"variants": rows}))


def fails(status: int, **headers: str) -> Behaviour:
    return lambda handler: handler.answer(b'{"error": "no"}', status, **headers)


def raw(body: bytes) -> Behaviour:
    return lambda handler: handler.answer(body)


def stalls(handler: Handler) -> None:
    """It takes the request, and says nothing."""
    time.sleep(4)


def trickles(handler: Handler) -> None:
    """A byte now and then: no single read ever waits long."""
    handler.send_response(200)
    handler.send_header("Content-Length", "100000")
    handler.end_headers()
    for _ in range(80):
        handler.wfile.write(b" ")
        handler.wfile.flush()
        time.sleep(0.05)


def floods(handler: Handler) -> None:
    """An answer without end."""
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"ffff\r\n" + b"x" * 0xFFFF + b"\r\n")


def streams(handler: Handler) -> None:
    """Server-sent events, which nobody asked for."""
    handler.answer(b'data: {"choices": [{"delta": {"content": "Hi"}}]}\n\ndata: [DONE]\n\n')


def hangs_up(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.close()
