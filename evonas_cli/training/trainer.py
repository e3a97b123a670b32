"""The settings of a training: one flat value, checked where it is made, that a genome may override in part."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from difflib import get_close_matches
from math import inf
from typing import Any, TypeAlias

from evonas_cli.core.errors import UsageError
from evonas_cli.core.types import Json
from evonas_cli.network import augmentation_policies, initialisations, learning_rules, losses
from evonas_cli.training.schedules import SCHEDULES

OPTIMIZERS = ("sgd", "adamw")
PRECISIONS = ("auto", "fp32", "bf16")
LAYOUTS = ("auto", "channels_last", "contiguous")
CONVOLUTIONS = ("auto", "grouped")
KEEPS = ("last", "best")


@dataclass(frozen=True, kw_only=True)
class Trainer:
    """How a candidate is trained. Raises UsageError, naming `trainer.<key>`, for values out of range.

    epochs, batch_size     full training; a batch that the data cannot fill is dropped unless it is the only one, which
                           then has all images
    optimizer              sgd or adamw; `momentum` is adamw's beta1 as well (its beta2 is 0.999)
    learning_rate, momentum, nesterov, weight_decay
    decoupled              sgd only: weights shrink by (1 - learning rate x weight_decay) apart from the gradient step
                           (Loshchilov & Hutter, 2019); adamw always does
    schedule               cosine, step (x gamma every step_size epochs), one_cycle or constant, over the full training:
                           a candidate of lower fidelity sees the beginning of it, and one that continues goes on in it;
                           `warmup`: epochs of linear rise, not with one_cycle
    label_smoothing        in the training loss only
    clip_norm              largest norm of the gradient, or null
    precision              fp32, bf16 (autocast), or auto: bf16 on CUDA devices that have it, and for images on CPUs
                           that are faster in it, but not in single networks without convolutions
    layout                 channels_last, contiguous, or auto: channels_last
    eval_batch_size        images in a validation batch
    checkpoint_seconds     least time between two checkpoints of a candidate, written at an epoch's end; null: none
    save_state             keep weights and optimiser state so that a later candidate can continue the training
    max_parameters, max_multiply_adds   larger networks fail untrained; null: no limit
    stack                  most candidates of one structure in one program; 1: none; null: by their size; on CUDA
                           devices never more than 32 bits can index of a batch's largest maps
    graph                  record the training step as a CUDA graph: true, false, or null: where that is possible
    convolution            auto or grouped, which are the same: older runs could choose among other forms
    measure_train          also measure the training part in evaluation mode: train_eval_loss, train_eval_error, ...
    validate_every         epochs from one validation to the next, of which each is a point of the candidate's learning
                           curve, as the last epoch is; null: after the last epoch only
    keep                   last: metrics and kept weights are those after the last epoch; best: those after the
                           validated epoch with the best value of what a search on such data optimises, of equals the
                           earliest
    class_weights          none, or balanced: all classes weigh the same in the training loss, however rare they are
    loss                   what is minimised: standard, or the text of a polynomial or formula (network/losses.py);
                           metrics of validation stay what they are
    initialisation         standard, or how initial weights are drawn (network/initialisations.py)
    augmentation           none, or operations on training images (network/augmentation_policies.py), after those of
                           the data set
    rule                   none, or a formula in the place of `optimizer` (network/learning_rules.py), with `momentum`
                           as the decay of its first moment, and decoupled weight decay
    """

    epochs: int
    batch_size: int
    optimizer: str
    learning_rate: float
    momentum: float
    nesterov: bool
    weight_decay: float
    decoupled: bool
    schedule: str
    step_size: int
    gamma: float
    warmup: float
    label_smoothing: float
    clip_norm: float | None
    precision: str
    layout: str
    eval_batch_size: int
    checkpoint_seconds: float | None
    save_state: bool
    max_parameters: int | None
    max_multiply_adds: int | None
    measure_train: bool = False
    class_weights: str = "none"
    validate_every: int | None = 1
    keep: str = "last"
    stack: int | None = None
    graph: bool | None = None
    loss: str = "standard"
    initialisation: str = "standard"
    augmentation: str = "none"
    rule: str = "none"
    convolution: Any = "auto"  # a word, but older runs may have a mapping, which the rule has to see

    def __post_init__(self) -> None:
        for key, (fits, wanted) in _RULES.items():
            value = getattr(self, key)
            if not fits(value):
                raise UsageError(f"trainer.{key} is {value!r}; it must be {wanted}")
        for key, read in _TEXTS.items():
            try:
                read(getattr(self, key))
            except ValueError as error:
                raise UsageError(f"trainer.{key}: {error}") from error
        if self.nesterov and self.optimizer == "sgd" and self.momentum == 0:
            raise UsageError("trainer.nesterov needs momentum; set trainer.momentum=0.9 or trainer.nesterov=false")
        if self.warmup and self.schedule == "one_cycle":
            raise UsageError("trainer.schedule=one_cycle has its own rise; set trainer.warmup=0")
        if self.keep == "best" and self.validate_every is None:
            raise UsageError("trainer.keep=best chooses among validated epochs; set trainer.validate_every=1")
        if self.warmup > self.epochs:
            raise UsageError(f"trainer.warmup is {self.warmup}; it must not exceed trainer.epochs={self.epochs}")

    def override(self, hyper: Mapping[str, Json]) -> Trainer:
        """The trainer with a genome's own settings. Raises UsageError for unknown keys and values out of range."""
        names = [field.name for field in fields(self)]
        for key in hyper:
            if key not in names:
                close = get_close_matches(key, names, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
                raise UsageError(f"the genome sets trainer.{key}, which does not exist; {hint}")
        values: dict[str, Any] = dict(hyper)
        return replace(self, **values)


def check_kind(trainer: Trainer, kind: str) -> None:
    """Raises UsageError for settings that a kind of task (classes, labels, numbers, boxes) does not have."""
    if trainer.class_weights != "none" and kind != "classes":
        raise UsageError(
            f"trainer.class_weights={trainer.class_weights} weighs classes, but the data has {kind}; "
            "set trainer.class_weights=none"
        )
    if trainer.label_smoothing and kind in ("numbers", "boxes"):
        raise UsageError(
            f"trainer.label_smoothing={trainer.label_smoothing:g} smooths classes or labels, but the data has {kind}; "
            "set trainer.label_smoothing=0"
        )


STANDARD: Mapping[str, tuple[str, str]] = {
    "loss": (losses.STANDARD, "the loss"),
    "initialisation": (initialisations.STANDARD, "initial weights"),
    "augmentation": (augmentation_policies.NONE, "a policy of augmentation"),
    "rule": (learning_rules.NONE, "a rule of learning"),
}
"""Settings that may be searched, with the value that stands for what is usual, and what they are in words."""


def check_standard(
    trainer: Trainer, who: str, tuned: Container[str] = (), keys: Sequence[str] = tuple(STANDARD)
) -> None:
    """Raises UsageError for a training by other than usual means, where `who` knows the usual ones alone.

    `tuned` has the settings that genomes change, `keys` those that are looked at.
    """
    for key in keys:
        usual, what = STANDARD[key]
        if getattr(trainer, key) != usual:
            raise UsageError(f"trainer.{key} sets {what}, which {who} does not heed; set trainer.{key}={usual}")
        if key in tuned:
            raise UsageError(f"the space's genomes set {what} (trainer.{key}), which {who} does not heed; "
                             "use another space")  # fmt: skip


def check_meant(trainer: Trainer, without_meaning: Mapping[str, tuple[Any, ...]], who: str) -> None:
    """Raises UsageError for a setting that means nothing to `who` and has another value than those that ask for
    nothing, of which the message names the last one."""
    for key, fitting in without_meaning.items():
        if getattr(trainer, key) not in fitting:
            found, wanted = (str(value).lower() for value in (getattr(trainer, key), fitting[-1]))
            raise UsageError(f"trainer.{key}={found} means nothing to {who}; set trainer.{key}={wanted}")


_TEXTS: Mapping[str, Callable[[Any], object]] = {
    "loss": losses.loss_of,
    "initialisation": initialisations.initialisation_of,
    "augmentation": augmentation_policies.policy_of,
    "rule": learning_rules.rule_of,
}
"""Settings that are texts in a language of their own, and what reads them or raises ValueError."""

_Rule: TypeAlias = tuple[Callable[[Any], bool], str]


def _integer(least: int) -> _Rule:
    return lambda v: type(v) is int and v >= least, f"an integer of at least {least}"


def _number(fits: Callable[[float], bool], wanted: str) -> _Rule:
    return lambda v: type(v) in (int, float) and v < inf and fits(v), wanted


def _one_of(*options: str) -> _Rule:
    return lambda v: v in options, f"one of {', '.join(options)}"


def _or_null(rule: _Rule) -> _Rule:
    return lambda v: v is None or rule[0](v), f"{rule[1]}, or null"


_BOOLEAN: _Rule = (lambda v: type(v) is bool, "true or false")
_POSITIVE = _number(lambda v: v > 0, "a number above 0")
_NOT_NEGATIVE = _number(lambda v: v >= 0, "a number of at least 0")
_FRACTION = _number(lambda v: 0 <= v < 1, "a number from 0 to below 1")

_RULES: Mapping[str, _Rule] = {
    "epochs": _integer(1),
    "batch_size": _integer(1),
    "optimizer": _one_of(*OPTIMIZERS),
    "learning_rate": _POSITIVE,
    "momentum": _FRACTION,
    "nesterov": _BOOLEAN,
    "weight_decay": _NOT_NEGATIVE,
    "decoupled": _BOOLEAN,
    "schedule": _one_of(*SCHEDULES),
    "step_size": _integer(1),
    "gamma": _number(lambda v: 0 < v <= 1, "a number above 0, at most 1"),
    "warmup": _NOT_NEGATIVE,
    "label_smoothing": _FRACTION,
    "clip_norm": _or_null(_POSITIVE),
    "precision": _one_of(*PRECISIONS),
    "layout": _one_of(*LAYOUTS),
    "eval_batch_size": _integer(1),
    "checkpoint_seconds": _or_null(_NOT_NEGATIVE),
    "save_state": _BOOLEAN,
    "max_parameters": _or_null(_integer(1)),
    "max_multiply_adds": _or_null(_integer(1)),
    "measure_train": _BOOLEAN,
    "class_weights": _one_of("none", "balanced"),
    "validate_every": _or_null(_integer(1)),
    "keep": _one_of(*KEEPS),
    "stack": _or_null(_integer(1)),
    "graph": _or_null(_BOOLEAN),
    "convolution": (
        lambda v: v in CONVOLUTIONS,
        f"{' or '.join(CONVOLUTIONS)}: other forms of convolutions were removed, and a run that uses one can be "
        "resumed with an evonas 0.1.0 from before that",
    ),
}
