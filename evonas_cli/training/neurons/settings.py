"""How the weights of neurons are found; without torch."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt

from evonas_cli.core.errors import UsageError

SOURCES = ("evolved", "gradient", "both")
OPTIMIZERS = ("rmsprop", "adam")


@dataclass(frozen=True, kw_only=True)
class Descent:
    """Gradient descent on the mean loss over the training part.

    steps          updates of the weights
    optimizer      rmsprop (Hinton, 2012) or adam (Kingma and Ba, 2015)
    learning_rate  above 0
    batch          examples of an update; None: all
    weight_decay   share of each weight, in [0, 1), that an update takes away; not multiplied by the learning rate
    clip           bound on the size of each component of a gradient; None: none
    weight_limit   bound on the size of each weight; None: none
    check_every    updates between two looks at the loss over the whole training part: weights are kept if it fell, else
                   those of the last look return and the training ends; None: never

    Raises UsageError for values out of range.
    """

    steps: int
    optimizer: str
    learning_rate: float
    batch: int | None
    weight_decay: float
    clip: float | None
    weight_limit: float | None
    check_every: int | None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise UsageError(f"job.optimizer is {self.optimizer!r}; it must be one of {', '.join(OPTIMIZERS)}")
        for key in ("steps", "batch", "check_every"):
            value = getattr(self, key)
            if (value is not None or key == "steps") and (type(value) is not int or value < 1):
                null = "" if key == "steps" else ", or null"
                raise UsageError(f"job.{key} is {value!r}; it must be an integer of at least 1{null}")
        for key in ("learning_rate", "clip", "weight_limit"):
            value = getattr(self, key)
            if (value is not None or key == "learning_rate") and (
                type(value) not in (int, float) or not 0 < value < inf
            ):
                null = "" if key == "learning_rate" else ", or null"
                raise UsageError(f"job.{key} is {value!r}; it must be a number above 0{null}")
        if type(self.weight_decay) not in (int, float) or not 0 <= self.weight_decay < 1:
            raise UsageError(f"job.weight_decay is {self.weight_decay!r}; it must be a number from 0 to below 1")


@dataclass(frozen=True)
class Penalty:
    """What links add to a loss (Ha, 2016): loss x (1 + p sqrt(links)) if the form is `multiplicative`, and loss +
    p sqrt(links) if it is `additive`.

    The multiplicative one vanishes with the loss, so that links cost nothing once the task is solved. Raises UsageError
    for another form and for p below 0.
    """

    form: str
    p: float

    def __post_init__(self) -> None:
        if self.form not in ("multiplicative", "additive"):
            raise UsageError(f"job.penalty_form is {self.form!r}; it must be multiplicative or additive")
        if type(self.p) not in (int, float) or not 0 <= self.p < inf:
            raise UsageError(f"job.penalty is {self.p!r}; it must be a number of at least 0")

    def penalised(self, loss: float, links: int) -> float:
        """The loss with what so many links add."""
        weight = self.p * sqrt(links)
        return loss * (1.0 + weight) if self.form == "multiplicative" else loss + weight
