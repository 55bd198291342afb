"""Errors for people: a message, a hint, an exit code (0 done, 1 failed, 2 wrong use, 3 configuration, 4 done in
part).

``germane check`` itself answers 1 to a wrong configuration: finding that out is what it is for.
"""

from __future__ import annotations

import errno
import logging

import msgspec
import typer

from germane.domain.errors import ConfigInvalid, GermaneError, StorageDamaged, WrongUse

FAILED, WRONG_USE, BAD_CONFIG, IN_PART, INTERRUPTED = 1, 2, 3, 4, 130


def guarded(app: typer.Typer) -> int:
    """Run the program; the exit code."""
    try:
        result = app(standalone_mode=False)
    except typer.Exit as done:
        return int(done.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        _say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        return FAILED
    except Exception as error:
        told = explained(error)
        if told is not None:
            return tell(told)
        show = getattr(error, "show", None)
        if show is None:  # not wrong use, but a bug: its trace is what a report needs
            raise
        show()
        return int(getattr(error, "exit_code", WRONG_USE))
    if result == INTERRUPTED:  # Typer makes this of Ctrl-C, and says nothing
        _say("Stopped.")
    return int(result) if isinstance(result, int) else 0


def set_up_warnings() -> None:
    """Warnings of the engine as plain lines; `serve` sets up a log of its own. Events that cannot be
    folded are not among them: a command counts them in its summary, and the dead letters have them."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(lambda record: record.name != "germane.app.letters")
    logging.getLogger().addHandler(handler)


def explained(error: Exception) -> GermaneError | None:
    """What went wrong, for people; None if it is a bug."""
    if isinstance(error, GermaneError):
        return error
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        if error.errno == errno.ENOSPC:
            return GermaneError(f"{where}The disk is full.", hint="Make room, and try again.")
        return GermaneError(
            f"{where}{error.strerror}.",
            hint="The system refused it: look at the place and its rights.",
        )
    if isinstance(
        error, msgspec.DecodeError
    ):  # input is checked where it comes in: this was stored
        return StorageDamaged(f"The data folder is damaged: a record cannot be read ({error}).")
    return None


def tell(error: GermaneError) -> int:
    """Print it; the exit code."""
    from rich.markup import escape

    _say(f"[bold red]Error[/] {escape(error.message)}")
    if error.hint:
        _say(f"[dim]→[/] {escape(error.hint)}")
    if isinstance(error, ConfigInvalid):
        return BAD_CONFIG
    return WRONG_USE if isinstance(error, WrongUse) else FAILED


def _say(text: str) -> None:
    from rich.console import Console

    Console(stderr=True, highlight=False, soft_wrap=True, emoji=False).print(text)
