"""``germane demo shop``: import nine months, serve, replay the rest of the year through the API."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from dataclasses import dataclass
from importlib.resources import files
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from germane.app import AcceleratedWorld, Engine, open_engine, save_snapshot
from germane.cli.common import CLOCK, many
from germane.cli.demo.journey import SPLIT_MS, Journey
from germane.config import Loaded, load
from germane.domain.errors import GermaneError, WrongUse
from germane.domain.record import Txn
from germane.storage.sqlite.connection import FolderLock

if TYPE_CHECKING:
    import uvicorn


CURSOR = "demo.imported"
GROUP = 500


@dataclass(slots=True)
class Demo:
    """One run of the demo."""

    folder: Path
    port: int
    speed: float
    """Simulated days per real minute."""
    browser: bool
    until: str


def run(folder: Path, port: int, speed: float, *, fresh: bool, browser: bool, until: str) -> int:
    """Run until stopped; the exit code."""
    from germane.cli.common import console
    from germane.cli.serving import bound

    if until not in ("import", "replay", "never"):
        raise WrongUse(f"--until {until} is not known.", hint="One of: import, replay, never.")
    demo = Demo(folder, port, speed, browser, until)
    out = console()
    journey = Journey()
    _may_use(folder, fresh=fresh)
    loaded = _project(folder)
    # before the import, which takes minutes: a port that is taken is told at once
    listener = None if until == "import" else bound(loaded.runtime.host, port)
    try:
        if fresh:
            shutil.rmtree(folder)
            loaded = _project(folder)
        out.print("[bold]Germane demo: a real shop[/] (dunnhumby, The Complete Journey, 2017)")
        return _run(demo, loaded, journey, listener, out)
    finally:
        if listener is not None:
            listener.close()


def _run(
    demo: Demo, loaded: Loaded, journey: Journey, listener: socket.socket | None, out: Any
) -> int:
    """Import what is not there yet, then serve, if there is where to listen."""
    folder = demo.folder
    world = AcceleratedWorld(SPLIT_MS, 0.0)
    engine = open_engine(loaded.settings, folder / loaded.runtime.data, world=world)
    try:
        try:
            imported = _import(engine, journey)
        except KeyboardInterrupt:
            out.print(
                "Stopped. Start again with the same command: the import goes on where it stopped."
            )
            raise
        if imported:
            save_snapshot(engine, folder / loaded.runtime.data)
        if listener is None:
            return 0
        _resume_clock(engine, world, demo.speed)
        return _serve(demo, engine, world, loaded, listener, out)
    finally:
        engine.store.close()


def _may_use(folder: Path, *, fresh: bool) -> None:
    """The demo uses a folder that is new, empty or its own: never a project, nor a folder with a ``.env``.

    Raises:
        GermaneError: it is another folder.
        StorageBusy: it is to be removed, and a demo runs in it.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    config = folder / "germane.toml"
    mark = _declared().partition("\n")[0]
    if not config.is_file() or not config.read_text("utf-8", "replace").startswith(mark):
        raise GermaneError(
            f"{folder} is not a demo's folder; nothing in it was changed.",
            hint="Choose another one with --data; a new one is made.",
        )
    data = folder / load(config, os.environ).runtime.data
    if fresh and data.exists():
        FolderLock(data).release()


def _declared() -> str:
    """The demo's germane.toml."""
    return files("germane.cli.demo").joinpath("shop.toml").read_text("utf-8")


def _project(folder: Path) -> Loaded:
    from germane.cli.project import write_keys

    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "germane.toml"
    if not config.exists():
        config.write_text(_declared())
        write_keys(folder / ".env")
    return load(config, os.environ)


def _import(engine: Engine, journey: Journey) -> bool:
    """Catalogue and history, going on where it was stopped; whether anything was new."""
    from germane.app.apart import importer_for
    from germane.cli.progress import progress

    done = int(engine.store.meta(CURSOR) or b"-1")
    total = journey.first_live
    if done >= total:
        return False
    with (
        progress(total, "Nine months of history: baskets") as advance,
        importer_for(engine, "demo", total, group=5_000) as importer,
    ):
        if done < 0:
            items = journey.items()
            while part := list(islice(items, GROUP)):
                importer.add_items(part)
            importer.add(list(journey.people()))
            importer.mark(CURSOR, b"0")
            importer.mark(CLOCK, str(SPLIT_MS).encode())
            importer.flush()
            done = 0
        advance(done)
        pending = []
        for number, basket in enumerate(journey.baskets(done, total), done + 1):
            pending.append(basket.event())
            if len(pending) == GROUP or number == total:
                importer.add(pending)
                importer.mark(CURSOR, str(number).encode())  # commits with what it counts
                importer.flush()
                advance(len(pending))
                pending = []
    return True


def _resume_clock(engine: Engine, world: AcceleratedWorld, speed: float) -> None:
    """Simulated time goes on where it stood."""
    stood = int(engine.store.meta(CLOCK) or str(SPLIT_MS).encode())
    world.rebase(stood, speed * 24 * 60)


def _serve(
    demo: Demo,
    engine: Engine,
    world: AcceleratedWorld,
    loaded: Loaded,
    listener: socket.socket,
    out: Any,
) -> int:
    from germane.api.auth import Keys
    from germane.api.server import build
    from germane.cli.chores import Chores
    from germane.cli.logs import set_up_logging
    from germane.cli.serving import http_server, run_server
    from germane.console.live import Live

    set_up_logging(loaded.runtime.log)
    keys = Keys(loaded.runtime.write_key, loaded.runtime.server_key)
    live = Live(engine, keys, SPLIT_MS)
    app = build(engine, keys, extra_routes=live.routes(), access_log=False)
    listener.listen(2048)
    port = listener.getsockname()[1]
    page = f"http://{loaded.runtime.host}:{port}/console/live"
    server = http_server(app, grace_s=3)
    live.leaving = lambda: bool(server.should_exit)
    driver = _driver(port, loaded, demo)
    chores = Chores(
        engine,
        demo.folder / "germane.toml",
        demo.folder / loaded.runtime.data,
        loaded.runtime.training,
    )
    try:
        chores.start()
        _tell_first(driver, server)
        watcher = threading.Thread(target=_watch, args=(driver, server, demo.until), daemon=True)
        watcher.start()
        out.print(
            f"\nThe loop is live: [bold green]{page}[/]   (Ctrl-C stops; start again to go on)"
        )
        if demo.browser and _has_display():
            webbrowser.open(page)
        run_server(server, listener)
    finally:
        _stop(driver)
        chores.close()
        engine.store.commit(Txn(meta={CLOCK: str(world.now_ms()).encode()}))
        save_snapshot(engine, demo.folder / loaded.runtime.data)
    stats = engine.stats()
    out.print(
        f"\nStopped at {live.simulated_date()}. {many(stats['events_total'], 'event')} and "
        f"{many(stats['decisions_total'], 'decision')} in this run; all of it is on the disk."
    )
    out.print("Start again with the same command to go on, or with --fresh to begin anew.")
    return 0


def _driver(port: int, loaded: Loaded, demo: Demo) -> subprocess.Popen[bytes]:
    """The shop: a process of its own that knows nothing but the public API."""
    environment = os.environ | {
        "GERMANE_WRITE_KEY": loaded.runtime.write_key,
        "GERMANE_SERVER_KEY": loaded.runtime.server_key,
        "GERMANE_URL": f"http://{loaded.runtime.host}:{port}",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "germane.cli.demo.driver"],
        env=environment,
        start_new_session=True,
    )


def _tell_first(driver: subprocess.Popen[bytes], server: uvicorn.Server) -> None:
    """Ctrl-C: the shop ends its trips while the server still answers; then the server stops, too."""
    at_once = server.handle_exit

    def told() -> None:
        _stop(driver)
        server.should_exit = True

    def leave(number: int, frame: FrameType | None) -> None:
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, at_once)  # a second one does not wait for the shop
        threading.Thread(target=told, daemon=True).start()

    server.handle_exit = leave  # type: ignore[assignment,method-assign]


def _watch(driver: subprocess.Popen[bytes], server: Any, until: str) -> None:
    """When the replay is over, say so, or stop if asked to."""
    code = driver.wait()
    if until == "replay" or code not in (0, -signal.SIGTERM):
        server.should_exit = True


def _stop(driver: subprocess.Popen[bytes]) -> None:
    if driver.poll() is None:
        driver.terminate()
        try:
            driver.wait(5)
        except subprocess.TimeoutExpired:
            driver.kill()


def _has_display() -> bool:
    return sys.platform in ("darwin", "win32") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )
