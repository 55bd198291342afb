"""Would personalisation beat broadcast here? The past is replayed, predicted before it is learned."""

from __future__ import annotations

from collections.abc import Callable

from germane.app.backtest.advice import advice
from germane.app.backtest.findings import Findings, Sample
from germane.app.backtest.health import checks, facts
from germane.app.backtest.intake import Intake
from germane.app.backtest.judge import Judge, crossing, worse
from germane.app.backtest.plan import NothingToPredict, Plan
from germane.app.backtest.replay import PERSONAL, Replay
from germane.domain.settings import SurfaceSpec
from germane.measure.bootstrap import People
from germane.train import forest

__all__ = ["Findings", "Intake", "NothingToPredict", "Plan", "backtest", "findings_of"]


def backtest(
    intake: Intake,
    surface: SurfaceSpec,
    plan: Plan,
    *,
    derived: bool,
    progress: Callable[[int], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    clock: Callable[[], float] = lambda: 0.0,
) -> Findings:
    """Replay everything, and judge.

    Args:
        intake: Everything that was read.
        surface: Whose rules hold.
        plan: Whom to predict, and from when.
        derived: Whether settings were derived from the data (the report says so).
        progress: Told how many more events are done.
        stop: Asked now and then whether to end here, with what there is.
        clock: Seconds, for the report.

    Raises:
        NothingToPredict: it was stopped, or ended, before anything was predicted.
    """
    begun = clock()
    replay = Replay(intake, surface, plan)
    replay.run(progress, stop)
    if not len(replay.sheet):
        raise NothingToPredict("Nothing was predicted.")
    return findings_of(replay, intake, derived=derived, seconds=clock() - begun)


def findings_of(replay: Replay, intake: Intake, *, derived: bool, seconds: float) -> Findings:
    """Everything that a replay tells."""
    judge = Judge(replay)
    answer, steps, newcomers = judge.answer(), judge.steps(), judge.newcomers()
    found = facts(intake)
    people = People(replay.sheet.people)
    best = replay.sheet.score(answer.broadcast_name, "hit")
    tally = replay.tally
    return Findings(
        sample=_sample(replay, intake, found.people, derived=derived, seconds=seconds),
        answer=answer,
        steps=steps,
        lists=judge.lists(),
        sources=judge.sources(),
        kinds=judge.kinds(),
        only_new=judge.only_new(),
        quotas=judge.quotas(),
        newcomers=newcomers,
        checks=checks(intake, found),
        advice=advice(intake, found, answer, steps, newcomers),
        calibration=judge.calibration(),
        coverage=judge.coverage(PERSONAL),
        coverage_broadcast=judge.coverage(answer.broadcast_name),
        candidate_recall=tally.in_candidates / max(tally.choices, 1),
        personal_by_people=people.mean_of_people(replay.sheet.score(PERSONAL, "hit")),
        broadcast_by_people=people.mean_of_people(best),
        crossing=crossing(steps),
        worse_than_part=worse(steps),
    )


def _sample(
    replay: Replay, intake: Intake, people: int, *, derived: bool, seconds: float
) -> Sample:
    at, plan = intake.spool.at_ms, replay.plan
    reports = replay.beside.reports
    return Sample(
        events=len(at),
        events_done=replay.done,
        people=people,
        items=len({**intake.items, **intake.described}),
        first_ms=int(at.min()),
        last_ms=int(at.max()),
        split_ms=plan.split_ms,
        people_asked=len(set(replay.sheet.people.tolist())),
        people_could=plan.people_all,
        occasions=len(replay.sheet),
        choices=replay.tally.choices,
        stopped_ms=replay.stopped_ms,
        left_out=replay.leave_out,
        targets=tuple(sorted(plan.targets)),
        derived=derived,
        trainings=len(reports),
        promoted=sum(bool(each["version"]) for each in reports),
        trains=forest.available() and plan.training.enabled,
        seconds=seconds,
    )
