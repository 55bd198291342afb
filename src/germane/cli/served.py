"""One project that is served: opened, its application, what is done beside it, closed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from germane.api.places import prefix_of
from germane.cli import address, common
from germane.cli.chores import Chores
from germane.cli.openfiles import files_raised
from germane.domain.errors import ConfigInvalid, GermaneError

if TYPE_CHECKING:
    from germane.api.server import Edge
    from germane.app import Engine
    from germane.config import Finding, Loaded, Runtime


@dataclass(frozen=True, slots=True)
class Source:
    """Where a project is."""

    config: Path
    loaded: Loaded
    folder: Path
    """The data folder."""
    name: str = ""
    """Among several of one server; empty: it has the server for itself."""

    @classmethod
    def read(cls, config: Path, data: Path | None = None, name: str = "") -> Source:
        """A project that has what serving takes.

        Raises:
            ConfigInvalid: the configuration is wrong, or there are no keys.
        """
        loaded = common.load(config)
        try:
            require_keys(loaded.runtime)
        except ConfigInvalid as error:
            if name:
                _tell(error, f"The project {name}: {error.message}")
            raise
        return cls(config, loaded, common.data_dir(loaded, config, data), name)


class Served:
    """A project with its data folder open; nothing of it is known to another one."""

    def __init__(self, source: Source, engine: Engine) -> None:
        self.source = source
        self.engine = engine

    @property
    def name(self) -> str:
        """Among several of one server."""
        return self.source.name

    def findings(self) -> list[Finding]:
        """What is wrong with the data, surfaces and delivery."""
        from germane.cli.project import data_findings
        from germane.config import audit, audit_delivery
        from germane.config.audit_purposes import audit_purposes

        settings = self.source.loaded.settings
        found = audit(settings, self.engine.catalogue.values(), self.engine.world.now_ms())
        found = data_findings(self.engine, self.source.folder) + found
        found += audit_delivery(settings.delivery)
        found += audit_purposes(
            settings.privacy,
            self.source.loaded.channels.links.purposes,
            self.engine.library.campaigns.values(),
            self.engine.answers(),
        )
        return [each for each in found if each.level == "error"]

    def app(self) -> Edge:
        """Its application; the engine and what sends start and stop with it.

        Raises:
            ConfigInvalid, NoLibrary: a way out is configured that cannot be used.
        """
        from germane.api.auth import Keys
        from germane.api.server import build
        from germane.app.back import way_back
        from germane.app.channels import ways_of
        from germane.app.inbox import Waiting
        from germane.app.postbox import Postbox

        engine, runtime = self.engine, self.source.loaded.runtime
        if engine.library.contents:
            import germane.generate.render  # noqa: F401 - nobody's message waits until it is loaded
        channels = self.source.loaded.channels
        post = Postbox(engine, channels, runtime.content, prefix_of(self.name))
        waiting = Waiting(engine, post.why)
        return build(
            engine,
            Keys(runtime.write_key, runtime.server_key),
            allowed_origins=runtime.allowed_origins,
            anonymous=runtime.browser_decisions == "anonymous",
            back=way_back(engine, channels, post.answers, post.sent_ms),
            inbox=waiting,
            streamed=waiting,
            delivery=post.delivery(),
            ways=ways_of(channels),
            project=self.name,
        )

    @contextmanager
    def busy(self, host: str, port: int) -> Iterator[None]:
        """While it is served: chores are done beside it, and commands find it."""
        source = self.source
        chores = Chores(
            self.engine, source.config, source.folder, source.loaded.runtime.training, self.name
        )
        address.write(source.folder, address.of(host, port, prefix_of(self.name)))
        chores.start()
        try:
            yield
        finally:
            chores.close()
            address.forget(source.folder)

    def keep(self) -> None:
        """A snapshot, so that the next start is quick."""
        from germane.app import save_snapshot

        save_snapshot(self.engine, self.source.folder)


@contextmanager
def opened(source: Source) -> Iterator[Served]:
    """The data folder is open, for this process alone.

    Raises:
        StorageBusy: another process has it. Whatever else keeps it from being opened; of one among several it
        is said which.
    """
    from germane.app import open_engine

    files_raised()
    try:
        people = source.loaded.runtime.people_in_memory
        engine = open_engine(source.loaded.settings, source.folder, people_in_memory=people)
    except GermaneError as error:
        if source.name:
            _tell(error, f"The project {source.name} cannot be opened. {error.message}")
        raise
    try:
        yield Served(source, engine)
    finally:
        engine.store.close()


def _tell(error: GermaneError, message: str) -> None:
    """The same error in other words."""
    error.message, error.args = message, (message,)


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
