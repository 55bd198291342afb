"""Errors for people: a message, a hint, an exit code (0 done, 1 failed, 2 wrong use, 3 configuration).

``germane check`` itself answers 1 to a wrong configuration: finding that out is what it is for.
"""

from __future__ import annotations

import typer

from germane.domain.errors import ConfigInvalid, GermaneError

INTERRUPTED = 130


def print_error(error: GermaneError) -> None:
    """Message and remedy, on standard error."""
    from rich.console import Console
    from rich.markup import escape

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    err.print(f"[bold red]Error[/] {escape(error.message)}")
    if error.hint:
        err.print(f"[dim]→[/] {escape(error.hint)}")


def guarded(app: typer.Typer) -> int:
    """Run the program; the exit code."""
    from rich.console import Console

    err = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        result = app(standalone_mode=False)
    except GermaneError as error:
        print_error(error)
        return 3 if isinstance(error, ConfigInvalid) else 1
    except typer.Exit as done:
        return int(done.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        err.print("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:
        return 1
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:  # not wrong use, but a bug: its trace is what a report needs
            raise
        show()
        return int(getattr(error, "exit_code", 2))
    return int(result) if isinstance(result, int) else 0
