"""Where commands about content, campaigns and messages ask: the data folder, or the server that has it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from germane.cli import common
from germane.cli.asking import said_no, there
from germane.domain.errors import StorageBusy, WrongUse

if TYPE_CHECKING:
    from germane.app import Engine

Answer = dict[str, Any]
Ask = Callable[[str, str, "Answer | None"], Answer]
HERE = "On the command line."
"""The reason that is recorded where none was given."""
NO_SERVER = "No server has this data folder: nothing goes out before `germane serve`."


class Desk:
    """Takes the requests of the API; ``served`` tells whether a server answers them."""

    def __init__(self, ask: Ask, *, served: bool) -> None:
        self._ask = ask
        self.served = served

    def get(self, *path: str, **query: str | int) -> Answer:
        """``GET``; what is empty in the query is left out.

        Raises:
            GermaneError: it was refused, with the message and the hint of the API.
        """
        asked = urlencode({name: each for name, each in query.items() if each != ""})
        return self._ask("GET", _path(path) + (f"?{asked}" if asked else ""), None)

    def post(self, *path: str, **body: Any) -> Answer:
        """``POST``. Raises as ``get``."""
        return self._ask("POST", _path(path), body)

    def put(self, *path: str, body: Answer) -> Answer:
        """``PUT``. Raises as ``get``."""
        return self._ask("PUT", _path(path), body)

    def delete(self, *path: str) -> Answer:
        """``DELETE``. Raises as ``get``."""
        return self._ask("DELETE", _path(path), None)


def _path(parts: tuple[str, ...]) -> str:
    return "/v1/" + "/".join(quote(each, safe="") for each in parts)


@contextmanager
def reading(config: Path, data: Path | None) -> Iterator[Desk]:
    """To look at what is there: it reads beside a server, and disturbs nobody.

    Raises:
        NotFound: there is no data folder.
    """
    with common.opened(config, data, mode="read") as engine:
        yield Desk(_inside(engine, config), served=False)


@contextmanager
def writing(
    config: Path, data: Path | None, *, made: bool = True, operator: str = ""
) -> Iterator[Desk]:
    """To change something: in the data folder, or by the server that has it. What was answered is durable.

    Args:
        config: The configuration file.
        data: The data folder, if it is another one than the configuration's.
        made: Whether the data folder must be there; else it is made.
        operator: In whose name; empty: nobody's.

    Raises:
        NotFound: there is no data folder, and it must be there.
        GermaneError: another process has it, and no server of ours answers.
    """
    with ExitStack() as stack:
        try:
            engine = stack.enter_context(common.opened(config, data, mode="write", made=made))
        except StorageBusy:
            yield Desk(
                lambda method, path, body: there(
                    config, data, path, body, method=method, operator=operator
                ),
                served=True,
            )
            return
        yield Desk(_inside(engine, config, operator), served=False)


def _inside(engine: Engine, config: Path, operator: str = "") -> Ask:
    from germane.api.inside import Inside
    from germane.app.back import way_back
    from germane.app.channels import ways_of

    channels = common.load(config).channels
    inside = Inside(engine, ways_of(channels), way_back(engine, channels))

    def ask(method: str, path: str, body: Answer | None) -> Answer:
        status, said = inside.ask(method, path, body, operator=operator)
        if status >= 400:
            raise said_no(status, said)
        return said

    return ask


def agreed(question: str, *, yes: bool, remedy: str = "Add --yes.") -> bool:
    """Whether something that cannot be undone is meant.

    Args:
        question: To a person at a terminal.
        yes: It was said on the command line.
        remedy: What to do where there is nobody to ask.

    Raises:
        WrongUse: there is nobody to ask.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise WrongUse(f"{question} There is nobody to ask.", hint=remedy)
    import typer

    if typer.confirm(question):
        return True
    common.console().print("Nothing was changed.")
    return False


def may_write(path: Path, *, yes: bool) -> bool:
    """Whether a file that is there may be another one.

    Raises:
        WrongUse: there is nobody to ask.
    """
    remedy = "Add --yes, or name another file."
    return not path.is_file() or agreed(
        f"{path} is there already. Overwrite it?", yes=yes, remedy=remedy
    )
