"""The line of a request is what structlog's own chain would make of it."""

from __future__ import annotations

import io
import logging
import re
import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.contextvars import bound_contextvars, merge_contextvars
from structlog.processors import JSONRenderer, add_log_level

from germane.cli import lines
from germane.cli.logs import set_up_logging

AT = "2026-11-30T09:12:55.276523Z"
NOW = lines._now
SAID = {"method": "POST", "route": "/v1/track", "status": 200, "ms": 0.38, "request_id": "21c9677f"}
REQUESTS = st.fixed_dictionaries(
    {"method": st.text(), "route": st.text(), "status": st.integers()},
    optional={"ms": st.floats(), "request_id": st.text(" \"'=\n\t%(s)d\0a"), "more": st.none()},
)


class Stream(io.StringIO):
    """Standard error: a screen, or not."""

    def __init__(self, *, screen: bool) -> None:
        super().__init__()
        self._screen = screen

    def isatty(self) -> bool:
        return self._screen


@pytest.fixture(autouse=True)
def _set_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The time stands still; what was set up is as it was afterwards."""

    monkeypatch.setattr(lines, "_now", lambda: AT)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    names = ("uvicorn", "uvicorn.error")
    levels = [logging.getLogger(name).level for name in names]
    yield
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, each in zip(names, levels, strict=True):
        logging.getLogger(name).setLevel(each)


def written(form: str, *requests: dict[str, Any], screen: bool = False) -> str:
    """What requests leave on standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream := Stream(screen=screen))
        set_up_logging(form)
        log = structlog.get_logger("germane.access")
        for said in requests:
            log.info("request", **said)
    return stream.getvalue()


def test_the_time_is_written_as_the_chain_does() -> None:
    """To the microsecond, in UTC."""
    chains = structlog.processors.TimeStamper(fmt="iso", utc=True)(None, "", {})["timestamp"]
    for each in (chains, NOW()):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z", each)


def chained(form: str, said: dict[str, Any], *, screen: bool = False) -> str:
    """The same by structlog's chain."""

    def at(_: Any, __: str, event: Any) -> Any:
        return event | {"timestamp": AT}

    event: Any = {**said, "event": "request"}
    for each in (merge_contextvars, add_log_level, at):
        event = each(None, "info", event)
    if form == "json":
        return JSONRenderer(lambda value, **_: msgspec.json.encode(value, enc_hook=repr).decode())(
            None, "info", event
        ) + "\n"  # fmt: skip
    return structlog.dev.ConsoleRenderer(colors=screen)(None, "info", event) + "\n"


def test_a_line_for_machines() -> None:
    assert written("json", SAID) == (
        '{"method":"POST","route":"/v1/track","status":200,"ms":0.38,"request_id":"21c9677f",'
        '"event":"request","level":"info","timestamp":"2026-11-30T09:12:55.276523Z"}\n'
    )


def test_a_line_for_people() -> None:
    assert written("pretty", SAID) == (
        "2026-11-30T09:12:55.276523Z [info     ] request                        method=POST ms=0.38 "
        "request_id=21c9677f route=/v1/track status=200\n"
    )


@pytest.mark.parametrize("screen", [False, True])
@pytest.mark.parametrize("form", ["json", "pretty"])
@pytest.mark.parametrize("project", ["", "shop", "a b%"])
@given(requests=st.lists(REQUESTS, min_size=1, max_size=3))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_line_is_the_chains(
    form: str, project: str, requests: list[dict[str, Any]], *, screen: bool
) -> None:
    """Whatever is said, with colours and without, in a project and in none; the second is like the first."""
    with bound_contextvars(project=project) if project else nullcontext():
        told = "".join(chained(form, said, screen=screen) for said in requests)
        assert written(form, *requests, screen=screen) == told


def test_a_log_that_cannot_be_written_ends_no_request() -> None:
    class Full(Stream):
        def write(self, _: str) -> int:
            raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", Full(screen=False))
        set_up_logging("json")
        structlog.get_logger("germane.access").info("request", **SAID)


def test_what_others_log_has_the_same_form() -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stream := Stream(screen=False))
        set_up_logging("json")
        logging.getLogger("germane.connections").warning("cut %d", 3)
    said = msgspec.json.decode(stream.getvalue(), type=dict[str, Any])
    assert (said["event"], said["level"]) == ("cut 3", "warning")
