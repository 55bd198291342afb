"""Cold start, readiness and the price of variety: `just bench coldstart`.

Each data set is replayed by the code of `germane backtest`: predicted before it is learned, events of one
time all before any of them, the whole catalogue, trees trained beside. The oldest tenth (of the course
a fiftieth) is only learned. Of 150 film raters and 1,200 customers, and of everybody elsewhere, all is
predicted for as long as they have fewer than 20 interactions; of what they choose later a share is, by a
hash. NDCG@10 by the number of earlier interactions, with and
without what people declared; the blend against the best of its parts in each group (each source alone,
each simple list; the best is chosen afterwards, which is in its favour); diversity quotas of 0, 10, 15
and 20 %; items younger than a week. Intervals: 95 %, bootstrap over people, paired.

`python -m benchmarks.coldstart [NAME ...]` runs some; `--page` writes the page's tables from the results.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from benchmarks.figures import RESULTS, record, write_result
from benchmarks.quality.data import load, table
from benchmarks.quality.germane_run import an_item, events, project
from germane.app.backtest import Findings, Intake, backtest
from germane.app.backtest.derived import targets_of
from germane.app.backtest.plan import plan, surface_of
from germane.app.backtest.spool import Spool
from germane.app.backtest.traits import learned
from germane.config import load_text
from germane.domain.event import Event
from germane.domain.settings import Settings, TrainingSpec, TraitSpec

COMMAND = "just bench coldstart"
LEARN_FIRST = {"moodle-course": 0.02}
"""Share of the events, the oldest, that are only learned; a tenth where nothing else is said. Of the
course less: everyone is there in its first days."""
HOUSEHOLDS = 300
LATER = {
    "ml-latest-small": 0.03,
    "moodle-course": 0.06,
    "online-retail": 0.1,
    "completejourney": 0.04,
}
"""Share of later choices that is predicted: some minutes of work each."""
SAMPLE = {"ml-latest-small": 150, "online-retail": 1_200}
"""So many people are predicted, chosen by a hash; elsewhere everyone."""
PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "cold-start.md"
BEGIN, END = "<!-- tables: python -m benchmarks.coldstart --page -->", "<!-- end of tables -->"


def run(name: str) -> Findings:
    """Replay one data set."""
    settings, fill = SOURCES.get(name, _framed)(name)
    targets = targets_of(settings)
    with Spool() as spool:
        intake = Intake(settings, targets, spool)
        fill(intake)
        what = plan(
            spool,
            targets,
            TrainingSpec(),
            learn_first=LEARN_FIRST.get(name, 0.1),
            sample=SAMPLE.get(name, 0),
            already="auto",
            later_share=LATER[name],
        )
        intake.settings = replace(intake.settings, traits=learned(intake, what.split_ms))
        pointed = {k: v.values for k, v in intake.settings.traits.items() if v.attribute}
        print(f"{name}: traits that speak for something: {pointed}")
        surface = surface_of(settings, None, intake)
        return backtest(
            intake, surface, what, derived=False, progress=_Progress(name), clock=time.perf_counter
        )


class _Progress:
    def __init__(self, name: str) -> None:
        self._name, self._done, self._told = name, 0, time.monotonic()

    def __call__(self, count: int) -> None:
        self._done += count
        if time.monotonic() - self._told > 20:
            self._told = time.monotonic()
            sys.stderr.write(f"{self._name}: {self._done:,} events\n")


Filled = tuple[Settings, Callable[[Intake], None]]


def _framed(name: str) -> Filled:
    frame = load(name)
    settings = load_text(project(name).read_text("utf-8"), {}).settings
    people = _students() if name == "moodle-course" else []
    traits = {key: TraitSpec(key) for each in people for key in each.traits}
    event = next(iter(settings.signals.values())).event

    def fill(intake: Intake) -> None:
        for item in sorted({*frame.items, *frame.catalogue}):
            intake.item(an_item(item, frame.catalogue.get(item, {})))
        for each in people:
            intake.event(each, timed=False)
        for each in events(frame, 0, len(frame), event):
            intake.event(each)

    return replace(settings, traits=traits), fill


def _students() -> list[Event]:
    """What students told about themselves, as identify events."""
    users = table("moodle-course", "users")
    names = [each for each in users if each not in ("user_id", "birth_year")]
    return [
        Event(
            f"student-{user}",
            "identify",
            0,
            user_id=user,
            traits={name: users[name][row] for name in names if users[name][row] is not None},
        )
        for row, user in enumerate(users["user_id"])
    ]


def _journey(name: str) -> Filled:
    from importlib.resources import files

    from germane.cli.demo.journey import HOUSEHOLDS_LIMIT, Journey

    os.environ.setdefault(HOUSEHOLDS_LIMIT, str(HOUSEHOLDS))
    text = files("germane.cli.demo").joinpath("shop.toml").read_text("utf-8")
    settings, journey = load_text(text, {}).settings, Journey()
    people = list(journey.people())
    traits = {key: TraitSpec(key) for each in people for key in each.traits}

    def fill(intake: Intake) -> None:
        for item in journey.items():
            intake.item(item)
        for each in people:
            intake.event(each, timed=False)
        for basket in journey.baskets():
            intake.event(basket.event())

    return replace(settings, traits=traits), fill


SOURCES: dict[str, Callable[[str], Filled]] = {"completejourney": _journey}


# -- results ---------------------------------------------------------------------------------------


def main() -> None:
    """Run, print, write."""
    names = [each for each in sys.argv[1:] if not each.startswith("-")] or list(LATER)
    path = RESULTS / "coldstart.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    found: dict[str, Any] = before.get("data", {})
    if "--page" not in sys.argv:
        for name in names:
            found[name] = msgspec.to_builtins(run(name))
            write_result("coldstart", {"protocol": __doc__, "data": found})
        _record(found)
    text = tables(found)
    print(text)
    if PAGE.exists():
        page = PAGE.read_text("utf-8")
        head, _, rest = page.partition(BEGIN)
        _, _, tail = rest.partition(END)
        PAGE.write_text(f"{head}{BEGIN}\n\n{text}\n{END}{tail}", "utf-8")


def _record(found: dict[str, Any]) -> None:
    groups = [step for each in found.values() for step in each["steps"]]
    measured = [step for step in groups if step["part_difference"]["people"] >= 20]
    worse = sum(len(each["worse_than_part"]) for each in found.values())
    n = sum(step["part_difference"]["n"] for step in measured)
    record("coldstart.groups", len(measured), n=n, command=COMMAND)
    record("coldstart.groups_worse_than_best_part", worse, n=n, command=COMMAND)
    prices = {
        name: quota["price"]["value"] / each["quotas"][0]["ndcg"]["value"]
        for name, each in found.items()
        for quota in each["quotas"]
        if quota["quota"] == 0.15
    }
    record("coldstart.quota15_price_max", round(max(prices.values()), 4), n=n, command=COMMAND)


def tables(found: dict[str, Any]) -> str:
    """The page's tables."""
    parts: list[str] = []
    for name, each in found.items():
        sample = each["sample"]
        parts.append(
            f"### {name}\n\n{sample['people_asked']:,} people, {sample['occasions']:,} predicted choices"
            f"{', what people had is left out of all lists' if sample['left_out'] else ''}.\n\n"
        )
        parts.append(_steps(each))
        parts.append(_quotas(each))
        young = each["newcomers"]
        parts.append(
            f"Items younger than a week: {young['choices']:.1%} of choices, {young['places']:.1%} of places in "
            f"personal lists ({young['places_broadcast']:.1%} in the best list for everyone). Chosen of those "
            f"places: {young['hit_rate']:.2%}; of all places: {young['hit_rate_all']:.2%}.\n"
        )
    return "\n".join(parts)


def _steps(each: dict[str, Any]) -> str:
    rows = [
        (
            step["label"],
            f"{step['ndcg']['n']:,}",
            f"{step['ndcg']['people']:,}",
            _said(step["ndcg"]),
            f"{step['part_ndcg']['value']:.4f} ({step['part_name'].removeprefix('alone/')})",
            _said(step["part_difference"]),
            _said(step["traits_gain"]) if step["traits_gain"]["n"] else "–",
        )
        for step in each["steps"]
    ]
    head = ("before", "n", "people", "blend", "best part", "blend less that", "gain by traits")
    return _table(head, rows)


def _quotas(each: dict[str, Any]) -> str:
    rows = [
        (
            f"{quota['quota']:.0%}",
            f"{quota['ndcg']['n']:,}",
            _said(quota["ndcg"]),
            _said(quota["price"]),
            f"{quota['new_kind']:.1%}",
            f"{quota['new_kind_hits']:.2%}",
            f"{quota['short']:.1%}",
        )
        for quota in each["quotas"]
    ]
    head = (
        "quota",
        "n",
        "NDCG@10",
        "price",
        "places of a new category",
        "chosen of those",
        "not met",
    )
    return _table(head, rows)


def _said(each: dict[str, Any]) -> str:
    return f"{each['value']:.4f} ({each['low']:.4f} to {each['high']:.4f})"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


if __name__ == "__main__":
    main()
