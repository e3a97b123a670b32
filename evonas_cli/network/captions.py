"""Networks that say in words what an image shows, as ordinary plans, and the one that others are measured by.

A caption of n words is read as a boundary token and its words, and has to be answered by its words and a boundary
token. At each step a network sees the image and the words so far, so that one pass over a whole caption trains all
steps (teacher forcing), and a caption is made by passes over what has been made of it (`training/captions/greedy.py`).
Plans must be causal: what they answer at a step depends on no later word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

from evonas_cli.network.op import Shape
from evonas_cli.network.plan import Graph, Plan, PlanError
from evonas_cli.network.task import Task

PADDING, BOUNDARY, FIRST = 0, 1, 2
"""Token ids: nothing, what begins and ends a caption, and the first word of the vocabulary."""


@dataclass(frozen=True, slots=True)
class CaptionTask:
    """What captions are made of: images of the shape `image`, `tokens` token ids (padding and the boundary among them),
    and at most `steps` of them to a caption, the boundary at its end among them."""

    image: Shape
    tokens: int
    steps: int

    @property
    def reads(self) -> int:
        """How many numbers a network reads: the image, then the ids of the words so far."""
        return prod(self.image) + self.steps

    @property
    def task(self) -> Task:
        """As the environment of a run records it: `outputs` are the scores of all tokens at all steps."""
        return Task(self.image, self.tokens * self.steps, "captions", vocabulary=self.tokens)

    @classmethod
    def of(cls, task: Task) -> CaptionTask:
        """The inverse of `task`. Raises ValueError for a task of another kind."""
        if task.kind != "captions" or len(task.inputs) != 3:
            raise ValueError(f"{task} has no captions")
        return cls(task.inputs, task.vocabulary, task.outputs // task.vocabulary)

    def check(self, plan: Plan) -> None:
        """Raises PlanError for a plan that reads or gives other shapes than this task has."""
        reads, gives = plan.shapes[0], plan.shapes[plan.output]
        if (reads, gives) != ((self.reads,), (self.tokens, self.steps)):
            raise PlanError(
                f"a network for captions must read {(self.reads,)} and give {(self.tokens, self.steps)}, "
                f"not {reads} and {gives}"
            )


class Sketchpad:
    """A graph that reads an image and words; `image` (C, H, W) and `ids` (steps,) are its nodes."""

    def __init__(self, task: CaptionTask) -> None:
        self.task, self.graph = task, Graph((task.reads,))
        channels, height, width = task.image
        self.image = self.graph.add("picture", 0, channels=channels, height=height, width=width)
        self.ids = self.graph.add("words", 0, length=task.steps)

    def convolved(self, x: int, channels: Sequence[int]) -> int:
        """Convolutions of 3 x 3 pixels, each with ReLU, and halved by a max pool. Raises PlanError for a map that is
        too small."""
        for count in channels:
            x = self.graph.add("relu", self.graph.add("conv", x, channels=count, kernel=3, bias=1))
            x = self.graph.add("max_pool", x, kernel=2, stride=2)
        return x

    def scores(self, x: int) -> Plan:
        """The plan whose scores are a linear function of each column of x."""
        plan = self.graph.plan(self.graph.add("conv1d", x, channels=self.task.tokens, kernel=1, bias=1))
        self.task.check(plan)
        return plan


def show_and_tell(task: CaptionTask, channels: Sequence[int], embedding: int, hidden: int) -> Plan:
    """The network of Vinyals et al. ("Show and Tell", CVPR 2015) in small.

    Convolutions with `channels` make a vector of `embedding` numbers of the image, which one LSTM layer with `hidden`
    units reads once, before the embedded words; a linear layer scores the next one. Deviation: the convolutions are
    trained with the rest, on the images of the task, in place of a large network for ImageNet. Raises PlanError for
    images that are too small for the convolutions.
    """
    pad = Sketchpad(task)
    graph = pad.graph
    seen = graph.add("flatten", pad.convolved(pad.image, channels))
    words = graph.add("embedding", pad.ids, vocabulary=task.tokens, width=embedding)
    first = graph.add("repeat", graph.add("linear", seen, features=embedding), length=1)
    read = graph.add("lstm", graph.add("join", first, words), hidden=hidden)
    return pad.scores(graph.add("later", read, skipped=1))
