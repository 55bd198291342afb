"""Log lines of a server."""

from __future__ import annotations

import logging
import sys
from typing import Any


def set_up_logging(form: str) -> None:
    """Log lines on standard error: pretty for people, JSON (UTC) for machines."""
    import structlog

    from germane.cli.lines import Pretty, Straight, as_json

    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,  # which project, where there are several
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
    )
    handler = logging.StreamHandler()
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(  # a line a request: straight to the stream, not through two sets of handlers
        processors=[as_json if form == "json" else Pretty(colors=sys.stderr.isatty())],
        wrapper_class=Straight,
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
