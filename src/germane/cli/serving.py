"""``serve`` and ``rebuild``."""

from __future__ import annotations

import errno
import gc
import signal
import socket
import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from germane.cli import common
from germane.cli.common import DEFAULT_CONFIG, Config, Data, many
from germane.cli.logs import set_up_logging
from germane.cli.openfiles import files_raised
from germane.cli.project import print_findings
from germane.cli.served import Source, opened
from germane.domain.errors import GermaneError, WrongUse

if TYPE_CHECKING:
    import uvicorn

    from germane.api.connection import Connection
    from germane.api.overload import Application

GC_THRESHOLDS = (1_000, 5, 800)
"""How much is new until the collector looks at it. It looks at each thing once while it is young and once more
when it has stayed, however often it comes: but what it looks at in one go, everybody waits for. Five thousand
things take about a millisecond, and there is next to nothing for it to find."""
KEEP_ALIVE_S = 75
"""Longer than clients keep an idle connection, so that none sends into one that was just closed."""
ACCEPTED = 32
"""Connections taken in at once. The event loop takes one of each listening socket between two rounds of work:
with one socket alone, a server that has much to do would starve whoever comes new."""
OTHER_FILES = 512
"""Open files that are no connections: the database, history, logs, ways out."""
SWITCH_S = 0.0005
"""The writer thread waits for the interpreter no longer than this when a commit is through."""


def serve(
    context: typer.Context,
    config: Config = DEFAULT_CONFIG,
    data: Data = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on; 0: any free one.", min=0, max=65535)
    ] = None,
    project: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=FILE, once for each of several projects: a name, and the configuration file. Each is "
            "served under /p/NAME."
        ),
    ] = None,
) -> None:
    """Take events and answer decisions over HTTP."""
    if not project:
        serve_one(config, data, host, port)
        return
    said = context.get_parameter_source("config")
    if data is not None or (said is not None and said.name != "DEFAULT"):
        raise WrongUse(
            "--project says where a project is: --config and --data (GERMANE_CONFIG, GERMANE_DATA) do not go "
            "with it.",
            hint="Leave them out; the data folder is that under [server] of each configuration.",
        )
    from germane.cli.projects import serve_all

    serve_all(project, host, port)


def serve_one(config: Path, data: Path | None, host: str | None, port: int | None) -> None:
    """Serve one project until stopped."""
    from germane.api.snippet import first_grid

    source = Source.read(config, data)
    runtime = source.loaded.runtime
    set_up_logging(runtime.log)
    listener = listen(host or runtime.host, runtime.port if port is None else port)
    out = common.console()
    with listener, opened(source) as served:
        print_findings(served.findings(), out)
        where = listener.getsockname()[:2]
        address = "http://{}:{}".format(*where)
        out.print(
            f"[bold green]Germane[/] listens on [bold]{address}[/] "
            f"(API: {address}/docs, data: {source.folder})"
        )
        if runtime.browser_decisions == "anonymous" and first_grid(source.loaded.settings):
            out.print(f"A page that shows it at work: {address}/example")
        out.print("Keys: GERMANE_WRITE_KEY and GERMANE_SERVER_KEY in .env. Ctrl-C stops.")
        app = served.app()
        with served.busy(*where):
            run_server(http_server(app, grace_s=10), listener)
        served.keep()
        out.print("Stopped; everything that was acknowledged is on the disk.")


def http_server(app: Application, *, grace_s: int) -> uvicorn.Server:
    """What speaks HTTP; when it stops, requests under way have ``grace_s`` to end."""
    import uvicorn

    from germane.api.connection import Connection, Room
    from germane.api.overload import Overload

    overload = Overload(app.traffic)
    room = Room(overload, connections=most_connections())
    return uvicorn.Server(
        uvicorn.Config(
            overload.over(app),
            http=cast("type[Connection]", partial(Connection, room=room)),
            callback_notify=room.look,
            timeout_notify=1,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=grace_s,
        )
    )


def most_connections() -> int:
    """How many there may be at once: as many files as this process may have open are asked for, and some are
    left for everything else."""
    from germane.api.connection import CONNECTIONS

    files = files_raised(CONNECTIONS + OTHER_FILES)
    return CONNECTIONS if files is None else min(CONNECTIONS, max(files // 2, files - OTHER_FILES))


def run_server(server: uvicorn.Server, listener: socket.socket) -> None:
    """Serve until someone stops it; a stop is the normal end, not an error.

    Raises:
        GermaneError: it could not start.
    """
    tune()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: no end in mid-air
    with ExitStack() as sockets:
        also = [sockets.enter_context(listener.dup()) for _ in range(ACCEPTED - 1)]
        try:
            server.run(sockets=[listener, *also])
        except (
            SystemExit
        ):  # uvicorn's word for it, and its exit code would mean something else here
            raise GermaneError(
                "The server could not start.", hint="The log above says why."
            ) from None
        except KeyboardInterrupt:  # uvicorn raises it again when it is done
            pass


def tune() -> None:
    """Set the interpreter up for a long life with much in memory and a thread that writes."""
    sys.setswitchinterval(SWITCH_S)
    # What was loaded stays: no collection need look at it again, which took 20 ms; nor once before,
    # which would make every start longer, for a thousand objects of ninety thousand.
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


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


def rebuild_all(config: Path, data: Path | None, *, as_json: bool) -> None:
    """Fold the log again."""
    from germane.app import rebuild, save_rebuilt
    from germane.cli.progress import progress

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
