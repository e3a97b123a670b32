"""A network that tells noise from examples, and the diffusion in which it does so."""

from __future__ import annotations

from dataclasses import dataclass

from evonas_cli.network.noise import SCHEDULES, check_features
from evonas_cli.network.op import Shape
from evonas_cli.network.plan import Plan, PlanError


@dataclass(frozen=True, slots=True)
class Denoiser:
    """What a genome of a space of denoisers stands for.

    `plan` reads a noisy example with `features` time features behind its features or channels (`network.noise`), each
    as a number or as a constant map, and gives the noise in the shape of the example. `schedule` is one of SCHEDULES,
    `steps` the number of steps of the diffusion, at least 1. Raises PlanError for values that are none of these, and
    for a plan of other shapes.
    """

    plan: Plan
    schedule: str
    steps: int
    features: int

    def __post_init__(self) -> None:
        if self.schedule not in SCHEDULES:
            raise PlanError(f"there is no noise schedule {self.schedule!r}; there are {', '.join(SCHEDULES)}")
        if type(self.steps) is not int or self.steps < 1:
            raise PlanError(f"a diffusion has at least 1 step; this one has {self.steps!r}")
        try:
            check_features(self.features)
        except ValueError as error:
            raise PlanError(str(error)) from None
        reads, gives = self.plan.shapes[0], self.plan.shapes[self.plan.output]
        if with_time(gives, self.features) != reads:
            raise PlanError(f"a denoiser that reads {reads} with {self.features} time features must not give {gives}")

    @property
    def sample_multiply_adds(self) -> int:
        """Multiply-adds of one sample: a pass of the network for each step."""
        return self.steps * self.plan.multiply_adds


def with_time(shape: Shape, features: int) -> Shape:
    """The shape of an example (F,) or (C, H, W) with time features behind its features or channels."""
    return (shape[0] + features, *shape[1:])
