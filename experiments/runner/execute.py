"""Running an experiment from its data to its report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from experiments.registry import Experiment
from experiments.reporting.report import render, shown
from experiments.runner.errors import Interrupted, UsageError
from experiments.runner.options import Options
from experiments.runner.progress import Progress, duration
from experiments.runner.run import Run, is_done


def execute(experiment: Experiment[Any], options: Options, progress: Progress | None = None) -> Path:
    """Runs an experiment from the start or its checkpoint to the report; returns its folder.

    Raises:
        Interrupted: on Ctrl-C; the message says how far it came.
        UsageError: with `skip_done`, if the assignment's data is missing and others would be used.
    """
    if options.skip_done and is_done(experiment, options):
        folder = Path(options.out) / experiment.name
        (progress or Progress()).say(f"{experiment.name} is done in {folder}, with these settings and this code.")
        return folder
    run = Run(experiment, options, progress)
    say = run.progress.say
    if options.skip_done and run.source.reason:
        raise UsageError(
            f"--skip-done: the data of {experiment.name} is missing, {run.folder} stays. {run.source.reason}"
        )
    if run.complete:
        say(f"{experiment.name} is complete in {run.folder}; its report is written again.")
        render(experiment, run.folder)
        return run.folder
    samples = f"{run.source.samples:,} samples of {run.source.description}"
    say(f"{experiment.name} in {options.framework}, seed {run.seed}: {samples}")
    if run.source.stands_in:
        say("NOTE: this is not the data of the assignment; the numbers don't compare with published ones.")
        if run.source.reason:
            say(run.source.reason)
    started = time.perf_counter()
    try:
        experiment.train(run)
        run.progress.close()
        run.write_results()
        del run.training_data  # the report reads files only, and its figures need memory
        record = render(experiment, run.folder)
        run.mark_complete()
    except KeyboardInterrupt:
        raise Interrupted(f"{experiment.name} stands at {run.position}") from None
    finally:
        run.save()
        run.progress.close()
    headline = ", ".join(
        f"{name.replace('_', ' ')} {shown(name, record.metrics[name])}" for name in experiment.headline
    )
    took = duration(time.perf_counter() - started)
    say(f"{experiment.name} done in {took}: {headline}. Report: {run.folder / 'report.md'}")
    return run.folder
