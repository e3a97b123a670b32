"""What the training loop drives: one epoch, a validation, and the states of the members that are trained side by side.

`feed_forward.FeedForward` trains networks on examples without an order, `backpropagation.ThroughTime` trains a
recurrent network on sequences.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from torch import Tensor

from evonas_cli.network.task import Kind

if TYPE_CHECKING:
    from evonas_cli.training.checkpoint import Place

Weights: TypeAlias = dict[str, Tensor]
"""The weights and buffers of one member, by name."""


class Diverged(Exception):
    """The loss is no finite number."""


Part: TypeAlias = Literal["train", "valid", "test"]
Outcome: TypeAlias = dict[str, float] | Diverged

Pause: TypeAlias = Callable[[], bool]
"""Lets others use this thread's time; False when no other training waits."""


def no_pause() -> bool:
    """The pause of a training beside which no other one waits."""
    return False


class Members(Protocol):
    """The networks of a program, each of which has weights of its own."""

    width: int

    def member(self, index: int) -> Weights:
        """The state of one member; views, so that a change of the network shows.

        >>> model.member(0)["readout.bias"].shape
        torch.Size([6])
        """

    def load_member(self, index: int, state: Weights) -> None:
        """The inverse of `member`. Raises ValueError when the state is that of another network.

        >>> model.load_member(0, {})
        Traceback (most recent call last):
        ValueError: the saved weights are those of a different network
        """

    def check_member(self, index: int, state: Weights) -> None:
        """Raises ValueError when the state is that of another network, and changes nothing.

        >>> model.check_member(0, model.member(0))
        """


class Exercise(Protocol):
    """A training that the loop can drive epoch by epoch; its `width` places hold one member each, or none.

    `steps_per_epoch` counts the updates of an epoch, and `batch_size` the examples of one. `passes_per_epoch` counts
    the examples of an epoch in forward passes, a step of training as three: times a network's multiply-adds for an
    example it is the cost of an epoch. `tests` says that the test part is there and is to be measured. `kind` is that
    of the task, from which follows what the best epoch is.
    """

    kind: Kind
    width: int
    steps_per_epoch: int
    batch_size: int
    passes_per_epoch: int
    tests: bool

    def place(self, index: int) -> Place:
        """Copies and loads the weights and the optimiser's memory of the member at a place.

        >>> weights, memory = exercise.place(0).copy()
        >>> exercise.epoch([[0.1]] * exercise.steps_per_epoch, 0)
        [1.78]
        >>> exercise.place(0).load(weights, memory)     # as before the epoch
        """

    def epoch(self, rates: Sequence[Sequence[float]], epoch: int) -> list[float]:
        """One pass over the training part with learning rates (steps, places); the mean loss at each place.

        All that is drawn at random is a function of the run's seed and of `epoch`, which counts from 0. A loss that is
        no finite number says that the member has diverged, and the epoch may end there.

        >>> exercise.epoch([[0.1, 0.0]] * exercise.steps_per_epoch, 3)      # the second member stands still
        [1.72, 2.3]
        """

    def validate(self, places: Sequence[int], part: Part) -> dict[int, Outcome]:
        """The metrics over a part in evaluation mode, by place, under their names without the part.

        A place whose metrics are not all finite has Diverged instead. Raises RuntimeError when metrics contradict each
        other.

        >>> exercise.validate([0], "valid")
        {0: {'loss': 1.69, 'error': 0.61, 'perplexity': 5.42}}
        """


def outcomes(measured: Sequence[dict[str, float]], places: Sequence[int], part: Part) -> dict[int, Outcome]:
    """The metrics of the places, or Diverged for a place with a metric that is no finite number.

    >>> outcomes([{"loss": 0.5}, {"loss": float("nan")}], [1], "valid")
    {1: Diverged('the loss over the valid part is nan')}
    """
    found: dict[int, Outcome] = {}
    for place in places:
        broken = [name for name, value in measured[place].items() if not isfinite(value)]
        text = f"the {broken[0]} over the {part} part is {measured[place][broken[0]]}" if broken else ""
        found[place] = Diverged(text) if broken else measured[place]
    return found
