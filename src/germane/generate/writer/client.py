"""Asking an endpoint that speaks the OpenAI chat protocol, whatever it does: in time, and in bounds."""

from __future__ import annotations

import json
import ssl
import time
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from germane.domain.errors import WriterFailed
from germane.domain.settings import WriterSpec

ANSWER_MAX = 1_000_000
"""Bytes."""
TRIES = 3
BUSY = (408, 429, 500, 502, 503, 504)
"""Answers after which it is asked again."""


def ask(spec: WriterSpec, messages: list[dict[str, str]]) -> str:
    """What the model said.

    Raises:
        WriterFailed: no answer in time, an error, or nothing that is an answer.
    """
    until = time.monotonic() + spec.timeout_s
    body = json.dumps(
        {
            "model": spec.model,
            "messages": messages,
            "temperature": 0.8,
            "stream": False,
            "response_format": {"type": "json_object"},
        }
    ).encode()
    for number in range(TRIES):
        status, headers, answer = _once(spec, body, until)
        if status not in BUSY:
            break
        wait_s = _wait_s(headers.get("retry-after", ""), number)
        if number == TRIES - 1 or time.monotonic() + wait_s >= until:
            break
        time.sleep(wait_s)
    if status != 200:
        raise WriterFailed(
            f"The writer answered {status}: {answer[:200].decode('utf-8', 'replace')!r}.",
            hint=_hint(status),
        )
    return _said(answer)


def _wait_s(retry_after: str, number: int) -> float:
    """Seconds until the next try: as it says, else a half, then one."""
    return float(retry_after) if retry_after.isdigit() else 0.5 * 2**number


def _hint(status: int) -> str:
    if status in (401, 403):
        return "Set GERMANE_WRITER_KEY to a key of that endpoint."
    if status in (301, 302, 307, 308):
        return "It points elsewhere: write the address that it names under [writer] url."
    if status == 404:
        return "Look at [writer] url (it often ends with /v1) and model."
    return WriterFailed.hint


def _once(spec: WriterSpec, body: bytes, until: float) -> tuple[int, dict[str, str], bytes]:
    """One request: status, headers, body. Redirects are not followed: the key goes to nobody else."""
    parts = urlsplit(spec.url)
    host, path = parts.hostname or "", f"{parts.path.rstrip('/')}/chat/completions"
    left = max(until - time.monotonic(), 0.001)
    link: HTTPConnection = (
        HTTPSConnection(host, parts.port, timeout=left, context=ssl.create_default_context())
        if parts.scheme == "https"
        else HTTPConnection(host, parts.port, timeout=left)
    )
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    if spec.key:
        headers["Authorization"] = f"Bearer {spec.key}"
    try:
        link.request("POST", path, body, headers)
        answer = link.getresponse()
        found = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, found, _read(link, answer, until, spec)
    except TimeoutError:
        raise _late(spec) from None
    except (OSError, HTTPException) as error:
        raise WriterFailed(
            f"The writer at {spec.url} cannot be reached: {error}.",
            hint="Start it, or look at [writer] url.",
        ) from None
    finally:
        link.close()


def _read(link: HTTPConnection, answer: HTTPResponse, until: float, spec: WriterSpec) -> bytes:
    """The body, as far as it comes in time: a trickle does not keep it open."""
    found = bytearray()
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise _late(spec)
        if link.sock is not None:
            link.sock.settimeout(left)
        piece = answer.read1(65_536)
        if not piece:
            return bytes(found)
        found += piece
        if len(found) > ANSWER_MAX:
            raise WriterFailed(f"The writer's answer is larger than {ANSWER_MAX:,} bytes.")


def _late(spec: WriterSpec) -> WriterFailed:
    return WriterFailed(
        f"The writer gave no answer within {spec.timeout_s} s.",
        hint="Allow more under [writer] timeout, or take a smaller model.",
    )


def _said(answer: bytes) -> str:
    """The text of the first choice.

    Raises:
        WriterFailed: there is none.
    """
    try:
        whole: Any = json.loads(answer)
        said = whole["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError, RecursionError):
        said = None
    if not isinstance(said, str):
        start = answer[:120].decode("utf-8", "replace")
        raise WriterFailed(f"The writer's answer is no chat completion: {start!r}.")
    return said
