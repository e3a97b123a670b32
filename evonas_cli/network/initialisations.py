"""Initial weights of a training as text: `standard`, or distribution, fan, gain and output gain.

`normal fan_in 1.41 1.0` draws the weights of convolutions and linear layers with standard deviation gain / sqrt(fan):

    normal      Gaussian (He et al., ICCV 2015: fan_in, gain sqrt(2); LeCun et al., 1998: fan_in, gain 1)
    uniform     even, with this standard deviation (Glorot and Bengio, AISTATS 2010: fan_avg, gain 1)
    orthogonal  rows or columns at right angles (Saxe et al., ICLR 2014), scaled to this standard deviation

fan_in and fan_out count the numbers that an output sums, and that an input goes to; fan_avg is their mean. The layer
that gives the network's output has `output gain` instead of `gain`. Biases are 0. All other weights, and with
`standard` these as well, are those of the network's own layers (nn/layers).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

STANDARD = "standard"
DISTRIBUTIONS = ("normal", "uniform", "orthogonal")
FANS = ("fan_in", "fan_out", "fan_avg")


@dataclass(frozen=True, slots=True)
class Initialisation:
    """How weights are drawn."""

    distribution: str
    fan: str
    gain: float
    output_gain: float

    def __str__(self) -> str:
        """`normal fan_in 1.41 1.0`."""
        return f"{self.distribution} {self.fan} {self.gain!r} {self.output_gain!r}"


def initialisation_of(text: Any) -> Initialisation | None:
    """What a text stands for; None: standard. Raises ValueError, in one line, for anything else."""
    if text == STANDARD:
        return None
    words = text.split() if isinstance(text, str) else []
    if len(words) != 4 or words[0] not in DISTRIBUTIONS or words[1] not in FANS:
        raise ValueError(
            f"{text!r} must be {STANDARD}, or one of {', '.join(DISTRIBUTIONS)}, then one of {', '.join(FANS)}, gain "
            "and output gain, such as 'normal fan_in 1.41 1.0'"
        )
    try:
        gains = [float(word) for word in words[2:]]
    except ValueError:
        gains = []
    if not gains or not all(isfinite(gain) and gain >= 0 for gain in gains):
        raise ValueError(f"{text!r} has gains that are no numbers of at least 0")
    return Initialisation(words[0], words[1], *gains)
