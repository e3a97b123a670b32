"""The checks that all arrays go through."""

from __future__ import annotations

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.arrays import Arrays, checked


def images(n: int = 6, kind: type = np.uint8) -> np.ndarray:
    """Image i is filled with the number i."""
    return np.broadcast_to(np.arange(n)[:, None, None, None], (n, 1, 2, 2)).astype(kind)


Y = np.array([0, 1, 2, 0, 1, 2])


def with_nan() -> np.ndarray:
    x = images(kind=np.float32)
    x[4, 0, 1, 1] = np.nan
    return x


def test_types_become_those_promised():
    arrays = checked(Arrays(x_train=images(kind=np.float64), y_train=Y.astype(np.float32)[:, None]), "here")
    assert (arrays.x_train.dtype, arrays.y_train.dtype, arrays.y_train.shape) == (np.float32, np.int64, (6,))
    assert (arrays.kind, arrays.names) == ("classes", ("0", "1", "2"))


def test_bytes_stay_bytes():
    assert checked(Arrays(x_train=images(), y_train=Y), "here").x_train.dtype == np.uint8


@pytest.mark.parametrize(
    ("arrays", "text"),
    [
        (Arrays(x_train=images(5), y_train=Y), "here: the train part has 5 images and 6 targets"),
        (Arrays(x_train=images(), y_train=Y + 0.5), "here: y_train has numbers that are not whole"),
        (Arrays(x_train=images(), y_train=Y * np.nan), "here: y_train has NaN or infinite values in 6 of 6 targets"),
        (
            Arrays(x_train=images(), y_train=np.ones((6, 6))),
            "here: y_train has shape (6, 6), but its rows are not one-",
        ),
        (Arrays(x_train=images(), y_train=Y * 0.0 + 2, kind="numbers"), "here: all targets in y_train are 2"),
        (
            Arrays(x_train=images(), y_train=np.stack([Y, Y * 0], axis=1), kind="numbers"),
            "here: all targets of column 1 in y_train are 0",
        ),
        (Arrays(x_train=images(), y_train=np.ones((6, 2)), kind="labels"), "all rows of y_train have the same labels"),
        (Arrays(x_train=images(), y_train=Y, x_test=images(), y_test=Y.astype(str)), "numbers and y_test has words"),
        (Arrays(x_train=images(), y_train=Y, x_test=images(), y_test=np.eye(6)), "y_test has shape (6, 6)"),
        (Arrays(x_train=np.zeros(6), y_train=Y), "here: x_train has shape (6,); images are"),
        (
            Arrays(x_train=with_nan(), y_train=Y),
            "x_train has NaN or infinite values in 1 of 6 images, the first at index 4",
        ),
        (Arrays(x_train=images().astype(str), y_train=Y), "here: x_train has type <U3"),
        (Arrays(x_train=images(0), y_train=Y[:0]), "here: the train part is empty"),
        (Arrays(x_train=images(), y_train=Y * 0), "here: all targets are 0; there is nothing to tell apart"),
        (Arrays(x_train=images()[[1] * 6], y_train=Y), "here: the train part is 6 times the same image"),
        (
            Arrays(x_train=images(kind=float), y_train=Y, x_valid=images(kind=float)[[0] * 6], y_valid=Y),
            "here: the valid part is 6 times the same image",
        ),
        (
            Arrays(x_train=images(), y_train=Y, x_test=images()),
            "here: the test part has only one of inputs and targets",
        ),
        (
            Arrays(x_train=images(), y_train=Y, x_test=images(1), y_test=np.array([3])),
            "here: y_test has the class 3, but y_train has no example of it",
        ),
        (Arrays(x_train=images(), y_train=Y, x_test=images(kind=float), y_test=Y), "the test part is float32"),
        (Arrays(x_train=images(), y_train=Y, x_valid=images()[:, :, :1], y_valid=Y), "of shape (1, 1, 2)"),
    ],
)
def test_bad_arrays_are_refused_in_one_line(arrays, text):
    with pytest.raises(UsageError) as error:
        checked(arrays, "here")
    assert text in str(error.value)
    assert "\n" not in str(error.value)


def test_images_that_differ_in_one_pixel_are_taken():
    x = images()[[0] * 6]
    x[5, 0, 1, 1] = 1
    assert checked(Arrays(x_train=x, y_train=Y, x_test=x[:1], y_test=Y[:1]), "here").names == ("0", "1", "2")


@pytest.mark.parametrize("y", [Y - 1, Y * 2 + 5, np.array(list("xyzxyz")), np.eye(3, dtype=int)[Y]])
def test_classes_of_any_form_are_numbered_over_all_parts(y):
    arrays = checked(Arrays(x_train=images(), y_train=y, x_test=images(2), y_test=y[4:], kind="auto"), "here")
    assert (arrays.y_train.tolist(), arrays.y_test.tolist()) == (Y.tolist(), Y[4:].tolist())
    assert arrays.y_train.dtype == np.int64


@pytest.mark.parametrize("shape", [(6, 4), (6, 2, 5)])
def test_vectors_and_series_become_floats_whatever_they_were(shape):
    x = np.arange(np.prod(shape)).reshape(shape).astype(np.uint8)
    arrays = checked(Arrays(x_train=x, y_train=Y), "here")
    assert (arrays.x_train.dtype, arrays.x_train.shape) == (np.float32, shape)
    assert np.array_equal(arrays.x_train, x)
