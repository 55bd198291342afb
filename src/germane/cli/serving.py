"""``serve`` and ``rebuild``."""

from __future__ import annotations

import contextlib
import errno
import gc
import logging
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from germane.cli import common
from germane.cli.chores import Chores
from germane.cli.common import many
from germane.cli.project import print_findings
from germane.domain.errors import ConfigInvalid, GermaneError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from germane.config import Runtime


GC_THRESHOLDS = (20_000, 20, 50)
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection, so that none sends into one that was just closed."""
SWITCH_S = 0.0005
"""The writer thread waits for the interpreter no longer than this when a commit is through."""


def serve(config: Path, data: Path | None, host: str | None, port: int | None) -> None:
    """Serve until stopped."""
    from germane.api.auth import Keys
    from germane.api.server import build
    from germane.app import open_engine, save_snapshot
    from germane.app.back import way_back
    from germane.app.channels import ways_of
    from germane.app.inbox import Waiting
    from germane.app.postbox import Postbox
    from germane.config import audit, audit_delivery

    loaded = common.load(config)
    runtime = loaded.runtime
    require_keys(runtime)
    set_up_logging(runtime.log)
    folder = common.data_dir(loaded, config, data)
    listener = listen(host or runtime.host, runtime.port if port is None else port)
    out = common.console()
    engine = open_engine(loaded.settings, folder)
    try:
        findings = audit(loaded.settings, engine.catalogue.values(), engine.world.now_ms())
        findings += audit_delivery(loaded.settings.delivery)
        print_findings([each for each in findings if each.level == "error"], out)
        address = "http://{}:{}".format(*listener.getsockname()[:2])
        out.print(
            f"[bold green]Germane[/] listens on [bold]{address}[/] "
            f"(API: {address}/docs, data: {folder})"
        )
        if runtime.browser_decisions == "anonymous":
            out.print(f"A page that shows it at work: {address}/example")
        out.print("Keys: GERMANE_WRITE_KEY and GERMANE_SERVER_KEY in .env. Ctrl-C stops.")
        post = Postbox(engine, loaded.channels, runtime.content)
        waiting = Waiting(engine, post.why)
        app = build(
            engine,
            Keys(runtime.write_key, runtime.server_key),
            allowed_origins=runtime.allowed_origins,
            anonymous=runtime.browser_decisions == "anonymous",
            back=way_back(engine, loaded.channels, post.answers, post.sent_ms),
            inbox=waiting,
            streamed=waiting,
            delivery=post.delivery(),
            ways=ways_of(loaded.channels),
        )
        chores = Chores(engine, config, folder, runtime.training)
        chores.start()
        try:
            run_server(http_server(app, grace_s=10), listener)
        finally:
            chores.close()
        save_snapshot(engine, folder)
        out.print("Stopped; everything that was acknowledged is on the disk.")
    finally:
        engine.store.close()


def http_server(app: ASGIApp, *, grace_s: int) -> uvicorn.Server:
    """What speaks HTTP; when it stops, requests under way have ``grace_s`` to end."""
    import uvicorn

    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=grace_s,
        )
    )


def run_server(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until someone stops it; a stop is the normal end, not an error."""
    tune()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no end in mid-air
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn raises it again when it is done
        server.run(sockets=[listener])


def tune() -> None:
    """Set the interpreter up for a long life with much in memory and a thread that writes."""
    sys.setswitchinterval(SWITCH_S)
    gc.collect()
    gc.freeze()  # what was loaded stays: no collection need look at it again, which took 20 ms
    gc.set_threshold(*GC_THRESHOLDS)


def require_keys(runtime: Runtime) -> None:
    """Raises ConfigInvalid without keys."""
    if not runtime.write_key or not runtime.server_key:
        raise ConfigInvalid(
            "There are no keys.",
            hint="Set GERMANE_WRITE_KEY and GERMANE_SERVER_KEY, in .env beside the configuration or in the "
            "environment, to two long random texts that differ. `germane init` writes them to a new project.",
        )
    if runtime.write_key == runtime.server_key:
        raise ConfigInvalid(
            "The write key and the server key are the same.",
            hint="The write key is public: choose another one.",
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises like ``bound``."""
    listener = bound(host, port)
    listener.listen(2048)
    return listener


def bound(host: str, port: int) -> socket.socket:
    """A socket that has its address for itself, and does not listen yet.

    Raises:
        GermaneError: the address is taken or not ours.
    """
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise GermaneError(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            hint="Another `germane serve` may run there already; or choose another port with --port."
            if error.errno in (errno.EADDRINUSE, errno.EACCES)
            else "Choose another address with --host.",
        ) from None
    return listener


def set_up_logging(form: str) -> None:
    """Log lines on standard error: pretty for people, JSON (UTC) for machines."""
    import structlog

    shared: list[Any] = [
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
    if form == "json":  # a line a request: straight to the stream, not through two sets of handlers
        structlog.configure(
            processors=[
                *shared,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_json_line),
            ],
            logger_factory=structlog.WriteLoggerFactory(sys.stderr),
            cache_logger_on_first_use=True,
        )
        return
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _json_line(value: object, **_: object) -> str:
    return msgspec.json.encode(value, enc_hook=repr).decode()


def rebuild_all(config: Path, data: Path | None, *, as_json: bool) -> None:
    """Fold the log again."""
    from germane.app import rebuild, save_rebuilt
    from germane.cli.bulk import progress

    with common.opened(config, data, mode="write", made=True) as engine:
        total = engine.store.counts()["records"]
        with progress(total, "Folding the log", quiet=as_json) as advance:
            done = 0

            def tell(count: int) -> None:
                nonlocal done
                advance(count - done)
                done = count

            report = rebuild(engine, tell)
        loaded = common.load(config)
        save_rebuilt(report, common.data_dir(loaded, config, data), loaded.settings)
    if as_json:
        common.print_json(
            {
                "records": report.records,
                "equal": report.equal,
                "why": "" if report.equal else report.why,
                "ledgerKept": report.ledger_kept,
                "stateHash": report.state_hash_after,
                "modelHash": report.model_after,
                "settledLetters": report.letters,
            }
        )
        return
    same = (
        "the same as before"
        if report.equal
        else f"different from before: {report.why or 'the log has changed since'}"
    )
    common.console().print(
        f"[bold green]Rebuilt[/] from {many(report.records, 'record')}: the state is {same}."
    )
    if not report.ledger_kept:
        common.console().print(
            "[bold red]The ledger of consent is another one than before[/]: lines that it had are not in "
            "the log any more, or others are. Compare with a backup."
        )
    if report.letters:
        common.console().print(f"Dead letters settled by it: {report.letters:,}.")


def seal_all(config: Path, data: Path | None, *, as_json: bool) -> None:
    """Seal until nothing old is left in the log."""
    moved = 0
    with common.opened(config, data, mode="write", made=True) as engine:
        while count := engine.seal():
            moved += count
    if as_json:
        common.print_json({"moved": moved})
        return
    common.console().print(f"[bold green]Sealed[/] {many(moved, 'record')} into history.")
