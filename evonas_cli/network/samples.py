"""Samples of a generative model as the journal keeps them: each number as one byte."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from math import prod
from typing import Any, Protocol, runtime_checkable

from evonas_cli.core.capability import Capability
from evonas_cli.core.types import Json
from evonas_cli.network.op import Shape

POINTS, IMAGES = 300, 16
"""Samples of a candidate that the journal keeps: of vectors and of images."""
LEVELS = 255


@dataclass(frozen=True, slots=True)
class Samples:
    """Examples of a `shape`, (F,) or (C, H, W), one after the other in `values`.

    A byte v of feature, or channel, k stands for low[k] + (high[k] - low[k]) v / 255 in the unit of the data.
    """

    shape: Shape
    low: tuple[float, ...]
    high: tuple[float, ...]
    values: bytes

    @classmethod
    def of(cls, shape: Shape, low: Sequence[float], high: Sequence[float], numbers: Iterable[float]) -> Samples:
        """Samples of all numbers in order, in the unit of the data; what is out of range is moved to its end."""
        each = prod(shape[1:])
        scales = [(a, LEVELS / (b - a) if b > a else 0.0) for a, b in zip(low, high, strict=True) for _ in range(each)]
        found = [
            min(LEVELS, max(0, round((number - a) * scale)))
            for number, (a, scale) in zip(numbers, cycle(scales), strict=False)
        ]
        return cls(tuple(shape), tuple(low), tuple(high), bytes(found))

    def __len__(self) -> int:
        return len(self.values) // prod(self.shape)

    def rows(self) -> list[bytes]:
        """The bytes of each sample."""
        size = prod(self.shape)
        return [self.values[start : start + size] for start in range(0, len(self.values), size)]

    def number(self, feature: int, value: int) -> float:
        """What a byte of a feature, or channel, stands for."""
        return self.low[feature] + (self.high[feature] - self.low[feature]) * value / LEVELS

    def to_json(self) -> dict[str, Json]:
        """The samples as a document; bytes are in base64."""
        return {
            "shape": list(self.shape),
            "low": list(self.low),
            "high": list(self.high),
            "bytes": base64.b64encode(self.values).decode("ascii"),
        }

    @classmethod
    def from_json(cls, data: Any) -> Samples:
        """The inverse of `to_json`. Raises ValueError for anything else."""
        try:
            shape, low, high = (tuple(data[key]) for key in ("shape", "low", "high"))
            values = base64.b64decode(data["bytes"], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{str(data)[:80]} are no samples") from error
        if len(shape) not in (1, 3) or len(values) % prod(shape) or not len(low) == len(high) == shape[0]:
            raise ValueError(f"{str(data)[:80]} are no samples")
        return cls(shape, low, high, values)


def kept(shape: Shape) -> int:
    """How many samples of a candidate the journal keeps."""
    return POINTS if len(shape) == 1 else IMAGES


@runtime_checkable
class Generative(Protocol, metaclass=Capability):
    """Capability of a job: its results' payloads have samples, and it has examples of the data to set beside them."""

    def samples(self, payload: Json) -> Samples | None:
        """Those of a result; None for a payload without any."""

    def examples(self) -> tuple[Samples, str]:
        """As many examples of the validation part, and the fingerprint of the data. Reads the data, never its test
        part, and raises as it does."""


def samples_in(payload: Json) -> Samples | None:
    """The samples of a payload {"samples": ...}; None for a payload without any."""
    found = payload.get("samples") if isinstance(payload, Mapping) else None
    return None if found is None else Samples.from_json(found)
