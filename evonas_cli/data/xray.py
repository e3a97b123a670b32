"""Synthetic X-ray pictures with several findings at once, several pictures a patient, drawn from a seed.

A stand-in for chest X-rays with 14 findings (Wang et al., 2017, "ChestX-ray8"), on which LEAF evolved networks (Liang
et al., 2019): pictures of one patient are alike and show the same findings, so that a part that shares patients with
the training part would measure how well a network knows them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi, sin
from random import Random
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from evonas_cli.core.errors import UsageError
from evonas_cli.core.rng import stream
from evonas_cli.data.arrays import Arrays
from evonas_cli.data.dataset import Dataset
from evonas_cli.network.task import Kind

Pixels = NDArray[np.float64]

SIDE = 16
FINDINGS = {
    "nodule": (1.2, 1.2, 0.0),
    "mass": (3.0, 3.0, 0.0),
    "effusion": (4.0, 0.9, 0.0),
    "catheter": (0.9, 4.0, 0.0),
    "scar": (4.0, 0.9, pi / 4),
    "fissure": (4.0, 0.9, -pi / 4),
}
"""Standard deviations in pixels along both axes of a finding's bright blob, and the angle by which it is turned."""
COMMONEST, RAREST = 0.3, 0.1
"""Shares of the patients that have the first and the last finding; those of the others lie between."""
AMPLITUDE = 2.0
"""Brightness of a blob's centre, in the unit in which the noise of a pixel is given."""
GREY, UNIT = 128.0, 32.0
"""Grey level of nothing, and levels for brightness 1."""


@dataclass(frozen=True, kw_only=True)
class Xray(Dataset):
    """Synthetic grey X-ray pictures, 1x16x16, with several findings at once and several pictures a patient.

    `images` pictures of `patients` patients, each of whom has one at least, and each of the first `findings` findings
    or not; `noise` is the standard deviation of each pixel beside findings of brightness 2. All pictures of a patient
    go to one part. Raises UsageError for values out of range.
    """

    known_kind: ClassVar[Kind | None] = "labels"

    images: int
    patients: int
    findings: int
    noise: float
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, least, most in (("patients", 10, 1_000_000), ("findings", 2, len(FINDINGS))):
            value = getattr(self, key)
            if type(value) is not int or not least <= value <= most:
                raise UsageError(f"dataset.{key} is {value!r}; it must be an integer from {least} to {most}")
        if type(self.images) is not int or self.images < self.patients:
            raise UsageError(
                f"dataset.images is {self.images!r}; it must be an integer of at least dataset.patients={self.patients}"
            )
        if type(self.noise) not in (int, float) or not 0 <= self.noise < inf:
            raise UsageError(f"dataset.noise is {self.noise!r}; it must be a number of at least 0")
        if type(self.seed) is not int or not 0 <= self.seed < 2**63:
            raise UsageError(f"dataset.seed is {self.seed!r}; it must be an integer from 0 to 2^63 - 1")

    def looked_up_outputs(self) -> int:
        """As Source.looked_up_outputs."""
        return self.findings

    def looked_up_sizes(self, seed: int) -> dict[str, int]:
        """As Source.looked_up_sizes."""
        return self._sizes(self._checked(), seed)

    def read(self) -> Arrays:
        """As Dataset.read; never fails."""
        rng = stream(self.seed, "xray patients")
        whose = [*range(self.patients), *(rng.randrange(self.patients) for _ in range(self.images - self.patients))]
        names = tuple(FINDINGS)[: self.findings]
        people = [_Patient(stream(self.seed, "xray patient", number), names) for number in range(self.patients)]
        shown = [
            people[patient].picture(stream(self.seed, "xray picture", number), self.noise)
            for number, patient in enumerate(whose)
        ]
        levels = np.clip(np.rint(GREY + UNIT * np.stack(shown)), 0, 255).astype(np.uint8)
        labels = np.array([people[patient].has for patient in whose], dtype=np.float32)
        return Arrays(x_train=levels[:, None], y_train=labels, kind="labels", names=names, groups=np.array(whose))


class _Patient:
    """What all pictures of a patient have in common: the body, which findings there are, and where."""

    def __init__(self, rng: Random, names: tuple[str, ...]) -> None:
        step = (COMMONEST - RAREST) / (len(names) - 1)
        self.has = [int(rng.random() < COMMONEST - step * number) for number in range(len(names))]
        self._found = [name for name, has in zip(names, self.has, strict=True) if has]
        self._places = [(rng.uniform(3, SIDE - 4), rng.uniform(3, SIDE - 4)) for _ in self._found]
        self._body = np.zeros((SIDE, SIDE))
        for _ in range(3):
            spread = rng.uniform(4, 8)
            place = rng.uniform(0, SIDE - 1), rng.uniform(0, SIDE - 1)
            self._body += rng.gauss(0.0, 1.0) * _blob(*place, spread, spread, 0.0)

    def picture(self, rng: Random, noise: float) -> Pixels:
        """A picture in units of brightness, (16, 16): findings are shifted by up to a pixel from one to the next."""
        pixels = self._body + AMPLITUDE * sum(
            (
                _blob(x + rng.uniform(-1, 1), y + rng.uniform(-1, 1), *FINDINGS[name])
                for name, (x, y) in zip(self._found, self._places, strict=True)
            ),
            np.zeros((SIDE, SIDE)),
        )
        noises = [rng.gauss(0.0, noise) for _ in range(SIDE * SIDE)]
        return np.asarray(pixels + np.array(noises).reshape(SIDE, SIDE))


def _blob(x: float, y: float, wide: float, high: float, angle: float) -> Pixels:
    """A Gaussian bump around column `x` and row `y` with 1 in its centre, (16, 16)."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float64)
    along = (columns - x) * cos(angle) + (rows - y) * sin(angle)
    across = (rows - y) * cos(angle) - (columns - x) * sin(angle)
    return np.asarray(np.exp(-0.5 * ((along / wide) ** 2 + (across / high) ** 2)))
