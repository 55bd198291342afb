"""Measure prediction quality: `just bench quality`, or `python -m benchmarks.quality --help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.quality.cells import HERE, Cells
from benchmarks.quality.data import FOLDER, LOADERS, MissingData, folder, load
from benchmarks.quality.environment import ChildFailed
from benchmarks.quality.jobs import GERMANE, Job, do
from benchmarks.quality.peers import catalogue
from benchmarks.quality.protocols import tasks
from benchmarks.quality.published import DATA, ensured
from benchmarks.quality.report import report
from benchmarks.quality.show import showing


def arguments() -> argparse.Namespace:
    """What is wanted."""
    models = [GERMANE, *catalogue.MODULES]
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    parser.add_argument("--data", action="append", choices=list(LOADERS), help="only these sets")
    parser.add_argument("--model", action="append", choices=models, help="only these models")
    parser.add_argument(
        "--protocol", action="append", choices=["prequential", "temporal", "last-out"]
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=HERE / ".cache", help="finished cells")
    parser.add_argument("--report", action="store_true", help="only write what is measured already")
    parser.add_argument(
        "--keep",
        action="store_true",
        help="keep what peers reached with the code, for other machines",
    )
    return parser.parse_args()


def wanted(args: argparse.Namespace) -> list[Job]:
    """Every job that the arguments ask for: Germane first, then the peers, quick ones first."""
    frames = []
    for name in args.data or LOADERS:
        try:
            frames.append(load(name))
        except MissingData as error:
            print(f"left out: {error}", file=sys.stderr)
    all_tasks = {frame.name: tasks(frame) for frame in frames}
    jobs = []
    for model in [GERMANE, *catalogue.MODULES]:
        if args.model and model not in args.model:
            continue
        for frame in frames:
            if model in catalogue.TOO_LARGE.get(frame.name, ()):
                continue
            found = all_tasks[frame.name]
            if model == GERMANE:
                jobs.append(Job(frame, model, tuple(found), args.seed))
                continue
            jobs += [
                Job(frame, model, (task,), args.seed)
                for task in found
                if not args.protocol or task.protocol in args.protocol
            ]
    return jobs


def everything(seed: int) -> list[Job]:
    """All jobs there are, for the report, whatever was run now."""
    return wanted(argparse.Namespace(data=None, model=None, protocol=None, seed=seed))


def main() -> int:
    """Do what is missing, then report."""
    args = arguments()
    if not folder().is_dir():
        print(f"There is no folder {folder()}. Set {FOLDER} to where the data sets are.")
        return 1
    cells, failed = Cells(args.cache), 0
    jobs = wanted(args)
    missing = [job for job in jobs if any(cells.get(key) is None for key in job.keys())]  # noqa: SIM118
    if not args.report:
        with showing(len(missing)) as shown:
            for job in missing:
                with shown.job(job.name) as told:
                    try:
                        do(job, cells, told)
                    except ChildFailed as error:
                        failed += 1
                        print(f"FAILED {job.name}\n{error}", file=sys.stderr)
    jobs = everything(args.seed)
    if args.keep:
        kept = cells.keep(key for job in jobs if job.model != GERMANE for key in job.keys())  # noqa: SIM118
        print(f"{kept} results of peers are kept")
    published = [
        ensured(cells.folder, job.keys()[0].digest)
        for job in jobs
        if job.model == GERMANE and job.frame.name == DATA
    ]
    report(jobs, cells, published[0] if published else None)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
