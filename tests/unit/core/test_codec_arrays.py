"""Arrays in a strategy's state come back bit by bit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from evonas_cli.core.codec import CodecError, decode, encode


@dataclass(frozen=True)
class Distribution:
    """A mean and, once it is known, a covariance."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64] | None = None


def there_and_back(value: Distribution) -> Any:
    return decode(Distribution, json.loads(json.dumps(encode(Distribution, value, str))), int)


def test_every_bit_and_the_shape_come_back() -> None:
    mean = np.array([0.1, -0.0, np.inf, np.nextafter(1.0, 2.0), np.nan])
    back = there_and_back(Distribution(mean, np.arange(6.0).reshape(2, 3)[:, ::-1]))
    assert back.mean.tobytes() == mean.tobytes() and back.mean.flags.writeable
    assert back.covariance.tolist() == [[2.0, 1.0, 0.0], [5.0, 4.0, 3.0]]
    assert there_and_back(Distribution(np.zeros((0, 4)))).mean.shape == (0, 4)
    assert there_and_back(Distribution(mean)).covariance is None


@pytest.mark.parametrize("wrong", [np.arange(3), [1.0], np.zeros(2, np.float32)])
def test_other_arrays_are_refused(wrong: Any) -> None:
    with pytest.raises(CodecError, match="expected an array of float64"):
        encode(NDArray[np.float64], wrong, str)


@pytest.mark.parametrize(
    "data", [None, [], {"shape": [3], "float64": ""}, {"shape": [1], "float64": "AAA"}, {"shape": []}]
)
def test_damaged_arrays_are_refused(data: Any) -> None:
    with pytest.raises(CodecError, match="expected"):
        decode(NDArray[np.float64], data, int)
