"""``serve --project NAME=FILE``: several projects in one server, and what they must not share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from germane.api.places import NAME, prefix_of
from germane.cli.served import Served, Source, opened
from germane.domain.errors import ConfigInvalid, WrongUse

if TYPE_CHECKING:
    from germane.api.projects import Project
    from germane.config import Loaded

_ENVIRONMENT = (
    "What is set in the environment counts for every project: unset it there, and write it into the .env "
    "beside each configuration."
)


def sources(given: Sequence[str]) -> list[Source]:
    """The projects, in the order in which they were named; nothing is opened yet.

    Raises:
        WrongUse: a name that is none, or that comes twice.
        ConfigInvalid: a configuration is wrong, or two projects share what must be one's own.
    """
    found: dict[str, Source] = {}
    for name, config in map(_named, given):
        if name in found:
            raise WrongUse(
                f"Two projects are called {name}.",
                hint="Give each a name of its own: it is part of its address.",
            )
        found[name] = Source.read(config, name=name)
    each_their_own(list(found.values()))
    return list(found.values())


def _named(text: str) -> tuple[str, Path]:
    name, mark, config = text.partition("=")
    if not mark or not config:
        raise WrongUse(
            f"--project {text} names no configuration.",
            hint="Write NAME=FILE: --project shop=shop/germane.toml.",
        )
    if not NAME.fullmatch(name):
        raise WrongUse(
            f"{name!r} cannot be the name of a project.",
            hint="Use 1 to 63 small letters, digits and dashes, with a letter or a digit first: it is part of "
            "its address.",
        )
    return name, Path(config)


def each_their_own(projects: Sequence[Source]) -> None:
    """Raises ConfigInvalid: two have the same data folder, or anything that opens both."""
    folders: dict[Path, str] = {}
    secrets: dict[str, tuple[str, str]] = {}
    for each in projects:
        folder = each.folder.resolve()
        other = folders.setdefault(folder, each.name)
        if other != each.name:
            raise ConfigInvalid(
                f"The projects {other} and {each.name} have the same data folder: {folder}.",
                hint=f"Set data under [server] of {each.config} to a folder of its own. {_ENVIRONMENT}",
            )
        for what, secret in _secrets(each.loaded):
            owner, before = secrets.setdefault(secret, (each.name, what))
            if owner != each.name:
                raise ConfigInvalid(
                    f"{_upper(before)} of the project {owner} is {what} of the project {each.name}: it would "
                    "open both.",
                    hint=f"Give {each.name} one of its own. {_ENVIRONMENT}",
                )


def _secrets(loaded: Loaded) -> Iterator[tuple[str, str]]:
    """Whatever lets somebody in, by what it is called."""
    runtime, channels = loaded.runtime, loaded.channels
    yield "the write key", runtime.write_key
    yield "the server key", runtime.server_key
    links = (channels.links.key, *channels.links.former_keys)
    named = [("a key of links", each) for each in links]
    named += [("the key of SendGrid", channels.sendgrid_key)]
    named += [("the secret of Postmark", channels.postmark_secret)]
    named += [("a topic of SES", each) for each in channels.ses_topics]
    yield from ((what, each) for what, each in named if each)


def _upper(text: str) -> str:
    return text[0].upper() + text[1:]


def place(
    projects: Sequence[Source], host: str | None, port: int | None
) -> tuple[str, int, list[str]]:
    """Where to listen: as the options say, else as the first project does. What others say otherwise, and does
    not count, is told, a line each."""
    first, *others = (each.loaded.runtime for each in projects)
    notes = []
    for source, runtime in zip(projects[1:], others, strict=True):
        rows = (
            ("host", first.host, runtime.host, host is None),
            ("port", first.port, runtime.port, port is None),
            ("log", first.log, runtime.log, True),
        )
        notes += [
            f"{source.config} says {what} = {said}: there is one server, and what counts is {what} = {taken} "
            f"of {projects[0].config}."
            for what, taken, said, asked in rows
            if asked and said != taken
        ]
    notes += [each for each in map(_led_elsewhere, projects) if each]
    return first.host if host is None else host, first.port if port is None else port, notes


def _led_elsewhere(source: Source) -> str:
    """That links in messages may lead past the project; empty: they lead to it."""
    base, prefix = source.loaded.channels.links.base_url, prefix_of(source.name)
    if not base or base.endswith(prefix):
        return ""
    return (
        f"{source.config} has links lead to {base}: it takes a proxy that leads them on to {prefix}, or "
        "a base_url that ends so."
    )


def strangers(projects: Sequence[Served]) -> None:
    """Raises ConfigInvalid: what one has in its data folder opens another. That is so of a copy of a folder,
    which has the made keys, operators and seals of the first."""
    from germane.app.keys import ApiKeys

    for number, each in enumerate(projects):
        for other in projects[:number]:
            if each.engine.key == other.engine.key:
                raise ConfigInvalid(
                    f"The data folder of the project {each.name} is a copy of that of {other.name}: keys, "
                    "tokens and links of one would open the other.",
                    hint="Begin with a new data folder, and import what it is to know; or serve the copy by a "
                    "server of its own.",
                )
    for each in projects:
        made = ApiKeys(each.engine)
        for other in projects:
            runtime = other.source.loaded.runtime
            if other is not each and (
                made.known(runtime.write_key) or made.known(runtime.server_key)
            ):
                raise ConfigInvalid(
                    f"A key in the configuration of the project {other.name} was made for the project "
                    f"{each.name}: it would open both.",
                    hint=f"Write two long random texts into the .env beside {other.source.config}.",
                )


def serve_all(given: Sequence[str], host: str | None, port: int | None) -> None:
    """Serve several until stopped.

    Raises:
        As ``sources`` and ``strangers``; StorageBusy: another process has one of the data folders.
    """
    from germane.api.projects import Projects
    from germane.cli import address, common
    from germane.cli.logs import set_up_logging
    from germane.cli.project import print_findings
    from germane.cli.serving import http_server, listen, run_server

    found = sources(given)
    where, number, notes = place(found, host, port)
    set_up_logging(found[0].loaded.runtime.log)
    listener = listen(where, number)
    host, port = listener.getsockname()[:2]
    out = common.console()
    with listener, ExitStack() as folders:
        projects = [folders.enter_context(opened(each)) for each in found]
        strangers(projects)
        out.print(f"[bold green]Germane[/] serves {common.many(len(projects), 'project')}:")
        for each in projects:
            at = address.of(str(host), int(port), prefix_of(each.name))
            out.print(f"  [bold]{each.name}[/] at [bold]{at}[/] (data: {each.source.folder})")
            print_findings(each.findings(), out)
        for note in notes:
            out.print(f"! {note}", style="yellow", markup=False)
        out.print("Keys are in the .env beside each configuration. Ctrl-C stops.")
        app = Projects({each.name: _project(each) for each in projects})
        with ExitStack() as kept:
            with ExitStack() as beside:
                for each in projects:
                    beside.enter_context(each.busy(str(host), int(port)))
                run_server(http_server(app, grace_s=10), listener)
            for each in projects:  # all of them, whatever becomes of one
                kept.callback(each.keep)
        out.print("Stopped; everything that was acknowledged is on the disk.")


def _project(each: Served) -> Project:
    from germane.api.projects import Project

    engine = each.engine
    return Project(
        each.app(), lambda: bool(engine.health()["ready"]), bool(engine.settings.privacy.gpc)
    )
