"""Learning-rate schedules as pure functions of the step: what the learning rate is multiplied with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import cos, pi
from typing import TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A training's length, and the settings of the step schedule; `step_size` is in epochs."""

    epochs: int
    steps_per_epoch: int
    step_size: int = 1
    gamma: float = 1.0

    @property
    def steps(self) -> int:
        """Optimiser steps of the whole training."""
        return self.epochs * self.steps_per_epoch


Schedule: TypeAlias = Callable[[int, Course], float]

RISE = 0.3
START_DIVISOR = 25.0
END_DIVISOR = 25.0e4


def constant(step: int, course: Course) -> float:
    """Always 1."""
    return 1.0


def cosine(step: int, course: Course) -> float:
    """From 1 to 0 along half a cosine, each step (SGDR without restarts, Loshchilov & Hutter, 2017)."""
    return 0.5 * (1.0 + cos(pi * step / course.steps))


def step_decay(step: int, course: Course) -> float:
    """Times `gamma` after every `step_size` epochs."""
    return course.gamma ** (step // course.steps_per_epoch // course.step_size)


def one_cycle(step: int, course: Course) -> float:
    """From 1/25 up to 1 within the first 30 % of the steps, then down to 4e-6, both along half a cosine.

    Smith & Topin, "Super-convergence" (2019); deviation: momentum stays constant.
    """
    peak = RISE * course.steps
    if step < peak:
        return _blend(1.0 / START_DIVISOR, 1.0, step / peak)
    return _blend(1.0, 1.0 / END_DIVISOR, (step - peak) / (course.steps - peak))


def _blend(start: float, end: float, position: float) -> float:
    return end + (start - end) * 0.5 * (1.0 + cos(pi * position))


SCHEDULES: Mapping[str, Schedule] = {
    "constant": constant,
    "cosine": cosine,
    "step": step_decay,
    "one_cycle": one_cycle,
}


def factor(name: str, step: int, course: Course, warmup: float) -> float:
    """The schedule `name` at a step counted from 0, with a linear rise over the first `warmup` epochs on top."""
    rise = warmup * course.steps_per_epoch
    return SCHEDULES[name](step, course) * min(1.0, (step + 1) / rise if rise else 1.0)
