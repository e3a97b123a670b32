"""What a network has to fit, and what a genome decodes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from evonas_cli.core.types import Json
from evonas_cli.network.op import Shape

if TYPE_CHECKING:
    from evonas_cli.network.plan import Plan

Kind: TypeAlias = Literal["classes", "labels", "numbers", "tokens", "samples", "boxes", "actions", "captions"]
"""What is to be said of an example: its one class, several labels at once, numbers (regression), the next token, or the
boxes of the objects in it with their classes; `samples`: new examples like those of the data are to be made; `actions`:
one of several is to be chosen at an observation, which exported policies do; `captions`: what an image shows in
words."""

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Task:
    """What a network has to fit.

    `inputs` is the shape of one example without the batch: (C, H, W) for an image, (C, L) for a series, (F,) for a
    vector, and (L,) for token ids. `outputs` counts the classes, labels, numbers or tokens, or the numbers of a sample;
    of boxes it counts the numbers that a network gives for an image (`network/detection.py`), of captions the scores of
    all tokens at all steps (`network/captions.py`). `vocabulary` counts the token ids, of which 0 is padding; 0 says
    that the inputs are numbers.

    `members` has the numbers of classes of several tasks that one network learns: `outputs` is their sum, the classes
    of one task follow those of the task before, and the last channel, or feature, of an input is the number of the
    example's task, from 0. It is () for a single task.
    """

    inputs: Shape
    outputs: int
    kind: Kind = "classes"
    vocabulary: int = 0
    members: tuple[int, ...] = ()

    @property
    def examples(self) -> str:
        """What the inputs are, in words: `images 1x8x8`, `texts of 43 tokens`."""
        if self.vocabulary and len(self.inputs) == 1:
            return f"texts of {self.inputs[0]} token{'s' if self.inputs[0] != 1 else ''}"
        words = {1: "vectors", 2: "series", 3: "images"}
        return f"{words.get(len(self.inputs), 'inputs')} {'x'.join(map(str, self.inputs))}"

    def to_json(self) -> dict[str, Json]:
        """The task as the environment of a run records it."""
        return {
            "inputs": list(self.inputs),
            "outputs": self.outputs,
            "kind": self.kind,
            "vocabulary": self.vocabulary,
            **({"members": list(self.members)} if self.members else {}),
        }

    @classmethod
    def from_json(cls, data: Any) -> Task:
        """The inverse of `to_json`; it reads the tasks of older runs, too. Raises ValueError for anything else."""
        try:
            if "shape" in data:
                return cls(tuple(data["shape"]), data["classes"])
            members = tuple(data.get("members", ()))
            return cls(tuple(data["inputs"]), data["outputs"], data["kind"], data["vocabulary"], members)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{str(data)[:80]} is no task") from error


@dataclass(frozen=True, slots=True)
class Phenotype:
    """A decoded genome: the network and the training settings it overrides."""

    plan: Plan
    hyper: Mapping[str, Json] = field(default_factory=dict)
