"""Liquid with limits: bombs are stopped, what is missing is said, nothing else is offered."""

from __future__ import annotations

import time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from germane.domain.errors import TemplateRefused
from germane.generate.liquid import SOURCE_MAX, Budget, Language, compiled, rendered
from germane.generate.missing import Missing
from germane.generate.recording import Recorder, plain

GERMAN = Language("de", "EUR", ZoneInfo("Europe/Berlin"))
TWENTY = list(range(20))
STOPPED_MS = 100
"""What a bomb may take of the processor, beside what the machine needs to breathe (see ``spent_ms``)."""


def filled(source: str, **names: Any) -> str:
    return plain(rendered(source, names, Recorder(), GERMAN))


@pytest.mark.parametrize(
    ("source", "names", "said"),
    [
        ("Hi {{ name }}", {"name": "Ann"}, "Hi Ann"),
        ('Hi {{ name | default: "there" }}', {}, "Hi there"),
        ("Hi{% if name %} {{ name }}{% endif %},", {}, "Hi,"),
        ("{% for x in xs %}{{ x }};{% endfor %}", {"xs": [1, 2]}, "1;2;"),
        ("{{ 12.5 | money }}", {}, "12,50\u00a0€"),
        ("{{ 0.2 | percent }}", {}, "20\u00a0%"),
        ("{{ 1234.5 | number }}", {}, "1.234,5"),
        ('{{ "2026-11-28T23:30:00Z" | date }}', {}, "29. November 2026"),
        ('{{ "2026-11-28T23:30:00Z" | date: "short" }}', {}, "29.11.26"),
        ('{{ "2026-11-28T07:00:00Z" | time }}', {}, "08:00"),
        ("{{ a | plus: 1 | times: 3 }}", {"a": 2}, "9"),
        ("{{ xs | join }}", {"xs": ["a", "b"]}, "a, b"),
        ("{% if a == 'x' %}y{% else %}n{% endif %}", {}, "n"),
        ("{{ 'long enough to cut' | truncate: 10 }}", {}, "long enou…"),
    ],
)
def test_values(source: str, names: dict[str, Any], said: str) -> None:
    assert filled(source, **names) == said


@pytest.mark.parametrize(
    "source",
    [
        "Hi {{ name }},",
        "Hi {{ a.b.c }}",
        "{% for x in xs %}{{ x }}{% endfor %}",
        "{{ name | upcase }}",
        "{{ name | plus: 1 }}",
        '{{ name | default: "" }}',  # nothing is nothing, however it is written
        "{{ '  ' }}",
        "{{ 'abc' | money }}",
        "{{ 1 | divided_by: 0 }}",
        "{{ 'x' | date }}",
    ],
)
def test_missing(source: str) -> None:
    with pytest.raises(Missing):
        filled(source, a={})


def doubled(step: str, last: str = "") -> str:
    return "{% assign x = 'aaaaaaaaaa' %}" + step * 200 + last


BOMBS = {
    "nested loops": "{% for a in k %}" * 5 + "{{ a }}" + "{% endfor %}" * 5,
    "loops in a row": "{% for a in k %}{{ a }}{% endfor %}" * 280,
    "empty loops": "{% for a in k %}{% endfor %}" * 340,
    "a long list": "{% for a in million offset: 999990 %}x{% endfor %}",
    "a list of a million": "{% for a in million %}x{% endfor %}",
    "a range": "{% for a in (1..1000000000) %}x{% endfor %}",
    "a range with an offset": "{% for a in (1..1000000000) offset: 999999990 %}x{% endfor %}",
    "a range put out": "{{ (1..1000000000) | join }}",
    "a range of variables": "{% assign n = 999999999 %}{% for a in (1..n) %}x{% endfor %}",
    "doubling": doubled("{% assign x = x | append: x %}", "{{ x }}"),
    "doubling by capture": "{% capture x %}aaaaaaaaaa{% endcapture %}"
    + "{% capture x %}{{ x }}{{ x }}{% endcapture %}" * 100,
    "squaring": "{% assign x = 9999999 %}" + "{% assign x = x | times: x %}" * 200 + "{{ x }}",
    "a huge number": "{{ " + "9" * 9_000 + " | plus: 1 }}",
    "rounding": "{{ 3 | round: 999999999 }}",
    "an include": "{% include 'a' %}",
    "a render": "{% render 'a' %}",
    "deep blocks": "{% if true %}" * 700,
    "deep brackets": "{{ a" + "[a" * 3_000 + "]" * 3_000 + " }}",
    "a long condition": "{% if a" + " and a" * 1_400 + " %}x{% endif %}",
    "open braces": "{{" * 4_900,
    "open tags": "{%" * 4_900,
    "braces in a text": "{{ '" + "{{" * 4_000 + "' }}",
    "quotes": "{{ " + '"' * 9_000 + " }}",
    "many filters": "{{ 'a'" + " | upcase" * 1_000 + " }}",
    "literal comparisons in a loop": "{% for a in k %}"
    + "{% if 'aaaaaaaaaaaaaaaaaaaaaa' contains 'aab' %}{% endif %}" * 150
    + "{% endfor %}",
    "literal cases in a loop": "{% for a in k %}"
    + "{% case 1 %}{% when 2,3,4,5,6,7,8,9,10,11,12 %}{% endcase %}" * 140
    + "{% endfor %}",
    "assignments in a loop": "{% for a in k %}" + "{% assign x = 1 %}" * 400 + "{% endfor %}",
    "long texts cut in a loop": "{% assign x = 'a b c d e f g h i j ' %}"
    + "{% assign x = x | append: x %}" * 6
    + "{% for a in k %}{{ x"
    + " | truncatewords: 600" * 100
    + " }}{% endfor %}",
    "long texts searched in a loop": "{% capture x %}"
    + "ab" * 4_000
    + "{% endcapture %}"
    + "{% for a in k %}"
    + "{% if x contains 'abb' %}{% endif %}" * 40
    + "{% endfor %}",
    "many captures": "{% capture a %}"
    + "ab" * 3_000
    + "{% endcapture %}"
    + "{% capture b %}{{ a }}{% endcapture %}" * 60,
    "a list of lists joined": "{% for a in k %}{{ many | join | upcase | size }}{% endfor %}" * 30,
    "open comments": "{% comment %}" * 700,
    "too long": "a" * (SOURCE_MAX + 1),
    "wide output": "{% for a in k %}{% for b in k %}" + "a" * 9_000 + "{% endfor %}{% endfor %}",
}


def spent_ms(source: str) -> tuple[float, str]:
    """Processor time of compiling and filling, the better of two tries: others use the machine, too."""
    tries, said = [], ""
    for number in range(2):
        text = source + f"{{% comment %}}{number}{{% endcomment %}}"  # a new one: nothing is kept
        begin = time.process_time()
        try:
            said = filled(text, k=TWENTY, million=range(10**6), many=["x" * 500] * 20, a="x")
        except (TemplateRefused, Missing) as stopped:
            said = type(stopped).__name__
        tries.append((time.process_time() - begin) * 1000)
    return min(tries), said


@pytest.mark.parametrize("name", BOMBS)
def test_bombs(name: str) -> None:
    ms, said = spent_ms(BOMBS[name])
    assert ms < STOPPED_MS, said
    assert len(said) <= 40_000


def test_a_message_has_one_budget() -> None:
    """Many texts together may not take more than one may."""
    budget = Budget(50)
    source = "{% for a in k %}{{ a }}{% endfor %}"
    rendered(source, {"k": TWENTY[:5]}, Recorder(), GERMAN, budget)
    with pytest.raises(TemplateRefused):
        rendered(source, {"k": TWENTY[:5]}, Recorder(), GERMAN, budget)


@pytest.mark.parametrize(
    "filter_", ["safe", "date_now", "escape", "replace", "split", "base64_decode"]
)
def test_no_other_filters(filter_: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        compiled(f"{{{{ 'a' | {filter_} }}}}")
    assert filter_ in refused.value.message


def test_near_filters_are_named() -> None:
    with pytest.raises(TemplateRefused) as refused:
        compiled("{{ a | upcse }}")
    assert refused.value.hint == "Did you mean 'upcase'?"


def test_a_syntax_error_names_its_line() -> None:
    with pytest.raises(TemplateRefused) as refused:
        compiled("one\ntwo {% if a %} x")
    assert "Line 2" in refused.value.message or "if" in refused.value.message


def test_no_clock() -> None:
    """``now`` is what the facts say, and nothing where they do not."""
    assert filled("{{ now | date }}", now=1_760_000_000_000) == "9. Oktober 2025"
    with pytest.raises(Missing):
        filled("{{ 'now' | date }}")
