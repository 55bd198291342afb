"""Asking addresses whether they answer: for `germane content check --links`."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import NamedTuple

TIMEOUT_S = 5.0
TOGETHER = 4
"""Addresses that are asked at the same time."""
_NO_HEAD = (403, 405, 501)


class Answer(NamedTuple):
    """What came of it."""

    good: bool
    text: str


def asked(addresses: Mapping[str, list[str]]) -> dict[str, tuple[list[str], Answer]]:
    """Address -> who uses it, and what it answered; in the order given."""
    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(ask, addresses))
    return {
        url: (users, answer)
        for (url, users), answer in zip(addresses.items(), answers, strict=True)
    }


def ask(url: str) -> Answer:
    """One address: HEAD, and GET where that is not answered; redirects are followed."""
    answer = _ask(url, "HEAD")
    if not answer.good and any(answer.text.startswith(f"status {each}") for each in _NO_HEAD):
        answer = _ask(url, "GET")
    return answer


def _ask(url: str, method: str) -> Answer:
    request = urllib.request.Request(  # noqa: S310 - only http and https come here
        url, method=method, headers={"User-Agent": "germane-link-check"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as found:  # noqa: S310 - same
            moved = f", from {found.url}" if found.url != url else ""
            return Answer(True, f"status {found.status}{moved}.")
    except urllib.error.HTTPError as error:
        error.close()
        return Answer(False, f"status {error.code}.")
    except (OSError, HTTPException, ValueError) as error:
        return Answer(False, f"no answer ({getattr(error, 'reason', None) or error}).")
