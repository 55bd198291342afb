"""Liquid with limits: few tags, few filters, no files, and a budget of steps that stops any bomb.

The limits are counts, not clocks, so that a template gives the same for the same data everywhere.
A message at every limit takes some tens of milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import msgspec
from liquid import Environment, Node, RenderContext, Token
from liquid.builtin.content import Literal
from liquid.builtin.expressions.primitive import RangeLiteral
from liquid.builtin.illegal import Illegal
from liquid.builtin.output import Output, OutputNode
from liquid.builtin.tags import (
    assign_tag,
    capture_tag,
    case_tag,
    comment_tag,
    for_tag,
    if_tag,
    unless_tag,
)
from liquid.exceptions import LiquidError, UndefinedError
from liquid.expression import Expression
from liquid.output import LimitedStringIO
from liquid.template import BoundTemplate
from liquid.undefined import FalsyStrictUndefined

from germane.domain.errors import TemplateRefused
from germane.domain.near import did_you_mean
from germane.generate.filters import FILTERS, text
from germane.generate.missing import Missing
from germane.generate.recording import Recorder, blank

SOURCE_MAX = 10_000
"""Characters of one text."""
STEPS_MAX = 5_000
"""Look-ups, filters and outputs of one message; a turn of a loop costs as many as its text has parts."""
FILTER_STEPS = 3
OUTPUT_MAX = 40_000
"""Bytes that one text may become, marks counted."""
LOCALS_MAX = 40_000
"""Bytes that its own names may hold."""
TAGS = ("assign", "capture", "case", "comment", "for", "if", "unless")


class Budget:
    """The steps that one message may take, all its texts together."""

    def __init__(self, steps: int = STEPS_MAX) -> None:
        self.left = steps

    def step(self, count: int = 1) -> None:
        """
        Raises:
            TemplateRefused: it is used up.
        """
        self.left -= count
        if self.left < 0:
            raise TemplateRefused(f"The text takes more than {STEPS_MAX:,} steps.")


class Language(msgspec.Struct, frozen=True):
    """How values are written."""

    tag: str
    currency: str
    zone: ZoneInfo


class Context(RenderContext):
    """A render context that counts, and knows how values are written."""

    def __init__(
        self,
        template: Template,
        names: Mapping[str, Any],
        recorder: Recorder,
        language: Language,
        budget: Budget,
    ) -> None:
        super().__init__(template, globals=names)
        self.recorder, self.language, self.budget = recorder, language, budget
        self._parts = template.parts

    def get(self, path: list[object], *, token: Token | None, **rest: Any) -> object:
        """A look-up; one step for each name of the path."""
        self.budget.step(len(path))
        return super().get(path, token=token, **rest)

    def filter(self, name: str, token: Token | None) -> Any:
        """A filter; more than a step, as it may walk through a long text."""
        self.budget.step(FILTER_STEPS)
        return super().filter(name, token)

    @contextmanager
    def loop(self, namespace: Mapping[str, object], forloop: Any) -> Iterator[RenderContext]:
        """A loop; paid for before its first turn."""
        self.budget.step(forloop.length * self._parts + 1)
        with super().loop(namespace, forloop) as context:
            yield context

    def get_size_of_locals(self) -> int:
        """In bytes, strings by their length."""
        self.budget.step()
        return sum(len(x) if isinstance(x, str) else 64 for x in self.locals.values())


class MarkedOutput(OutputNode):
    """``{{ ... }}``: what it gives is marked as data, and nothing at all counts as missing."""

    def render_to_output(self, context: RenderContext, buffer: TextIO) -> int:
        """
        Raises:
            Missing: there is nothing to put out.
        """
        assert isinstance(context, Context)
        context.budget.step()
        context.recorder.begin()
        value = self.expression.evaluate(context)
        said = text(value)
        if blank(said):
            raise Missing(str(self.expression))
        return buffer.write(context.recorder.end(said))


class _Output(Output):
    node_class = MarkedOutput


class Template(BoundTemplate):
    """A parsed text, and of how many parts it consists."""

    parts: int = 0


class _Environment(Environment):
    template_class = Template
    block_nesting_limit = 10
    context_depth_limit = 20
    loop_iteration_limit = STEPS_MAX
    local_namespace_limit = LOCALS_MAX
    output_stream_limit = OUTPUT_MAX

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Only what cannot load, count on or hide anything."""
        for tag in (
            Literal, _Output, Illegal, assign_tag.AssignTag, capture_tag.CaptureTag, case_tag.CaseTag,
            comment_tag.CommentTag, for_tag.ForTag, if_tag.IfTag, unless_tag.UnlessTag,
        ):  # fmt: skip
            self.add_tag(tag)
        for name, work in FILTERS.items():
            self.add_filter(name, work)


_ENVIRONMENT = _Environment(undefined=FalsyStrictUndefined)


@lru_cache(maxsize=4096)
def compiled(source: str) -> Template:
    """A template from its text.

    Raises:
        TemplateRefused: it is too long, or no valid Liquid of ours; the message names line and cause.
    """
    if len(source) > SOURCE_MAX:
        raise TemplateRefused(f"A text has at most {SOURCE_MAX:,} characters.")
    _closed(source)
    try:
        template = _ENVIRONMENT.from_string(source)
        assert isinstance(template, Template)
        template.parts = _parts(template)
        _known_filters(template)
    except LiquidError as error:
        if isinstance(error.__cause__, RecursionError):
            raise TemplateRefused("The text is nested too deeply.") from None
        raise TemplateRefused(told(error), hint=HINT) from None
    except RecursionError:
        raise TemplateRefused("The text is nested too deeply.") from None
    return template


def _known_filters(template: Template) -> None:
    for name in template.filter_names(include_partials=False):
        if name not in FILTERS:
            raise TemplateRefused(f"There is no filter {name!r}.", hint=did_you_mean(name, FILTERS))


def _closed(source: str) -> None:
    """Whether every bracket is closed before the next opens: the library looks for it again and again.

    Raises:
        TemplateRefused: one is not.
    """
    place = 0
    while found := _OPENING.search(source, place):
        end = _END.search(source, found.end())
        if end is None or end[0] != _CLOSING[found[0]]:
            line = source.count("\n", 0, found.start()) + 1
            raise TemplateRefused(f"Line {line}: {found[0]} is not closed.", hint=HINT)
        place = end.end()


_OPENING = re.compile(r"\{\{|\{%")
_END = re.compile(r"\}\}|%\}|\{\{|\{%")
_CLOSING = {"{{": "}}", "{%": "%}"}


def _parts(template: Template) -> int:
    """Nodes and expressions, counted.

    Raises:
        TemplateRefused: there is a range of numbers, which could be endless.
    """
    count, still = RenderContext(template), 0
    todo: list[Node | Expression] = list(template.nodes)
    while todo:
        still += 1
        each = todo.pop()
        if isinstance(each, RangeLiteral):
            raise TemplateRefused("Ranges of numbers cannot be used.", hint=HINT)
        if isinstance(each, Node):
            todo += each.children(count, include_partials=False)
            todo += each.expressions()
        else:
            todo += each.children()
    return still


def told(error: LiquidError) -> str:
    """A Liquid error in one line."""
    said = str(error.message or error).strip().splitlines()[0][:160]
    line = error.token and _line(error.token)
    return f"Line {line}: {said}." if line else f"{said[:1].upper()}{said[1:]}."


def _line(token: Token) -> int:
    return token.source.count("\n", 0, max(token.start_index, 0)) + 1


HINT = (
    f"Tags: {', '.join(TAGS)}. Filters: {', '.join(sorted(FILTERS))}. Values stand in "
    "{{ }}, tags in {% %}."
)


def rendered(
    source: str,
    names: Mapping[str, Any],
    recorder: Recorder,
    language: Language,
    budget: Budget | None = None,
) -> str:
    """A template with its values, marked (``recording``).

    Raises:
        Missing: it needs something that is not there.
        TemplateRefused: it is no valid template, or asks for too much.
    """
    template = compiled(source)
    context = Context(template, names, recorder, language, budget or Budget())
    buffer = LimitedStringIO(OUTPUT_MAX)
    try:
        template.render_with_context(context, buffer)
    except UndefinedError as error:
        raise Missing(_undefined(str(error.message or error))) from None
    except LiquidError as error:
        raise TemplateRefused(told(error)) from None
    except (RecursionError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise TemplateRefused(f"The text cannot be filled: {str(error)[:160]}.") from None
    return buffer.getvalue()


def _undefined(message: str) -> str:
    return message.splitlines()[0].partition(" is undefined")[0].strip("'\"")
