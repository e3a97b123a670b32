"""The optimisers of the race's peers: Optuna's TPE, NePS' Bayesian optimisation, and random draws.

Each one yields genome and validation error of the trainings that a loop of `contenders.py` has done for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from random import Random
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas_cli.genomes.capabilities import Defaulting
from evonas_cli.genomes.choices import Choice, Genes, Locus, named
from evonas_cli.genomes.ranges import Integer, Real

if TYPE_CHECKING:
    from benchmarks.contenders import Course

Report = Callable[[int, float], None]


def suggested(loci: Sequence[Locus], trial: Any) -> Genes:
    """A genome of an Optuna trial: the same ranges and scales as the space's."""
    genes: list[Any] = []
    for locus in loci:
        if isinstance(locus, Choice):
            genes.append(trial.suggest_categorical(locus.name, list(locus.options)))
        elif isinstance(locus, Integer):
            genes.append(trial.suggest_int(locus.name, locus.low, locus.high, log=locus.log))
        else:
            assert isinstance(locus, Real)
            genes.append(trial.suggest_float(locus.name, locus.low, locus.high, log=locus.log))
    return tuple(genes)


def optuna_trainings(
    course: Course, seed: int, loop: Any, end: float, begun: bool = False
) -> Iterator[tuple[Genes, float]]:
    """Trials of Optuna's default study, TPE and the median pruner, until the seconds are over; the first one is of the
    configured settings if `begun` says so and the space has them."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    if begun and isinstance(course.space, Defaulting):
        study.enqueue_trial(named(course.loci, course.space.default(asdict(course.trainer))))
    while perf_counter() < end:
        trial = study.ask()
        genome = suggested(course.loci, trial)
        try:
            error = loop(course, genome, pruning(trial))
        except optuna.TrialPruned:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
            continue
        study.tell(trial, error)
        yield genome, error


def pruning(trial: Any) -> Report:
    """Reports an epoch to a trial. Raises TrialPruned where the study says so."""
    import optuna

    def report(epoch: int, error: float) -> None:
        trial.report(error, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned

    return report


def neps_trainings(course: Course, seed: int, loop: Any, end: float) -> Iterator[tuple[Genes, float]]:
    """Asks of NePS for a space without fidelity, for which it takes Bayesian optimisation, until the seconds are over.

    NePS draws from the global generators.
    """
    import random

    import neps

    random.seed(seed)
    np.random.seed(seed)
    names = [f"gene_{place}" for place in range(len(course.loci))]
    ranges = {name: _neps_range(neps, locus) for name, locus in zip(names, course.loci, strict=True)}
    space = type("Space", (neps.PipelineSpace,), ranges)()
    optimizer = neps.AskAndTell(neps.algorithms.bayesian_optimization(space))
    while perf_counter() < end:
        trial = optimizer.ask()
        genome = tuple([trial.config[name] for name in names])
        error = loop(course, genome, lambda epoch, error: None)
        optimizer.tell(trial, error)
        yield genome, error


def _neps_range(neps: Any, locus: Locus) -> Any:
    if isinstance(locus, Choice):
        return neps.Categorical(choices=tuple(locus.options))
    kind = neps.Integer if isinstance(locus, Integer) else neps.Float
    return kind(lower=locus.low, upper=locus.high, log=locus.log)


def random_trainings(course: Course, seed: int, loop: Any, end: float) -> Iterator[tuple[Genes, float]]:
    """Independent draws until the seconds are over."""
    rng = Random(seed)
    while perf_counter() < end:
        genome = tuple(locus.draw(rng) for locus in course.loci)
        yield genome, loop(course, genome, lambda epoch, error: None)
