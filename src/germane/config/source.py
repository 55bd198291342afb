"""The file itself: found, readable, UTF-8, TOML; what is wrong is said with its line and in plain words."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from germane.config.problems import Problem, invalid
from germane.domain.encodings import is_utf16
from germane.domain.errors import ConfigInvalid

_PLACE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_SECRET = re.compile(
    r"^\s*(?:write|server|writer|password|secret|former_secret|dkim_key|key|former_keys)\s*="
)
_HINTS: tuple[tuple[str, str, str], ...] = (
    (
        r"=\s*[+-]?\d[\d._]*,\d",
        "A number has a comma.",
        "Write decimals with a point, and no separator of thousands: 0.5, 1000.",
    ),
    (r"[“”„‘’«»]", "A quotation mark is not the plain one.", 'Use " or \' around texts.'),
    (
        r"^[^#\"'=]*=\s*(?:True|False|TRUE|FALSE|yes|no|on|off|Yes|No)\b",
        "That is no flag.",
        "Flags are true or false, in small letters and without quotes.",
    ),
    (r"=\s*(?:None|null|nil)\b", "There is no such value.", "Leave the line out instead."),
    (r"^\s*[\w.\"-]+\s*:", "A colon stands for an equals sign.", "Write key = value, like size = 12."),
    (r"=\s*\d+(?:\.\d+)?\s*%", "A share is written with a percent sign.", "Write 0.15 for 15 %."),
    (r"=\s*\d+(?:s|m|h|d|w)\s*(?:#|$)", "A duration has no quotes.", 'Write it as text: "7d".'),
    (r"=\s*[+-]?0\d", "A number begins with a zero.", "Leave the zero out: 8, not 08."),
    (r"=\s*[+-]?(?:\.\d|\d+\.(?!\d))", "A decimal has digits on both sides of the point.", "Write 0.5 or 5.0."),
    (r"^\s*\[[^\]]*$", "A bracket is not closed.", "Write [table] or [[table]]."),
    (r"=\s*(?:#|$)", "There is no value.", "Write one after the equals sign, or leave the line out."),
    (r"=\s*[A-Za-z_][^\"'\[\]{}=]*$", "A text has no quotes.", 'Put it between quotes: name = "shop".'),
)  # fmt: skip
"""What people write by habit: how the line looks, what is wrong with it, what to do."""


_PARSER: tuple[tuple[str | tuple[str, ...], str, str], ...] = (
    (
        ("Unterminated", "Illegal character '\\n'", "Expected '\"'", 'Expected "\'"'),
        "A text is not closed.",
        "Put the closing quotation mark.",
    ),
    ("Expected '=' after", "An equals sign is missing after the name.", "Write key = value."),
    (
        ("Expected ']'", "Invalid initial character"),
        "A name has a sign that needs quotes, or a bracket is not closed.",
        'Write [table], and quotes around names with other signs than letters, digits, - and _: ["a.b"].',
    ),
    (
        "Expected newline or end of document",
        "Something follows the value.",
        "Write one setting a line; a comment begins with #.",
    ),
    ("Invalid value", "The value is none.", 'Texts need quotes, lists brackets: "a", ["a", "b"].'),
    ("Invalid statement", "The line begins with no name.", "Write key = value, or [table]."),
    ("Found invalid character", "There is a sign that cannot be seen.", "Write the line anew."),
    ("Unclosed array", "A list is not closed, or lacks a comma.", 'Write ["a", "b"].'),
    (
        "Unclosed inline table",
        "A brace is not closed, or lacks a comma.",
        "Write { a = 1, b = 2 }.",
    ),
)
"""How the parser says it, what that means, and what to do."""


def read_text(path: Path) -> str:
    """The text of a file, without a byte-order mark.

    Raises:
        ConfigInvalid: it cannot be read, or is not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ConfigInvalid(
            f"There is no {path}.",
            hint="Make a project with `germane init DIR --recipe shop`, or name the file with --config.",
        ) from None
    except IsADirectoryError:
        raise ConfigInvalid(
            f"{path} is a folder, not a file.",
            hint=f"Name the file in it: --config {path / 'germane.toml'}.",
        ) from None
    except NotADirectoryError:
        raise ConfigInvalid(
            f"There is no {path}: a part of the path is a file.", hint="Correct the path."
        ) from None
    except PermissionError:
        raise ConfigInvalid(
            f"{path} may not be read by this user.",
            hint=f"Allow it, for example with chmod u+r {path}, or run as its owner.",
        ) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigInvalid(f"{path} cannot be read: {why}.", hint="Correct the path.") from None
    return _decode(raw, path)


def _decode(raw: bytes, path: Path) -> str:
    if is_utf16(raw):
        raise ConfigInvalid(f"{path} is UTF-16, not UTF-8.", hint=_SAVE)
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8", "replace")) + 1
        raise invalid(
            [
                Problem(
                    f"{path}, line {line}, column {column}",
                    f"byte 0x{raw[error.start]:02x}",
                    "It is not valid UTF-8.",
                    _SAVE,
                )
            ]
        ) from None


_SAVE = "Save the file as UTF-8: editors offer it under Save as, or Encoding."


def parse(text: str, name: str = "") -> dict[str, Any]:
    """The tables of a TOML text; ``name`` is how to call its file in errors.

    Raises:
        ConfigInvalid: it is no TOML; the one error names file, line, column and remedy.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        raise invalid([_explained(str(error), text, name)]) from None
    except ValueError:  # an integer of thousands of digits
        where = name or "the configuration"
        raise invalid(
            [Problem(where, None, "A number has too many digits.", "Write a smaller one.")]
        ) from None
    except RecursionError:
        where = name or "the configuration"
        raise invalid(
            [Problem(where, None, "Lists or tables are nested too deeply.", "Nest them less.")]
        ) from None


def _explained(message: str, text: str, name: str) -> Problem:
    found = _PLACE.search(message)
    lines = text.split("\n")
    said = message[: found.start()] if found else message
    if found and found[1]:
        line, column = int(found[1]), int(found[2])
    else:
        line, column = len(lines), len(lines[-1]) + 1
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    problem, remedy = _in_words(said, lines[line - 1] if line <= len(lines) else "")
    place = f"line {line}, column {column}"
    return Problem(
        f"{name}, {place}" if name else place,
        None if not shown or _SECRET.match(shown) else shown[:120],
        problem,
        remedy,
    )


def _in_words(said: str, line: str) -> tuple[str, str]:
    """What is wrong and what to do, from the parser's message and the line."""
    if said.startswith(("Cannot overwrite a value", "Duplicate inline table key")):
        return "The key stands here a second time.", "Keep one of the two."
    if said.startswith(("Cannot declare", "Cannot mutate immutable", "Cannot redefine")):
        return (
            "The table was begun before, in another way.",
            "Put all settings of a table under one heading; lists of tables have double brackets.",
        )
    if "Unescaped '\\'" in said:
        return (
            "A backslash stands in a text between double quotes.",
            "Use single quotes ('C:\\data'), or write it twice.",
        )
    bare = line.split(" #", maxsplit=1)[0]
    for pattern, problem, remedy in _HINTS:
        if re.search(pattern, bare):
            return problem, remedy
    for start, problem, remedy in _PARSER:
        if said.startswith(start):
            return problem, remedy
    return f"It is not valid TOML: {said[:160]}.", "Write key = value, with quotes around texts."
