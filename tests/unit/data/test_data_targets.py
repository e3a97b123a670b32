"""Targets of every form become classes, labels or numbers; what has two readings is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evonas_cli.core.errors import UsageError
from evonas_cli.data.targets import targets

MATRIX = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0]])


@pytest.mark.parametrize(
    ("raw", "y", "names"),
    [
        ([0, 1, 2, 1], [0, 1, 2, 1], "0 1 2"),
        ([7, 5, 7, 9], [1, 0, 1, 2], "5 7 9"),
        ([-1, 1, -1], [0, 1, 0], "-1 1"),
        (["b", "a", "b"], [1, 0, 1], "a b"),
        ([b"b", b"a"], [1, 0], "a b"),
        ([True, False], [1, 0], "False True"),
        ([[3], [4]], [0, 1], "3 4"),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 1]], [1, 0, 2], "0 1 2"),
        ([[0.0, 1.0], [1.0, 0.0]], [1, 0], "0 1"),
        (np.array(["x", "y"], dtype=object), [0, 1], "x y"),
    ],
)
def test_classes_of_any_form_are_numbered_in_the_order_of_their_values(raw: Any, y: list[int], names: str):
    found = targets(np.array(raw), "auto", "here")
    assert (found.kind, found.y.tolist(), found.names) == ("classes", y, tuple(names.split()))
    assert found.y.dtype == np.int64


def test_a_matrix_of_0_and_1_is_several_labels_at_once():
    found = targets(MATRIX, "auto", "here", ("a", "b", "c"))
    assert (found.kind, found.names, found.y.dtype) == ("labels", ("a", "b", "c"), np.float32)
    assert np.array_equal(found.y, MATRIX)
    one_hot = targets(np.eye(3), "labels", "here")
    assert (one_hot.kind, one_hot.names) == ("labels", ("0", "1", "2"))


@pytest.mark.parametrize("raw", [[0.5, 1.0], [[0.5], [1.0]], [[0.5, 2.0], [1.0, 1.0]]])
def test_floats_are_numbers(raw: Any):
    found = targets(np.array(raw), "auto", "here")
    assert (found.kind, found.y.shape, found.y.dtype) == ("numbers", (2, np.size(raw) // 2), np.float64)


def test_the_kind_decides_where_there_are_two_readings():
    ages = np.array([3.0, 1.0, 3.0])
    assert targets(ages, "classes", "here").y.tolist() == [1, 0, 1]
    assert targets(ages, "numbers", "here").y.tolist() == [[3.0], [1.0], [3.0]]
    assert targets(np.array([3, 1]), "numbers", "here").y.tolist() == [[3.0], [1.0]]


@pytest.mark.parametrize(
    ("raw", "kind", "text"),
    [
        (
            [1.0, 2.0],
            "auto",
            "here has whole numbers written as floats, which may be classes (dataset.kind=classes) or",
        ),
        ([0.5, np.nan, np.inf], "auto", "here has NaN or infinite values in 2 of 3 targets, the first at index 1"),
        ([[0.5, 1], [np.nan, 1]], "numbers", "in 1 of 2 targets, the first at index 1"),
        (["a", ""], "auto", "here has empty words in 1 of 2 targets, the first at index 1"),
        (["a", "b"], "numbers", "here has words; dataset.kind=numbers needs numbers"),
        ([0.5, 1.0], "classes", "here has numbers that are not whole"),
        (MATRIX, "classes", "its rows are not one-hot"),
        ([[2, 0], [0, 1]], "auto", "here has shape (2, 2) of numbers other than 0 and 1"),
        ([[0.5, 0], [0, 1]], "labels", "dataset.kind=labels needs a matrix (N, K) of 0 and 1"),
        ([1j, 2j], "auto", "here has type complex128"),
        (np.array(["a", 1], dtype=object), "auto", "mixes types of targets: words (first at 0), integers (first at 1)"),
        (np.array([None, None]), "auto", "here holds objects of type NoneType"),
        (np.zeros((2, 2, 2)), "auto", "here has shape (2, 2, 2); targets are (N,) or (N, K)"),
        ([], "auto", "here has shape (0,)"),
    ],
)
def test_what_has_no_reading_or_two_is_refused_in_one_line(raw: Any, kind: str, text: str):
    with pytest.raises(UsageError) as error:
        targets(np.array(raw), kind, "here")
    assert text in str(error.value)
    assert "\n" not in str(error.value)
