"""Policies of augmentation as text: `none`, or operations with a probability and a strength in [0, 1].

`rotate 0.5 0.4, noise 1.0 0.2` turns each training image with probability 0.5 by an angle drawn evenly up to 0.4 of the
largest one, then adds noise to all. Learned policies of operations, probabilities and magnitudes are those of
AutoAugment (Cubuk et al., CVPR 2019); the operations are ours, on normalised images, and none mirrors, since mirrored
digits are others. At strength 1:

    shift     up to 0.25 of each side       scale     by 2^-0.5 to 2^0.5
    rotate    up to 30 degrees              noise     Gaussian, standard deviation 0.5
    shear     up to 0.5                     erase     a square of half of the side, drawn anew for each image
    contrast  by 2^-1 to 2^1, about the mean 0
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

NONE = "none"
MOVES = ("shift", "rotate", "shear", "scale")
OPERATIONS = (*MOVES, "contrast", "noise", "erase")


@dataclass(frozen=True, slots=True)
class Step:
    """An operation that is applied to an image with `probability`, at a strength of 0 to 1."""

    operation: str
    probability: float
    strength: float


def policy_text(steps: tuple[Step, ...]) -> str:
    """The text of a policy; every number survives as it is."""
    words = [f"{step.operation} {float(step.probability)!r} {float(step.strength)!r}" for step in steps]
    return ", ".join(words) or NONE


def policy_of(text: Any) -> tuple[Step, ...]:
    """The steps of a policy, none for `none`. Raises ValueError, in one line, for what is no policy."""
    if text == NONE:
        return ()
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is no policy such as 'rotate 0.5 0.4, noise 1.0 0.2'")
    return tuple([_step(part) for part in text.split(",")])


def _step(text: str) -> Step:
    words = text.split()
    if len(words) != 3 or words[0] not in OPERATIONS:
        raise ValueError(
            f"{text.strip()!r} must be one of {', '.join(OPERATIONS)}, a probability and a strength: rotate 0.5 0.4"
        )
    try:
        numbers = [float(word) for word in words[1:]]
    except ValueError:
        numbers = []
    if not numbers or not all(isfinite(number) and 0 <= number <= 1 for number in numbers):
        raise ValueError(f"{text.strip()!r} must have a probability and a strength from 0 to 1")
    return Step(words[0], *numbers)
