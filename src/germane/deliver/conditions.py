"""Conditions of campaigns, typed against what the project declares (``germane.domain.cel`` reads them).

An unknown name, a wrong type or a slip of the pen is found when a campaign is read, with its position and what
was probably meant. When they are looked at they cannot fail: what is missing makes them false, and the reason
says what. A look is over one event (32 kB) and one profile.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Collection

from germane.deliver.schema import ANY, WORDS, Root, declare, entries, names
from germane.deliver.view import View
from germane.domain import cel, expressions
from germane.domain.cel import Program, Type
from germane.domain.errors import BadCondition
from germane.domain.plan import Reason
from germane.domain.settings import Settings
from germane.domain.slips import Failure, Slip, spoken

ALL: tuple[Root, ...] = ("now", "local", "event", "profile", "account", "item", "own", "change")
KEPT = 512
"""Compiled conditions that are remembered."""


class Condition:
    """A compiled condition."""

    def __init__(self, program: Program, reads: tuple[str, ...]) -> None:
        self.source = program.source
        self.reads = reads
        """Names that it needs."""
        self._program = program

    def __call__(self, view: View) -> tuple[bool, Reason | None]:
        """Whether it holds, and where it does not, why. Never raises."""
        answer = self._program.look(view.values(self.reads))
        if answer is True:
            return True, None
        if isinstance(answer, Failure):
            return False, self._failed(answer)
        return False, Reason("condition_false", f"It does not hold: {self.source}")

    def _failed(self, why: Failure) -> Reason:
        if why.kind == "missing":
            text = f"{why.text} is not known, so it does not hold: {self.source}"
            return Reason("condition_missing", text)
        if why.kind == "large":
            text = f"{why.text} is too much for a condition with a loop: {self.source}"
            return Reason("condition_too_large", text)
        if why.kind == "value":
            text = f"It must be true or false, and is {why.text}: {self.source}"
            return Reason("condition_failed", text)
        return Reason("condition_failed", f"It cannot be told ({why.text[:120]}): {self.source}")


class Conditions:
    """Compiles conditions for one declaration; the same text once."""

    def __init__(self, settings: Settings, *, stored: bool = False) -> None:
        """``stored``: they were taken once, and go on as they are, though some may be of no effect (a window of
        counts or a word that there never is)."""
        self._stored = stored
        self._names = names(settings)
        self._entries = entries(settings)
        self._known: OrderedDict[tuple[str, tuple[Root, ...]], Condition] = OrderedDict()

    def get(self, source: str, roots: tuple[Root, ...] = ALL) -> Condition:
        """The compiled condition.

        Args:
            source: CEL.
            roots: What may be spoken of where it stands.

        Raises:
            BadCondition: with ``position`` (from 1), what is wrong and what was probably meant.
        """
        found = self._known.get((source, roots))
        if found is None:
            found = self._known[source, roots] = self._compile(source, roots)
            if len(self._known) > KEPT:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end((source, roots))
        return found

    def _compile(self, source: str, roots: tuple[Root, ...]) -> Condition:
        here = tuple((n, t) for n, t in self._names.items() if n.partition(".")[0] in roots)
        try:
            program = cel.compiled(source, here)
        except Slip as slip:
            raise self._explained(source, slip, dict(here), roots) from None
        self._check_entries(source)
        if not self._stored:
            _check_words(source)
        if program.kind not in ("bool", "dyn"):
            said = spoken(program.kind)
            raise _bad(source, 1, f"It must be true or false, and is {said}.", "Compare it.")
        return Condition(program, expressions.names_read(source, {name for name, _ in here}))

    def _check_entries(self, source: str) -> None:
        """What follows the name of a map must be there."""
        for name, known in self._entries.items():
            if self._stored and name.endswith(ANY):
                continue
            for entry, position in _entries_of(name, source):
                if entry not in known:
                    fixed = name.endswith(ANY)
                    near = None if fixed else expressions.nearest(entry, known)
                    hint = f"Did you mean {near}?" if near else declare(name, entry)
                    plain = name.removesuffix(ANY)
                    raise _bad(source, position, f"{plain} has no {entry!r}.", hint)

    def _explained(
        self, source: str, slip: Slip, here: dict[str, Type], roots: Collection[str]
    ) -> BadCondition:
        name, position = slip.unknown, slip.position
        if not name:
            return _bad(source, position, slip.problem, slip.hint)
        root = name.partition(".")[0]
        if root in ALL and root not in roots:
            return _bad(
                source,
                position,
                f"There is no {root} where this condition stands.",
                f"It may speak of {', '.join(roots)}.",
            )
        if name in {each.partition(".")[0] for each in here}:
            fields = ", ".join(sorted(each for each in here if each.startswith(f"{name}.")))
            return _bad(source, position, f"{name!r} alone says nothing.", f"There are {fields}.")
        known = sorted(each for each in here if each.partition(".")[0] == root)
        by_field = {each.partition(".")[2]: each for each in known}
        near = expressions.nearest(name.partition(".")[2], by_field) if known else None
        meant = by_field[near] if near else expressions.nearest(name, here) if not known else None
        hint = f"Did you mean {meant}?" if meant else f"There are: {', '.join(known or roots)}."
        return _bad(source, position, slip.problem, hint)


def _bad(source: str, position: int, problem: str, hint: str) -> BadCondition:
    return BadCondition(
        f"At character {position}: {problem}", hint=hint, expression=source, position=position
    )


def _check_words(source: str) -> None:
    """What is one of a few words can never be another one."""
    for name, words in WORDS.items():
        for text, position in expressions.compared(name, source):
            if text and text not in words:
                hint = f"It is one of {', '.join(words)}."
                raise _bad(source, position, f"{name} is never {text!r}.", hint)


_ENTRY = r"\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*[\"']([^\"']*)[\"']\s*\])"


def _entries_of(name: str, source: str) -> list[tuple[str, int]]:
    """Entries of a map that are named, as ``map.entry`` or ``map["entry"]``, with their positions. After a name
    that ends with ``ANY``: those of its entries."""
    dotted = re.escape(name.removesuffix(ANY)).replace(r"\.", r"\s*\.\s*")
    between = _ENTRY if name.endswith(ANY) else "()()"
    plain = expressions.bare(source)
    return [
        (each[3] or each[4], each.start(3 if each[3] else 4) + 1)
        for each in re.finditer(rf"(?<![\w.]){dotted}{between}{_ENTRY}", source)
        if plain[each.start()] == source[each.start()]  # it does not stand in a text
    ]
