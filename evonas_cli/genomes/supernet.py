"""What strategies ask of a supernet, and what they are told: the options and payloads of the further job `supernet`.

A supernet is a candidate without a genome. An order to train makes the candidate an epoch that continues the one before
it; an order to score measures paths with the weights of the epoch that it continues.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.network.relaxed import Path

JOB = "supernet"
"""How a run's configuration names the job."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """Trains the shared weights for one epoch.

    `rule` names how; `epoch` counts from 0, of `epochs` in all. Step i of the epoch sums the gradients of the paths of
    group i of `groups`, which begin again when they are used up; rules that mix operations have none. `weights` are the
    settings of the weights' optimiser (`WeightSettings`), `settings` those of the rule.
    """

    rule: str
    epoch: int
    epochs: int
    weights: Mapping[str, Json]
    settings: Mapping[str, Json] = field(default_factory=dict)
    groups: tuple[tuple[Path, ...], ...] = ()

    def to_json(self) -> dict[str, Json]:
        """As a proposal's options have it."""
        return {
            "do": "train",
            "rule": self.rule,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "weights": dict(self.weights),
            "settings": dict(self.settings),
            "groups": [[list(path) for path in group] for group in self.groups],
        }


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """Measures each of the paths on the validation part.

    Before that the statistics of batch normalisation are measured on `examples` training examples (None: on all), in
    batches of `batch_size`. With `first_batch` path i is measured on mini-batch `first_batch` + i of the validation
    part alone, of `batch_size` examples, by the statistics of that batch: the reward of ENAS. Mini-batches begin again
    when they are used up. Paths of more than `max_multiply_adds` for an example are not measured (None: all are).
    """

    paths: tuple[Path, ...]
    batch_size: int
    examples: int | None = None
    first_batch: int | None = None
    max_multiply_adds: int | None = None

    def to_json(self) -> dict[str, Json]:
        """As a proposal's options have it."""
        return {
            "do": "score",
            "paths": [list(path) for path in self.paths],
            "batch_size": self.batch_size,
            "examples": self.examples,
            "first_batch": self.first_batch,
            **({} if self.max_multiply_adds is None else {"max_multiply_adds": self.max_multiply_adds}),
        }


def parse(options: Any) -> Training | Scoring:
    """The order that a proposal's options are. Raises UsageError for anything else."""
    try:
        given = {key: value for key, value in options.items() if key != "do"}
        if options["do"] == "train":
            groups = tuple([tuple([_path(path) for path in group]) for group in given.pop("groups")])
            return Training(groups=groups, **given)
        if options["do"] == "score":
            return Scoring(paths=tuple([_path(path) for path in given.pop("paths")]), **given)
    except (AttributeError, KeyError, TypeError) as error:
        raise UsageError(f"the job supernet knows no options {str(options)[:80]}: {error}") from error
    raise UsageError(f"the job supernet can train and score, not {options['do']!r}")


def _path(path: Sequence[int]) -> Path:
    return tuple([int(operation) for operation in path])


def steps(payload: Json) -> int:
    """The number of updates of an epoch. Raises ValueError for a payload without it."""
    found = payload.get("steps") if isinstance(payload, Mapping) else None
    if type(found) is not int:
        raise ValueError(f"the payload has no number of steps: {str(payload)[:80]}")
    return found


def scores(payload: Json, count: int) -> tuple[float | None, ...]:
    """The validation losses of the paths of an order to score, None for one that is not finite or was not measured.

    Raises ValueError for a payload that has no `count` of them.
    """
    losses = payload.get("losses") if isinstance(payload, Mapping) else None
    if not isinstance(losses, list | tuple) or len(losses) != count:
        raise ValueError(f"the payload has no {count} losses: {str(payload)[:80]}")
    return tuple([None if loss is None else float(loss) for loss in losses])


def errors(payload: Json, count: int) -> tuple[float, ...]:
    """The validation errors of the paths of an order to score. Raises ValueError for a payload that has no `count` of
    them, as on data that have no classes."""
    found = payload.get("errors") if isinstance(payload, Mapping) else None
    if not isinstance(found, list | tuple) or len(found) != count:
        raise ValueError(f"the payload has no {count} errors: {str(payload)[:80]}")
    return tuple([float(error) for error in found])


def strengths(payload: Json) -> tuple[tuple[float, ...], ...]:
    """For each edge the strength of each of its operations after an epoch of a rule that mixes them.

    Raises ValueError for a payload without them.
    """
    found = payload.get("strengths") if isinstance(payload, Mapping) else None
    if not isinstance(found, list | tuple):
        raise ValueError(f"the payload has no strengths: {str(payload)[:80]}")
    return tuple([tuple([float(strength) for strength in edge]) for edge in found])
